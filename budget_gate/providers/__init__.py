"""Model providers: send one Messages request and meter every attempt at the wire. See ``interface``."""
