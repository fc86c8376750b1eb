"""The audit of the bill: what the ledger posted on a day beside what the provider's reports say, by model and kind of token.

Tokens must agree exactly. Dollars may differ by less than a cent a line: a call's cost is rounded up to a nano-dollar here, and how a
report rounds is not documented. The provider's day is UTC and counts a call when it ends; the ledger's row lies where it was reserved,
so calls under way at midnight can lie on different days.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Literal, NamedTuple

from budget_gate.analytics.billed import model_of, price_of
from budget_gate.analytics.spending import Spend
from budget_gate.analytics.token_split import KINDS, parts_of
from budget_gate.core.money import EXACT
from budget_gate.core.prices import PriceBook

Finding = Literal["equal", "priority tier", "only in the bill", "only in the ledger", "tokens differ", "dollars differ"]
"""``priority tier``: the tokens agree, and some of them are of a tier whose cost the bill never has, so dollars say nothing."""

AGREEING: tuple[Finding, ...] = ("equal", "priority tier")

TOLERATED_USD = Decimal("0.01")

_Key = tuple[str, str]


class Comparison(NamedTuple):
    """One kind of token of one model: counts and dollars of both sides. ``finding`` names the difference."""

    model: str
    kind: str
    ledger_tokens: int
    bill_tokens: int
    ledger_usd: Decimal
    bill_usd: Decimal
    finding: Finding


class LedgerDay(NamedTuple):
    """What the ledger knows of a day: posted tokens and dollars by model and kind, and what is open or without token counts."""

    tokens: Mapping[_Key, int]
    dollars: Mapping[_Key, Decimal]
    held_calls: int
    held_nano_usd: int
    uncounted_nano_usd: int


def ledger_day(rows: Iterable[Spend], day: date, prices: PriceBook, name_of: Callable[[str], str]) -> LedgerDay:
    """Return the ledger's side of a UTC day. ``name_of`` makes one name of all the ids that a model goes by."""
    tokens: dict[_Key, int] = {}
    dollars: dict[_Key, Decimal] = {}
    held_calls = held_nano_usd = uncounted_nano_usd = 0
    for row in rows:
        if row.at.astimezone(UTC).date() != day:
            continue
        if row.state != "posted":
            held_calls, held_nano_usd = held_calls + 1, held_nano_usd + row.amount.nano_usd
            continue
        parts = parts_of(row.amount.nano_usd, row.usage, price_of(row, prices))
        if not parts:
            uncounted_nano_usd += row.amount.nano_usd
        for part in parts:
            key = (name_of(model_of(row)), part.kind)
            tokens[key] = tokens.get(key, 0) + part.quantity
            dollars[key] = EXACT.add(dollars.get(key, Decimal(0)), Decimal(part.nano_usd).scaleb(-9, context=EXACT))
    return LedgerDay(tokens, dollars, held_calls, held_nano_usd, uncounted_nano_usd)


class BillDay(NamedTuple):
    """What a bill says of a day: tokens and dollars by model and kind, and which of the tokens have no dollars on any bill."""

    tokens: Mapping[_Key, int]
    unpriced: Mapping[_Key, int]
    dollars: Mapping[_Key, Decimal]


def compare(ours: LedgerDay, bill: BillDay, name_of: Callable[[str], str]) -> tuple[Comparison, ...]:
    """Return every model and kind that either side knows, models by name and kinds in their usual order."""
    tokens: dict[_Key, int] = {}
    dollars: dict[_Key, Decimal] = {}
    unpriced = {(name_of(model), kind) for (model, kind), count in bill.unpriced.items() if count}
    for (model, kind), count in bill.tokens.items():
        tokens[name_of(model), kind] = tokens.get((name_of(model), kind), 0) + count
    for (model, kind), usd in bill.dollars.items():
        dollars[name_of(model), kind] = EXACT.add(dollars.get((name_of(model), kind), Decimal(0)), usd)
    keys = {*ours.tokens, *tokens, *dollars}
    ordered = sorted(keys, key=lambda key: (key[0], KINDS.index(key[1]) if key[1] in KINDS else len(KINDS), key[1]))
    nothing = Decimal(0)
    lines = (
        _compared(key, ours.tokens.get(key, 0), tokens.get(key, 0), ours.dollars.get(key, nothing), dollars.get(key, nothing))
        for key in ordered
    )
    return tuple(_without_a_price(line) if (line.model, line.kind) in unpriced else line for line in lines)


def _without_a_price(line: Comparison) -> Comparison:
    """Return a line whose bill may lack dollars: that it does is no difference; that it has too many is."""
    lacks = line.finding == "dollars differ" and line.bill_usd < line.ledger_usd
    return line._replace(finding="priority tier") if lacks else line


def _compared(key: _Key, ours: int, theirs: int, our_usd: Decimal, their_usd: Decimal) -> Comparison:
    finding: Finding = "equal"
    if not ours and not our_usd:
        finding = "only in the bill"
    elif not theirs and not their_usd:
        finding = "only in the ledger"
    elif ours != theirs:
        finding = "tokens differ"
    elif abs(EXACT.subtract(our_usd, their_usd)) >= TOLERATED_USD:
        finding = "dollars differ"
    return Comparison(*key, ours, theirs, our_usd, their_usd, finding)
