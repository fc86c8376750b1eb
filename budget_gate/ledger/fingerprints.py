"""Sums of counters that are too many to be kept one by one: tasks and sessions, of which every run makes a new one.

Counters fall into buckets, and of each bucket one number is kept: the sum of what its counters hold, weighed by secret random
numbers modulo a prime. Equal counters give equal numbers; for others to give equal ones, a forger would have to guess the weights
(probability about 2**-126 a bucket). Sums can be made in any order and of differences, so entries and counters can be compared
without a table of either.
"""

import secrets
from hashlib import blake2b

from budget_gate.core.amounts import CounterValue

BUCKETS = 4096
"""Of a million counters, a bucket has 250: few enough to be read again one by one where it differs."""

_PRIME = 2**127 - 1
_BUCKET_BITS = 12
_DIGEST_BYTES = 24
_PARTS = 9


class Fingerprints:
    """Weights that are secret to one verification."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._weights = tuple(secrets.randbelow(_PRIME) for _ in range(_PARTS))

    def bucket_of(self, counter: tuple[str, str, str]) -> int:
        """Return the bucket of a counter (scope text, kind of period, label)."""
        return self._digest(counter) % BUCKETS

    def add(self, sums: list[int], counter: tuple[str, str, str], value: CounterValue) -> None:
        """Add what a counter holds, or a difference of it, to the sums of all buckets."""
        digest = self._digest(counter)
        posted, pending, held = value
        parts = zip(self._weights, (*posted, *pending, *held), strict=True)
        weighed = sum(weight * part for weight, part in parts if part)
        place = digest % BUCKETS
        sums[place] = (sums[place] + (digest >> _BUCKET_BITS) * weighed) % _PRIME

    def _digest(self, counter: tuple[str, str, str]) -> int:
        scope, per, label = counter
        # Lengths, so that no two counters have one text; forged entries may hold any character.
        text = f"{len(scope)} {len(per)} {scope}{per}{label}"
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_DIGEST_BYTES)
        return int.from_bytes(digest.digest(), "big")
