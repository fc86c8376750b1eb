"""Settings from the environment and the command line, as one typed value. Reads no file and knows no backend.

The names are the contract's (section 6). A flag wins over its variable, a variable over the default. Secrets are wrapped so that
neither ``repr`` nor an error can show them.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

DEFAULT_LEDGER = "sqlite:///.budget-gate/ledger.db"
"""Where no other is named; in GitHub Actions it is the branch ``budget-gate`` of the repository, which outlives the job."""


class Secret:
    """A text that does not show itself. ``reveal`` is called only where it is handed to the service it belongs to."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"


class Settings(NamedTuple):
    """What a run was told from outside. Empty text means not given.

    ``github_api_url`` and ``anthropic_base_url`` are addresses; ``policy`` a path; ``ledger`` a URL (which may carry a password,
    so print ``Ledger.url`` instead).
    """

    policy: str
    ledger: Secret
    anthropic_api_key: Secret
    anthropic_base_url: str
    github_token: Secret
    github_api_url: str
    github_repository: str
    slack_webhook_url: Secret = Secret("")
    slack_bot_token: Secret = Secret("")
    slack_channel: str = ""
    slack_api_url: str = ""
    smtp_url: Secret = Secret("")
    smtp_from: str = ""
    pagerduty_routing_key: Secret = Secret("")
    pagerduty_events_url: str = ""
    jira_base_url: str = ""
    jira_email: str = ""
    jira_api_token: Secret = Secret("")
    anthropic_admin_key: Secret = Secret("")

    @property
    def in_github_actions(self) -> bool:
        """True when there is a repository and a token to talk to GitHub with."""
        return bool(self.github_repository and self.github_token)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything that must never be shown, for a runner to mask."""
        return tuple(value for value in self if isinstance(value, Secret))

    @property
    def has_channel(self) -> bool:
        """True when there is anywhere to send an alert to."""
        return bool(self.slack_webhook_url or self.smtp_url or self.pagerduty_routing_key)


def read_settings(environment: Mapping[str, str], *, policy: str | None = None, ledger: str | None = None) -> Settings:
    """Return the settings; ``policy`` and ``ledger`` are the flags, None where they were not given."""

    def variable(name: str) -> str:
        return environment.get(name, "").strip()

    return Settings(
        policy=policy or variable("BUDGET_GATE_POLICY"),
        ledger=Secret(ledger or variable("BUDGET_GATE_LEDGER") or _default_ledger(variable)),
        anthropic_api_key=Secret(variable("ANTHROPIC_API_KEY")),
        anthropic_base_url=variable("ANTHROPIC_BASE_URL"),
        github_token=Secret(variable("GITHUB_TOKEN")),
        github_api_url=variable("GITHUB_API_URL") or "https://api.github.com",
        github_repository=variable("GITHUB_REPOSITORY"),
        slack_webhook_url=Secret(variable("SLACK_WEBHOOK_URL")),
        slack_bot_token=Secret(variable("SLACK_BOT_TOKEN")),
        slack_channel=variable("SLACK_CHANNEL"),
        slack_api_url=variable("SLACK_API_URL"),
        smtp_url=Secret(variable("SMTP_URL")),
        smtp_from=variable("SMTP_FROM"),
        pagerduty_routing_key=Secret(variable("PAGERDUTY_ROUTING_KEY")),
        pagerduty_events_url=variable("PAGERDUTY_EVENTS_URL"),
        jira_base_url=variable("JIRA_BASE_URL"),
        jira_email=variable("JIRA_EMAIL"),
        jira_api_token=Secret(variable("JIRA_API_TOKEN")),
        anthropic_admin_key=Secret(variable("ANTHROPIC_ADMIN_KEY")),
    )


def _default_ledger(variable: Callable[[str], str]) -> str:
    """Return the ledger of a run that names none: one that the next run finds again."""
    if variable("GITHUB_ACTIONS") == "true" and variable("GITHUB_TOKEN") and variable("GITHUB_REPOSITORY"):
        return f"github://{variable('GITHUB_REPOSITORY')}"
    return DEFAULT_LEDGER
