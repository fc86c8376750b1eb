-- Amounts are three integers each: nano-dollars, tokens, requests. Instants are microseconds since 1970 UTC.

CREATE TABLE counters (
  number INTEGER PRIMARY KEY,
  scope TEXT NOT NULL, per TEXT NOT NULL, label TEXT NOT NULL,
  posted_nano_usd INTEGER NOT NULL, posted_tokens INTEGER NOT NULL, posted_requests INTEGER NOT NULL,
  pending_nano_usd INTEGER NOT NULL, pending_tokens INTEGER NOT NULL, pending_requests INTEGER NOT NULL,
  held_nano_usd INTEGER NOT NULL, held_tokens INTEGER NOT NULL, held_requests INTEGER NOT NULL,
  UNIQUE (scope, per, label)
) STRICT;

CREATE TABLE reservations (
  number INTEGER PRIMARY KEY,
  reservation TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'voided', 'held')),
  granted_nano_usd INTEGER NOT NULL, granted_tokens INTEGER NOT NULL, granted_requests INTEGER NOT NULL,
  cost_nano_usd INTEGER NOT NULL, cost_tokens INTEGER NOT NULL, cost_requests INTEGER NOT NULL,
  labels TEXT NOT NULL,
  charges TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  resolved_at INTEGER
) STRICT;
CREATE INDEX reservations_by_deadline ON reservations (expires_at) WHERE state = 'pending';
CREATE INDEX reservations_open ON reservations (number) WHERE state IN ('pending', 'held');

CREATE TABLE operations (
  kind TEXT NOT NULL, key TEXT NOT NULL,
  digest TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  chain_hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER entries_are_not_edited BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_are_not_replaced BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

-- The newest entry, apart from the entries themselves: a tail that was cut off is missed.
CREATE TABLE head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,
  chain_hash TEXT NOT NULL
) STRICT;
INSERT INTO head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- One row per limit that a waiting request is kept out by; `number` is its place in the order of arrival.
CREATE TABLE waiters (
  scope TEXT NOT NULL, per TEXT NOT NULL, label TEXT NOT NULL, unit TEXT NOT NULL,
  number INTEGER NOT NULL,
  key TEXT NOT NULL,
  alive_until INTEGER NOT NULL,
  PRIMARY KEY (scope, per, label, unit, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiters_by_key ON waiters (key);
CREATE INDEX waiters_by_number ON waiters (number);
CREATE INDEX waiters_by_deadline ON waiters (alive_until);

CREATE TABLE crossings (
  scope TEXT NOT NULL, per TEXT NOT NULL, label TEXT NOT NULL, unit TEXT NOT NULL, tier TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (scope, per, label, unit, tier)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
  number INTEGER PRIMARY KEY,
  payload TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  claimant TEXT NOT NULL DEFAULT '',
  claimed_until INTEGER NOT NULL DEFAULT 0,
  delivered_at INTEGER
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (number) WHERE delivered_at IS NULL;
