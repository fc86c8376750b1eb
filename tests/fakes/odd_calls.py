"""Calls that exports must survive: hostile names, nobody's calls, no cost, no tokens, no price, overruns, and late bills."""

from datetime import timedelta
from typing import NamedTuple

from fakes.organization import Clock

from budget_gate.core.amounts import Amount
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import REPORT_PERIODS, Charge
from budget_gate.core.reservations import Actual, Admitted, ReserveRequest
from budget_gate.core.usage import Usage
from budget_gate.ledger.interface import Ledger

FORMULA = "=cmd|' /C calc'!A0"
HOSTILE_NAMES = (
    FORMULA,
    '+1-1@SUM("a,b")',
    "\u202egnp.tpircs\u202c",  # right-to-left override
    "\N{PARROT}\ufe0f e\u0301 \u200b",
    "two\nlines\r\nand a\ttab",
    "\u2028\u0085\x1b[31m\x07",
    '"; DROP TABLE x; --\\',
    "'",
    "\uff1dfull width",
    "null",
)
"""Names that attackers, and some people, give things."""


class OddCall(NamedTuple):
    """One call: who, which model, what it used (None: nobody knows), what it cost, and how it ended."""

    account: Attribution
    model: str = "claude-haiku-4-5"
    usage: Usage | None = Usage(1_000, 200)
    nano_usd: int = 2_000_000
    end: str = "posted"
    variant: str = "standard"
    provider: str = "anthropic"


ODD_CALLS = (
    *(
        OddCall(Attribution(name, team=name, project=name, user=name, session=name, task=name, feature=name, pr=name))
        for name in HOSTILE_NAMES
    ),
    *(OddCall(Attribution("ci_cd_review"), model=name, provider=name) for name in HOSTILE_NAMES),
    OddCall(Attribution("")),
    OddCall(Attribution(""), model="", provider="", end="held"),
    OddCall(Attribution(""), model="", usage=None),
    OddCall(Attribution("ci_cd_review"), nano_usd=0),
    OddCall(Attribution("ci_cd_review"), nano_usd=0, usage=None),
    OddCall(Attribution("ci_cd_review"), nano_usd=1, usage=Usage(1, 1, 1, 1, 1, 1)),
    OddCall(Attribution("ci_cd_review"), model="nobody-knows-1", usage=Usage(7, 11, 13, 17, 19, 3), nano_usd=999_999_937),
    OddCall(Attribution("ci_cd_review"), model="claude-sonnet-4-5", usage=Usage(250_000, 10, 5), nano_usd=1_500_225_003),
    OddCall(Attribution("ci_cd_review"), variant="batch"),
    OddCall(Attribution("ci_cd_review"), variant="fast"),
    OddCall(Attribution("ci_cd_review"), nano_usd=9_000_001, end="overrun"),
    OddCall(Attribution("ci_cd_review"), end="late"),
    OddCall(Attribution("ci_cd_review"), end="held then posted"),
    OddCall(Attribution("ci_cd_review"), end="voided"),
    OddCall(Attribution("ci_cd_review"), end="pending"),
    OddCall(Attribution("ci_cd_review"), nano_usd=9_000_000_000_000_000, usage=Usage(2**50, 1)),
)


def write_odd_calls(ledger: Ledger, clock: Clock, zone: str = "UTC") -> None:
    """Make every odd call through the ledger, a second apart, from the clock's time on."""
    for number, call in enumerate(ODD_CALLS):
        clock.now += timedelta(seconds=1)
        key = f"odd{number}"
        charges = tuple(Charge(scope, per) for scope in call.account.budget_scopes("small") for per in REPORT_PERIODS)
        labels = call.account.labels() | {"tier": "small", "model": call.model, "provider": call.provider}
        tokens = call.usage.total_tokens if call.usage else 0
        asked = Amount(1 if call.end == "overrun" else call.nano_usd, tokens, 1)
        decision = ledger.reserve(ReserveRequest(key, asked, charges, zone, labels))
        assert isinstance(decision, Admitted)
        if call.end in ("late", "voided"):
            ledger.void(key, decision.reservation, "not sent")
        if call.end.startswith("held"):
            ledger.hold(key, decision.reservation, "the job was killed")
        if call.end not in ("held", "voided", "pending"):
            details = {"model": call.model, "variant": call.variant}
            late = f"{key} late" if call.end in ("late", "held then posted") else key
            ledger.settle(late, decision.reservation, Actual(Amount(call.nano_usd, tokens, 1), call.usage, details))
