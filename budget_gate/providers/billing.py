"""What a provider's own bill says, as an interface: a day's tokens and dollars by model and kind. ``anthropic_admin`` implements it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

ModelKind = tuple[str, str]
"""A model id as the provider writes it, and a kind of ``analytics.token_split.KINDS`` (or the provider's own word for any other)."""


class BilledTokens(NamedTuple):
    """How many tokens (or searches) of each kind each model used on a day; ``unpriced`` are those of them whose cost no report has."""

    tokens: Mapping[ModelKind, int]
    unpriced: Mapping[ModelKind, int]


class Bill(Protocol):
    """Reads a provider's bill. Days are the provider's: UTC. Raises ``ProviderError`` when it cannot be read."""

    def tokens(self, day: date) -> BilledTokens:
        """Return how many tokens (or searches) of each kind each model used on a day."""
        ...

    def dollars(self, day: date) -> Mapping[ModelKind, Decimal]:
        """Return what each kind of each model cost on a day, in dollars, exactly as stated."""
        ...
