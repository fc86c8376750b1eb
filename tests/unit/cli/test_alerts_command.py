"""``alerts deliver`` and what a job sends after its result: every channel for real, by the environment of the contract."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.alert_services import ROUTING_KEY, AlertServices, Behaviour
from fakes.command_line import ACME, ROOT, run
from fakes.mail_server import MailServer

from budget_gate.bootstrap import open_notifiers
from budget_gate.config.settings import read_settings
from budget_gate.core.errors import NotifyError

VARIABLES = ("SLACK_WEBHOOK_URL", "SMTP_URL", "SMTP_FROM", "PAGERDUTY_ROUTING_KEY", "PAGERDUTY_EVENTS_URL", "GITHUB_ACTIONS")


@pytest.fixture(autouse=True)
def _no_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def _spend(ledger: str, usd: str) -> None:
    """Spend under the review workflow, which may spend 7 dollars a day."""
    common = ["--policy", ACME, "--ledger", ledger, "--json"]
    call = ["--workflow", "ci_cd_review", "--model", "small", "--input-tokens", "0", "--max-output-tokens", "0", "--usd", usd]
    reservation = run("ledger", "reserve", "--key", "k", *call, *common).document()["reservation"]
    usage = ["--input-tokens", "0", "--output-tokens", "0", "--usd", usd]
    assert run("ledger", "settle", "--key", "k", "--reservation", reservation, *usage, *common).code == 0


def _deliver(ledger: str, *more: str) -> tuple[int, str, str]:
    return run("alerts", "deliver", "--policy", ACME, "--ledger", ledger, *more)


def test_a_stop_reaches_every_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spending a day's limit sends warn, alert and stop to Slack, and the stop to PagerDuty; the workflow has no owner to mail."""
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    _spend(ledger, "7")
    with AlertServices() as services, MailServer(tmp_path) as mail_server:
        monkeypatch.setenv("SSL_CERT_FILE", str(mail_server.authority_file))
        monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
        monkeypatch.setenv("SMTP_URL", mail_server.url())
        monkeypatch.setenv("SMTP_FROM", "budget-gate@acme.test")
        monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
        monkeypatch.setenv("PAGERDUTY_EVENTS_URL", services.events_url)
        code, out, err = _deliver(ledger, "--json")
    assert (code, len(services.slack), len(services.pagerduty), len(mail_server.mails)) == (0, 3, 1, 0)
    assert '"delivered": 3' in out
    assert "nobody to be mailed to" in err
    assert services.refused == []


def test_a_budget_with_an_owner_is_mailed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner of the organization's budget gets the mail of an alert."""
    ledger, policy = f"sqlite:///{tmp_path / 'l.db'}", tmp_path / "policy.yml"
    policy.write_text(
        Path(ACME).read_text().replace("limits: [{usd: 7, per: day}", "owner: qa@acme.test\n    limits: [{usd: 7, per: day}")
    )
    common = ["--policy", str(policy), "--ledger", ledger, "--json"]
    call = ["--workflow", "ci_cd_review", "--model", "small", "--input-tokens", "0", "--max-output-tokens", "0", "--usd", "7"]
    reservation = run("ledger", "reserve", "--key", "k", *call, *common).document()["reservation"]
    usage = ["--input-tokens", "0", "--output-tokens", "0", "--usd", "7"]
    run("ledger", "settle", "--key", "k", "--reservation", reservation, *usage, *common)
    with MailServer(tmp_path, "starttls") as mail_server:
        monkeypatch.setenv("SSL_CERT_FILE", str(mail_server.authority_file))
        monkeypatch.setenv("SMTP_URL", mail_server.url())
        monkeypatch.setenv("SMTP_FROM", "budget-gate@acme.test")
        assert run("alerts", "deliver", *common).code == 0
    assert {mail["To"] for mail in mail_server.mails} == {"qa@acme.test"}
    assert len(mail_server.mails) == 2


def _stopped(folder: Path, services: AlertServices, patch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """Spend the day's seven dollars and page for it; return the ledger, and a policy in which somebody has raised them to nine."""
    ledger, raised = f"sqlite:///{folder / 'l.db'}", folder / "raised.yml"
    raised.write_text(Path(ACME).read_text().replace("{usd: 7, per: day}", "{usd: 9, per: day}"))
    _spend(ledger, "7")
    patch.setenv("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
    patch.setenv("PAGERDUTY_EVENTS_URL", services.events_url)
    assert _deliver(ledger)[0] == 0
    assert len(services.open_incidents) == 1
    return ledger, raised


def test_a_raised_limit_resolves_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`alerts deliver` under the policy as it was leaves the incident alone; under one with a raised limit it resolves it, once."""
    with AlertServices() as services:
        ledger, raised = _stopped(tmp_path, services, monkeypatch)
        assert '"resolved": 0' in _deliver(ledger, "--json")[1]
        told = [run("alerts", "deliver", "--policy", str(raised), "--ledger", ledger, "--json").document() for _ in range(2)]
        assert ([each["resolved"] for each in told], services.open_incidents) == ([1, 0], set())
    assert [event["event_action"] for event in services.pagerduty] == ["trigger", "resolve"]


def test_a_job_resolves_what_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first job of an hour under a policy with a raised limit resolves the incident; no cron is needed."""
    with AlertServices() as services:
        ledger, raised = _stopped(tmp_path, services, monkeypatch)
        _on_a_runner(monkeypatch, tmp_path)
        assert run("check", "--workflow", "ci_cd_review", "--policy", str(raised), "--ledger", ledger).code == 0
        assert services.open_incidents == set()


def test_without_a_channel_nothing_is_claimed(tmp_path: Path) -> None:
    """With no channel at all the command exits 2 and says which variables there are; the outbox keeps its messages."""
    code, _, err = _deliver(f"sqlite:///{tmp_path / 'l.db'}")
    assert code == 2
    assert "SLACK_WEBHOOK_URL" in err


def test_what_could_not_be_delivered_exits_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that fails leaves the message, says so in one line, and exits 4 for cron to notice."""
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    _spend(ledger, "5.60")
    with AlertServices() as services:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
        services.queue("slack", Behaviour("status", 500))
        code, out, err = _deliver(ledger)
    assert code == 4
    assert "1 left" in out
    assert err.count("\n") == 1
    assert "slack" in err


def test_a_wrong_address_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that cannot be one is named by its variable, not shown, and its messages wait."""
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    _spend(ledger, "5.60")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "http://hooks.slack.com/services/geheim")
    code, _, err = _deliver(ledger)
    assert code == 4
    assert "SLACK_WEBHOOK_URL" in err
    assert "geheim" not in err


def test_an_unreachable_ledger_is_told_to_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The alert goes straight to the channels, under a key of the hour, and the command exits 5."""
    with AlertServices() as services:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
        monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
        monkeypatch.setenv("PAGERDUTY_EVENTS_URL", services.events_url)
        code, _, err = _deliver("redis://:geheim@127.0.0.1:1/0")
    assert code == 5
    assert len(services.slack) == 1
    assert "geheim" not in str(services.slack) + str(services.pagerduty) + err
    (event,) = services.pagerduty
    assert event["payload"]["class"] == "ledger_down"
    assert re.search(r'"ledger_down","\d{4}-\d\d-\d\dT\d\dZ"', event["dedup_key"])


def _on_a_runner(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)


@pytest.mark.parametrize("is_dead", [False, True])
def test_a_job_delivers_after_its_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_dead: bool) -> None:
    """On a runner, check sends what waits; a channel that fails changes neither verdict nor exit code."""
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    _spend(ledger, "5.60")
    _on_a_runner(monkeypatch, tmp_path)
    with AlertServices() as services:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
        services.queue("slack", *([Behaviour("reset")] if is_dead else []))
        ended = run("check", "--workflow", "ci_cd_review", "--policy", ACME, "--ledger", ledger, "--json")
    assert (ended.code, ended.document()["verdict"]) == (0, "pass")
    assert len(services.slack) == (0 if is_dead else 1)
    assert ("slack: " in ended.err) is is_dead


def test_a_job_without_its_ledger_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a runner, check tells Slack that the ledger is down, and still ends as the policy says."""
    _on_a_runner(monkeypatch, tmp_path)
    with AlertServices() as services:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
        ended = run("check", "--workflow", "ci_cd_review", "--policy", ACME, "--ledger", "redis://127.0.0.1:1/0", "--json")
    assert (ended.code, ended.document()["verdict"]) == (5, "block")
    assert "ledger cannot be reached" in services.slack[0]["text"]


def test_check_loads_nothing_of_alerts_where_no_channel_is(tmp_path: Path) -> None:
    """Without a channel, and with room in the budget, the verdict path knows neither couriers nor exemptions."""
    program = (
        "import sys\nfrom budget_gate.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as ending:\n    assert not ending.code, ending.code\n"
        "rooms = ('budget_gate.notify', 'budget_gate.runs.deliver', 'budget_gate.runs.exempting', 'smtplib', 'email.message')\n"
        "print([name for name in rooms if name in sys.modules])"
    )
    arguments = ["check", "--workflow", "ci_cd_review", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}"]
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_channels_are_opened_by_what_is_configured() -> None:
    """Each channel is there when its variable is; a wrong one fails when used, and the others do not notice."""
    assert open_notifiers(read_settings({})) == {}
    opened = open_notifiers(read_settings({"SLACK_WEBHOOK_URL": "nonsense", "SMTP_URL": "smtps://h", "SMTP_FROM": "a@b.test"}))
    assert sorted(opened) == ["email", "slack"]
    from fakes.alert_messages import messages

    with pytest.raises(NotifyError, match="SLACK_WEBHOOK_URL"):
        opened["slack"].deliver(messages()["warn"])
