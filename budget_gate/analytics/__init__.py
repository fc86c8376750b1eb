"""Analytics: what the ledger's entries say about the past and the coming month. Pure functions; reading a ledger is the callers'."""
