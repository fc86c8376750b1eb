"""Settings from the environment and the command line, as one typed value. Reads no file and knows no backend.

The names are the contract's (section 6). A flag wins over its variable, a variable over the default. Secrets are wrapped so that
neither ``repr`` nor an error can show them.
"""

from collections.abc import Mapping
from typing import NamedTuple

DEFAULT_LEDGER = "sqlite:///.budget-gate/ledger.db"


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
    anthropic_admin_key: Secret = Secret("")

    @property
    def in_github_actions(self) -> bool:
        """True when there is a repository and a token to talk to GitHub with."""
        return bool(self.github_repository and self.github_token)


def read_settings(environment: Mapping[str, str], *, policy: str | None = None, ledger: str | None = None) -> Settings:
    """Return the settings; ``policy`` and ``ledger`` are the flags, None where they were not given."""

    def variable(name: str) -> str:
        return environment.get(name, "").strip()

    return Settings(
        policy=policy or variable("BUDGET_GATE_POLICY"),
        ledger=Secret(ledger or variable("BUDGET_GATE_LEDGER") or DEFAULT_LEDGER),
        anthropic_api_key=Secret(variable("ANTHROPIC_API_KEY")),
        anthropic_base_url=variable("ANTHROPIC_BASE_URL"),
        github_token=Secret(variable("GITHUB_TOKEN")),
        github_api_url=variable("GITHUB_API_URL") or "https://api.github.com",
        github_repository=variable("GITHUB_REPOSITORY"),
        anthropic_admin_key=Secret(variable("ANTHROPIC_ADMIN_KEY")),
    )
