"""Settings: flags win over variables, and secrets do not show."""

from budget_gate.config.settings import DEFAULT_LEDGER, read_settings


def test_a_flag_wins_over_its_variable_and_a_variable_over_the_default() -> None:
    """--ledger beats BUDGET_GATE_LEDGER, which beats the default."""
    environment = {"BUDGET_GATE_LEDGER": "redis://variable"}
    assert read_settings(environment, ledger="redis://flag").ledger.reveal() == "redis://flag"
    assert read_settings(environment).ledger.reveal() == "redis://variable"
    assert read_settings({}).ledger.reveal() == DEFAULT_LEDGER


def test_an_empty_variable_counts_as_not_given() -> None:
    """A secret that is not defined arrives as empty text, and means the default."""
    assert read_settings({"BUDGET_GATE_LEDGER": " ", "GITHUB_API_URL": ""}).ledger.reveal() == DEFAULT_LEDGER
    assert read_settings({"GITHUB_API_URL": ""}).github_api_url == "https://api.github.com"


def test_in_actions_the_default_ledger_is_the_repositorys_branch() -> None:
    """A job with a token, and no ledger named, keeps the ledger on its repository; without a token, or elsewhere, in a file."""
    job = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "ghs_1", "GITHUB_REPOSITORY": "acme/shop"}
    assert read_settings(job).ledger.reveal() == "github://acme/shop"
    assert read_settings({**job, "BUDGET_GATE_LEDGER": ""}, ledger="").ledger.reveal() == "github://acme/shop"
    assert read_settings({**job, "BUDGET_GATE_LEDGER": "redis://host"}).ledger.reveal() == "redis://host"
    for missing in job:
        assert read_settings({**job, missing: ""}).ledger.reveal() == DEFAULT_LEDGER


def test_no_secret_is_in_repr_or_text() -> None:
    """Neither repr nor str of the settings shows a key, a token or a ledger's password."""
    environment = {
        "ANTHROPIC_API_KEY": "sk-1",
        "GITHUB_TOKEN": "ghs-2",
        "BUDGET_GATE_LEDGER": "redis://:pw3@host",
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/pw4",
        "SMTP_URL": "smtps://bot:pw5@mail.acme.test",
        "PAGERDUTY_ROUTING_KEY": "pw6",
        "SLACK_BOT_TOKEN": "xoxb-pw7",
    }
    shown = f"{read_settings(environment)!r} {read_settings(environment)}"
    assert not any(secret in shown for secret in ("sk-1", "ghs-2", "pw3", "pw4", "pw5", "pw6", "pw7"))


def test_a_channel_is_there_as_soon_as_one_is_configured() -> None:
    """Any one of the three channels suffices; a sender's address alone is none."""
    assert not read_settings({"SMTP_FROM": "budget-gate@acme.test"}).has_channel
    for name in ("SLACK_WEBHOOK_URL", "SMTP_URL", "PAGERDUTY_ROUTING_KEY"):
        assert read_settings({name: "x"}).has_channel
