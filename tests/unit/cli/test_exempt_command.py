"""``exempt`` and ``audit`` as people use them, locally and on a runner."""

import re
from pathlib import Path

import pytest
from fakes.alert_services import ROUTING_KEY, AlertServices
from fakes.command_line import ACME, Ended, run
from fakes.github_server import GitHubServer
from fakes.github_state import State

ASK = ("--scope", "workflow/ci_cd_review", "--per", "day", "--usd", "5", "--days", "2", "--reason", "release \x1b[31mday")


@pytest.fixture(autouse=True)
def _not_on_a_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_TOKEN", "GITHUB_REPOSITORY", "PAGERDUTY_ROUTING_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def common(tmp_path: Path) -> tuple[str, ...]:
    """Acme's policy and a ledger of its own."""
    return ("--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}")


def _reserve(common: tuple[str, ...], key: str, usd: str) -> Ended:
    call = ["--workflow", "ci_cd_review", "--model", "small", "--input-tokens", "0", "--max-output-tokens", "0", "--usd", usd]
    return run("ledger", "reserve", "--key", key, *call, *common, "--json")


def _settle(common: tuple[str, ...], key: str, reservation: str, usd: str) -> None:
    usage = ["--input-tokens", "0", "--output-tokens", "0", "--usd", usd]
    assert run("ledger", "settle", "--key", key, "--reservation", reservation, *usage, *common).code == 0


def _ask(common: tuple[str, ...], *more: str) -> str:
    asked = run("exempt", "request", *ASK, "--as", "maya", *common, *more)
    assert asked.code == 0, asked.err
    found = re.search(r"ex-[0-9a-f]{8}", asked.out)
    assert found
    return found[0]


def test_from_a_refusal_to_an_approval(common: tuple[str, ...]) -> None:
    """A spent day is refused by reserve, check and status alike; after request and approval all of them see the raised line."""
    _settle(common, "a", _reserve(common, "a", "7").document()["reservation"], "7")
    assert _reserve(common, "b", "1").code == 3
    assert run("check", "--workflow", "ci_cd_review", *common, "--json").document()["verdict"] == "pass_with_note"
    name = _ask(common)
    assert run("exempt", "approve", name, "--as", "vp-engineering", *common, "--json").document()["state"] == "in force"
    assert run("check", "--workflow", "ci_cd_review", *common, "--json").document()["verdict"] == "pass"
    budgets = run("status", *common, "--json").document()["budgets"]
    day = next(each for each in budgets if (each["scope"], each["per"]) == ("workflow/ci_cd_review", "day"))
    assert (day["limit"], day["stop"]) == ("7.00", "12.00")
    assert _reserve(common, "c", "5").code == 0
    assert _reserve(common, "d", "0.01").code == 3


def test_list_and_audit_say_who_and_why(common: tuple[str, ...]) -> None:
    """What waits and what is in force is listed; the audit keeps what has ended; control characters in reasons do nothing."""
    first, second = _ask(common), _ask(common)
    run("exempt", "approve", first, "--as", "vp-engineering", *common)
    listed = run("exempt", "list", *common)
    assert [line.split()[1] for line in listed.out.splitlines()] == ["in", "requested"]
    assert "\x1b" not in listed.out
    assert run("exempt", "revoke", first, "--as", "maya", *common).code == 0
    assert run("exempt", "deny", second, "--as", "vp-engineering", *common, "--json").document()["state"] == "denied"
    assert run("exempt", "list", *common).out == "no exemption waits or is in force\n"
    events = run("audit", *common, "--json").document()["events"]
    assert [(event["kind"], event["who"]) for event in events] == [
        ("exemption_requested", "maya"),
        ("exemption_requested", "maya"),
        ("exemption_approved", "vp-engineering"),
        ("exemption_revoked", "maya"),
        ("exemption_denied", "vp-engineering"),
    ]
    text = run("audit", *common)
    assert (len(text.out.splitlines()), "\x1b" in text.out) == (5, False)


def test_wrong_usage_is_one_line(common: tuple[str, ...]) -> None:
    """Without a name, for too much, by the wrong person: exit 2 and one line that says what to do."""
    name = _ask(common)
    for arguments, says in (
        (("exempt", "request", *ASK), "--as USER"),
        (("exempt", "request", *ASK, "--usd", "500", "--as", "maya"), "at most $100.00"),
        (("exempt", "request", *ASK, "--scope", "nonsense", "--as", "maya"), "not a scope"),
        (("exempt", "approve", name, "--as", "maya"), "their own"),
        (("exempt", "approve", name, "--as", "bob"), "GITHUB_TOKEN"),
        (("exempt", "approve", "ex-nothing", "--as", "vp-engineering"), "exempt list"),
    ):
        ended = run(*arguments, *common)
        assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
        assert says in ended.err


@pytest.mark.parametrize(
    ("token", "user", "says"),
    [
        ("ghp_alice", "fin", ""),
        ("ghp_alice", "invited", "may not decide"),
        ("ghp_alice", "bob", "may not decide"),
        ("ghs_writes", "fin", "read:org"),
    ],
)
def test_a_team_is_asked_on_github(
    common: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, token: str, user: str, says: str
) -> None:
    """An active member of @acme/finops may approve; an invited one may not; a token that cannot see the team says so."""
    name = _ask(common)
    state = State(teams={"acme/finops": {"fin": "active", "invited": "pending"}})
    with GitHubServer(state) as server:
        for variable, value in (("GITHUB_TOKEN", token), ("GITHUB_REPOSITORY", "acme/shop"), ("GITHUB_API_URL", server.url)):
            monkeypatch.setenv(variable, value)
        ended = run("exempt", "approve", name, "--as", user, *common)
    assert (ended.code, says in ended.err) == (2 if says else 0, True), ended.err


def test_on_a_runner_the_actor_decides(common: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GITHUB_ACTOR is who acts, and --as cannot say otherwise."""
    name = _ask(common)
    for variable, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "vp-engineering",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_REPOSITORY": "acme/shop",
    }.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    assert "leave --as out" in run("exempt", "approve", name, "--as", "maya", *common).err
    assert run("exempt", "approve", name, *common, "--json").document()["approver"] == "vp-engineering"


def test_an_approval_resolves_the_page(common: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PagerDuty is at hand, approving resolves the incident of the stop at once."""
    _settle(common, "a", _reserve(common, "a", "7").document()["reservation"], "7")
    name = _ask(common)
    with AlertServices() as services:
        monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
        monkeypatch.setenv("PAGERDUTY_EVENTS_URL", services.events_url)
        assert run("alerts", "deliver", *common).code == 0
        assert len(services.open_incidents) == 1
        approved = run("exempt", "approve", name, "--as", "vp-engineering", *common)
        assert (approved.code, services.open_incidents) == (0, set())
    assert "1 incidents resolved" in approved.err
