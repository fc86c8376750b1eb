"""``ledger reconcile`` against a strict server: agreement, every kind of difference, and failures in one line."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fakes.anthropic_admin_server import ADMIN_KEY, COST, USAGE, AdminServer, admin_server
from fakes.command_line import ACME, Ended, run
from fakes.golden import assert_golden
from fakes.organization import Clock

from budget_gate import bootstrap
from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import Amount
from budget_gate.core.charges import Charge
from budget_gate.core.errors import ProviderError
from budget_gate.core.prices import call_cost_nano_usd
from budget_gate.core.reservations import Actual, Admitted, ReserveRequest
from budget_gate.core.scopes import ORG
from budget_gate.core.usage import Usage
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.anthropic_admin import AnthropicBill

DAY = date(2026, 11, 23)
MODEL = "claude-haiku-4-5"
USAGE_OF_DAY = Usage(100_000, 20_000, 50_000, 8_000, 4_000, 3)


def spend(ledger: MemoryLedger, key: str, usage: Usage, *, hold: bool = False) -> None:
    """Make one call through the ledger."""
    cost = call_cost_nano_usd(usage, load_prices().price_of(MODEL, ledger.now()))
    amount = Amount(cost, usage.total_tokens, 1)
    decision = ledger.reserve(ReserveRequest(key, amount, (Charge(ORG, "day"),), "UTC", {"model": MODEL}))
    assert isinstance(decision, Admitted)
    if hold:
        ledger.hold(key, decision.reservation, "killed")
    else:
        ledger.settle(key, decision.reservation, Actual(amount, usage, {"model": MODEL}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminServer]:
    """A bill that agrees with the ledger: two calls of one model, on the day before today."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    clock.now = datetime(2026, 11, 22, 23, tzinfo=UTC)
    spend(ledger, "before", Usage(999, 999))
    clock.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    spend(ledger, "one", USAGE_OF_DAY)
    spend(ledger, "two", Usage(1_000, 500))
    clock.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    spend(ledger, "today", Usage(777, 777))
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: ledger)
    monkeypatch.setattr("budget_gate.providers.anthropic_admin._WAITS_SECONDS", (0.0, 0.0, 0.0))
    with admin_server() as found:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", found.url)
        monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ADMIN_KEY)
        found.results[USAGE] = [usage_result(USAGE_OF_DAY), usage_result(Usage(1_000, 500))]
        found.results[COST] = [
            cost_result("10.1", "uncached_input_tokens"),
            cost_result("10.25", "output_tokens"),
            cost_result("0.5", "cache_read_input_tokens"),
            cost_result("1", "cache_creation.ephemeral_5m_input_tokens"),
            cost_result("0.8", "cache_creation.ephemeral_1h_input_tokens"),
            {**cost_result("3", None), "cost_type": "web_search"},
        ]
        found.ledger = ledger  # type: ignore[attr-defined]
        yield found


def usage_result(usage: Usage, model: str = f"{MODEL}-20251001") -> dict[str, object]:
    """Return one result of the usage report, as documented."""
    return {
        "api_key_id": None,
        "workspace_id": None,
        "model": model,
        "service_tier": None,
        "context_window": None,
        "uncached_input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "server_tool_use": {"web_search_requests": usage.web_searches},
    }


def cost_result(cents: str, token_type: str | None, model: str | None = f"{MODEL}-20251001") -> dict[str, object]:
    """Return one result of the cost report, as documented: cents as a decimal string."""
    described = "tokens" if token_type else None
    return {"currency": "USD", "amount": cents, "workspace_id": None, "description": "x", "cost_type": described,
            "context_window": None, "model": model, "service_tier": "standard", "token_type": token_type}  # fmt: skip


def reconcile(*arguments: str) -> Ended:
    """Run the command on the policy of Acme."""
    return run("ledger", "reconcile", "--policy", ACME, *arguments)


def test_a_day_that_agrees_says_so(server: AdminServer) -> None:
    """Yesterday is compared by default; snapshot ids count as their model; both reports are read to the last page."""
    ended = reconcile("--json")
    document = ended.document()
    assert (ended.code, document["agrees"], document["day"]) == (0, True, "2026-11-23"), document
    assert {line["kind"] for line in document["lines"]} == {
        "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "web_search",
    }  # fmt: skip
    assert [query["page"] for path, query in server.seen if path == COST and "page" in query] == ["page_2", "page_4"]
    assert document["difference_usd"] == "0.00"


def test_every_difference_is_named(server: AdminServer) -> None:
    """Usage that went past the gate, tokens that differ, dollars that differ, and what only the ledger has; exit 3."""
    server.results[USAGE][1] = usage_result(Usage(2_000, 0))
    server.results[USAGE].append(usage_result(Usage(5_000), "claude-opus-4-6"))
    server.results[COST][2] = cost_result("50", "cache_read_input_tokens")
    server.results[COST].append({**cost_result("77.5", None, None), "cost_type": "code_execution"})
    spend_held = server.ledger  # type: ignore[attr-defined]
    spend_held._clock.now = datetime(2026, 11, 23, 20, tzinfo=UTC)
    spend(spend_held, "held", Usage(10_000), hold=True)
    spend_held._clock.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    ended = reconcile("--json", "--day", "2026-11-23")
    findings = {(line["model"], line["kind"]): line["finding"] for line in ended.document()["lines"]}
    assert ended.code == 3
    assert findings[MODEL, "input"] == "tokens differ"
    assert findings[MODEL, "cache_read"] == "dollars differ"
    assert findings["claude-opus-4-6", "input"] == "only in the bill"
    assert findings["", "code_execution"] == "only in the bill"
    assert ended.document()["held_calls"] == 1
    assert_golden("reconciliation.txt", reconcile("--day", "2026-11-23").out)


def test_what_only_the_ledger_has_is_named(server: AdminServer) -> None:
    """An empty bill leaves every line only in the ledger."""
    server.results = {USAGE: [], COST: []}
    assert {line["finding"] for line in reconcile("--json").document()["lines"]} == {"only in the ledger"}


def test_tiers_and_context_windows_are_added_up(server: AdminServer) -> None:
    """A day's batches, long prompts and regions come as results of their own, in both reports; together they are the day."""
    half, other = Usage(60_000, 5_000, 50_000, 8_000, 4_000, 3), Usage(40_000, 15_000)
    batch = {"service_tier": "batch", "context_window": "200k-1M"}
    server.results[USAGE] = [usage_result(half), {**usage_result(other), **batch}, usage_result(Usage(1_000, 500))]
    server.results[COST][0:1] = [
        cost_result("6.1", "uncached_input_tokens"),
        {**cost_result("4", "uncached_input_tokens"), **batch},
    ]
    assert reconcile("--json").document()["agrees"]


def test_the_priority_tier_has_tokens_and_no_dollars(server: AdminServer) -> None:
    """Its cost is in no report: lines whose tokens agree are told as such and are no difference; tokens that differ still are."""
    server.results[USAGE][0]["service_tier"] = "priority"
    server.results[COST] = [cost_result("0.1", "uncached_input_tokens")]
    ended = reconcile("--json")
    findings = {line["kind"]: line["finding"] for line in ended.document()["lines"]}
    assert (ended.code, ended.document()["agrees"]) == (0, True)
    assert (findings["input"], findings["output"]) == ("priority tier", "priority tier")
    assert "no dollars for that tier" in reconcile().out
    server.results[USAGE][0]["output_tokens"] = 1
    assert {line["finding"] for line in reconcile("--json").document()["lines"]} >= {"tokens differ", "priority tier"}


def test_more_dollars_than_the_ledger_are_a_difference_in_any_tier(server: AdminServer) -> None:
    """The Priority Tier excuses dollars that are missing, not dollars too many."""
    server.results[USAGE][0]["service_tier"] = "priority"
    server.results[COST][0] = cost_result("500", "uncached_input_tokens")
    ended = reconcile("--json")
    assert ended.code == 3
    assert next(line["finding"] for line in ended.document()["lines"] if line["kind"] == "input") == "dollars differ"


def test_a_day_that_the_report_leaves_out_is_empty(server: AdminServer) -> None:
    """No bucket at all is a day without usage; a bucket of another day is not taken for it."""
    server.days = []
    assert {line["finding"] for line in reconcile("--json").document()["lines"]} == {"only in the ledger"}
    server.days = ["2026-11-22", "2026-11-23", "2026-11-24"]
    assert reconcile("--json").document()["agrees"]


def test_more_pages_without_a_name_are_an_error(server: AdminServer) -> None:
    """A page that cannot be asked for would leave a part of the bill out: exit 4 rather than a finding."""
    server.is_next_page_missing = True
    ended = reconcile()
    assert (ended.code, ended.err.count("\n")) == (4, 1)
    assert "not a report as documented" in ended.err


def test_failures_that_pass_are_tried_again(server: AdminServer) -> None:
    """Overload, a rate limit and a connection that is cut are tried again, three times."""
    server.failures = [529, 429, 0]
    assert reconcile("--json").document()["agrees"]


@pytest.mark.parametrize(
    ("failures", "said"),
    [([401], "not valid"), ([403], "Admin key"), ([404], "ANTHROPIC_BASE_URL"), ([500] * 4, "status 500"), ([302], "status 302")],
)
def test_failures_that_stay_are_one_line_without_the_key(server: AdminServer, failures: list[int], said: str) -> None:
    """Exit 4, what to do about it, never the key; and a redirect is not followed, so the key goes nowhere else."""
    server.failures = failures
    server.redirect_to = f"{server.url}/elsewhere"
    ended = reconcile()
    assert (ended.code, ended.err.count("\n")) == (4, 1)
    assert said in ended.err
    assert ADMIN_KEY not in ended.err
    assert all(path != "/elsewhere" for path, _ in server.seen)


def test_without_an_admin_key_it_says_what_to_set(server: AdminServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ANTHROPIC_ADMIN_KEY: exit 2."""
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    ended = reconcile()
    assert ended.code == 2
    assert "ANTHROPIC_ADMIN_KEY" in ended.err


@pytest.mark.parametrize(
    ("path", "result"),
    [
        (USAGE, {"model": "m", "output_tokens": 1.5}),
        (USAGE, {"model": "m", "output_tokens": -1}),
        (USAGE, "text"),
        (COST, {**cost_result("1e9", "output_tokens")}),
        (COST, {**cost_result("12", "output_tokens"), "currency": "EUR"}),
    ],
)
def test_a_report_of_another_shape_is_refused(server: AdminServer, path: str, result: object) -> None:
    """Counts that are none, amounts that are no decimals, and foreign currencies are errors, never guesses."""
    server.results[path] = [result]  # type: ignore[list-item]
    bill = AnthropicBill(ADMIN_KEY, server.url, sleep=lambda _: None)
    with pytest.raises(ProviderError):
        bill.tokens(DAY) if path == USAGE else bill.dollars(DAY)


def test_dollars_are_exact(server: AdminServer) -> None:
    """Cents with any number of places become dollars without rounding."""
    server.results[COST] = [cost_result("123.78912345", "output_tokens"), cost_result("0.00000001", "output_tokens")]
    bill = AnthropicBill(ADMIN_KEY, server.url)
    assert bill.dollars(DAY) == {(f"{MODEL}-20251001", "output"): Decimal("1.2378912346")}
