"""Looking after the set-up: every part that a run needs, looked at once, each with what to do about it.

Nothing here raises for what is wrong with the set-up: a fault is a finding, and the next part is looked at all the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from budget_gate.core.errors import LedgerError, UnknownModel, UsageError
from budget_gate.core.money import usd_text
from budget_gate.core.policy import Policy
from budget_gate.core.prices import PriceBook
from budget_gate.core.reservations import Reservation
from budget_gate.ledger.health import WRITABLE, Examined, Finding
from budget_gate.ledger.interface import Ledger

SKEW_SECONDS_MOST = 5.0
"""From where on this machine's clock is worth a word. The ledger's decides, so no money depends on it."""

OPEN_MOST = 10_000
"""Open reservations that are looked at."""

_NO_KEY = "no ANTHROPIC_API_KEY: agents can only estimate (--dry-run); add it as a secret of the repository"
_NO_TOKEN = "no GITHUB_TOKEN with GITHUB_REPOSITORY: nothing can be posted; pass github-token in the workflow"  # noqa: S105 (no token)


def policy_findings(load: Callable[[], Policy]) -> tuple[Policy | None, list[Finding]]:
    """Return the policy, if it can be read, and what to say of it."""
    try:
        policy = load()
    except UsageError as error:
        return None, [Finding("policy", "fault", str(error))]
    counted = f"{len(policy.budgets)} budgets, {len(policy.workflows)} workflows"
    if not policy.budgets:
        return policy, [Finding("policy", "warning", f"{counted}: nothing is limited; add one under `budgets:`")]
    return policy, [Finding("policy", "ok", counted)]


def price_findings(policy: Policy, prices: PriceBook, now: datetime) -> Iterator[Finding]:
    """Yield whether every model of the policy has a price."""
    missing = []
    for tier, model in policy.models.items():
        try:
            prices.price_of(model, now)
        except UnknownModel as error:
            missing.append(Finding("prices", "fault", f"tier {tier}: {error}"))
    yield from missing
    if not missing:
        yield Finding("prices", "ok", f"all {len(policy.models)} models have a price")


def ledger_findings(open_ledger: Callable[[], Ledger], clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Yield whether the ledger answers, can be written, agrees on the time, and what its storage says of itself."""
    try:
        ledger = open_ledger()
        yield from _answering(ledger, clock)
        found = ledger.examine() if isinstance(ledger, Examined) else ()
        if all(each.name != WRITABLE for each in found):
            ledger.leave_queue("doctor")  # a write that changes nothing: nobody waits under that key
            yield Finding(WRITABLE, "ok", "yes")
        yield from found
        yield _open_reservations(ledger.open_reservations(), ledger.now())
    except (LedgerError, UsageError) as error:
        yield Finding("ledger", "fault", str(error))


def _answering(ledger: Ledger, clock: Callable[[], datetime]) -> Iterator[Finding]:
    before = clock()
    theirs = ledger.now()
    after = clock()
    yield Finding(
        "ledger", "ok", f"{ledger.url} answers in {(after - before).total_seconds() * 1000:.0f} ms, {ledger.head()} entries"
    )
    ahead = (theirs - (before + (after - before) / 2)).total_seconds()
    if abs(ahead) <= SKEW_SECONDS_MOST:
        yield Finding("clock", "ok", "this machine and the ledger agree")
    else:
        where = "ahead of" if ahead > 0 else "behind"
        text = f"the ledger is {abs(ahead):.0f} seconds {where} this machine; periods follow the ledger: set the wrong one right"
        yield Finding("clock", "warning", text)


def _open_reservations(reservations: Iterable[Reservation], now: datetime) -> Finding:
    found = list(islice(reservations, OPEN_MOST))
    held = [each for each in found if each.state == "held"]
    late = [each for each in found if each.state == "pending" and each.expires_at <= now]
    if not held and not late:
        return Finding("open reservations", "ok", f"{len(found)} pending, none held")
    worth = usd_text(sum(each.granted.nano_usd for each in (*held, *late)))
    text = (
        f"{len(held)} held and {len(late)} expired, worth {worth} dollars, count as spent: see `budget-gate ledger show`, and settle or"
        " void each"
    )
    return Finding("open reservations", "warning", text)


def environment_findings(has_key: bool, has_github: bool, environment: Mapping[str, str]) -> Iterator[Finding]:  # noqa: FBT001 (two facts)
    """Yield which credentials are there, never what they are."""
    yield Finding("model key", "ok", "ANTHROPIC_API_KEY is set") if has_key else Finding("model key", "warning", _NO_KEY)
    if has_github:
        yield Finding("github", "ok", f"token and repository are at hand ({environment.get('GITHUB_REPOSITORY', '')})")
    elif environment.get("GITHUB_ACTIONS") == "true":
        yield Finding("github", "warning", _NO_TOKEN)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return what ``doctor`` exits with: 5 when the ledger is at fault, 2 when anything else is, 0 for warnings."""
    faults = [each.name for each in findings if each.outcome == "fault"]
    if not faults:
        return 0
    return 5 if any(name not in {"policy", "prices"} for name in faults) else 2
