"""The composition root: settings in, wired objects out. The only module that names backends.

Everything is made when it is first asked for, so a command pays for what it uses and for nothing else.
"""

import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from budget_gate.config.policy_file import find_policy, load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.config.settings import Settings
from budget_gate.core.attribution import Attribution
from budget_gate.core.errors import UsageError
from budget_gate.core.policy import Policy, Workflow
from budget_gate.core.prices import PriceBook
from budget_gate.core.tasks import Task
from budget_gate.ledger.interface import Ledger

if TYPE_CHECKING:
    from budget_gate.gate.gate import Gate
    from budget_gate.github.actions_runtime import ActionsRuntime
    from budget_gate.github.client import GitHubClient
    from budget_gate.providers.billing import Bill
    from budget_gate.providers.interface import Provider

LEDGER_FORMS = "sqlite:///PATH, redis://HOST:PORT, rediss://HOST:PORT or memory://"


class Workspace:
    """One process's policy, prices, ledger and services, each opened once."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self.settings = settings
        self._environment = environment

    @cached_property
    def policy_path(self) -> str:
        """The policy file: the one that was named, else the first of the default places that exists."""
        return self.settings.policy or str(find_policy("."))

    @cached_property
    def policy(self) -> Policy:
        """The policy, checked. Raises ``PolicyError``."""
        return load_policy(self.policy_path, prices=load_prices())

    @cached_property
    def prices(self) -> PriceBook:
        """Published prices, with the policy's negotiated ones before them."""
        return load_prices(self.policy.prices)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger. Raises ``LedgerUnavailable`` when it cannot be reached."""
        return open_ledger(self.settings.ledger.reveal(), self.policy.organization)

    @cached_property
    def runtime(self) -> "ActionsRuntime | None":
        """The Actions runner this runs on, or None elsewhere."""
        if self._environment.get("GITHUB_ACTIONS") != "true":
            return None
        from budget_gate.github.actions_runtime import read_runtime

        return read_runtime(self._environment)

    @cached_property
    def github(self) -> "GitHubClient | None":
        """The repository on GitHub, or None where no token and repository are at hand."""
        if not self.settings.in_github_actions:
            return None
        from budget_gate.github.client import GitHubClient

        settings = self.settings
        return GitHubClient(settings.github_token.reveal(), settings.github_api_url, settings.github_repository)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("ledger", "github"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()

    def attribution(self, flags: Mapping[str, str], *, agent: str = "") -> Attribution:
        """Return on whose account a call is: flags first, then the event of the Actions run.

        Without ``--workflow``, the policy's only workflow for ``agent`` (or its only workflow at all) is meant.
        """
        defaults = self.runtime.attribution_defaults() if self.runtime else {}
        known = {**defaults, **flags}
        known["workflow"] = self.workflow(flags.get("workflow", ""), agent).name
        try:
            return Attribution(**known).checked()
        except ValueError as error:
            raise UsageError(f"{error}; name teams, users and tasks in plain text") from None

    def workflow(self, name: str, agent: str = "") -> Workflow:
        """Return a workflow of the policy. Raises ``UsageError`` naming those that fit."""
        workflows = self.policy.workflows
        if name in workflows:
            return workflows[name]
        fitting = [each for each in workflows.values() if not agent or each.agent == agent]
        if not name and len(fitting) == 1:
            return fitting[0]
        names = ", ".join(sorted(each.name for each in fitting)) or "none"
        kind = f" with `agent: {agent}`" if agent else ""
        problem = f"the policy has no workflow {name!r}" if name else "which workflow is this for? Say --workflow NAME"
        raise UsageError(f"{problem}; the policy's workflows{kind}: {names}")

    def task(self, attribution: Attribution, on_exceed: str = "policy") -> Task:
        """Return a task under the attribution's workflow; ``comment`` or ``block`` overrules what the policy says of ``on_exceed``."""
        workflow = self.policy.workflows[attribution.workflow]
        match on_exceed:
            case "comment" | "block":
                workflow = workflow._replace(on_exceed=on_exceed)
        return Task(attribution, workflow)

    def provider(self, *, dry_run: bool = False) -> "Provider":
        """Return the model provider. A dry run never sends, so it gets by without a key.

        Raises ``UsageError`` when there is no key.
        """
        key = self.settings.anthropic_api_key
        if dry_run:
            from budget_gate.providers.scripted import ScriptedProvider

            return ScriptedProvider()
        if not key:
            raise UsageError("no ANTHROPIC_API_KEY is set; set it, or add --dry-run to estimate without calling a model")
        from budget_gate.providers.anthropic import AnthropicProvider

        provider = AnthropicProvider(key.reveal(), self.settings.anthropic_base_url or None)
        provider.warm_up()
        return provider

    def bill(self) -> "Bill":
        """Return the provider's own bill. Raises ``UsageError`` when there is no Admin key."""
        key = self.settings.anthropic_admin_key
        if not key:
            raise UsageError("no ANTHROPIC_ADMIN_KEY is set; make an Admin key (sk-ant-admin...) in the Console and set it")
        from budget_gate.providers.anthropic_admin import AnthropicBill

        return AnthropicBill(key.reveal(), self.settings.anthropic_base_url)

    def gate(self, provider: "Provider", *, wait_seconds: float = 60.0, deadline_seconds: float = 300.0) -> "Gate":
        """Return the gate in front of a provider. Its operation keys are new for every process and stable within it."""
        import secrets

        from budget_gate.gate.gate import Gate

        return Gate(
            self.policy,
            self.prices,
            self.ledger,
            provider,
            key_prefix=f"run/{secrets.token_hex(16)}",
            wait_seconds=wait_seconds,
            deadline_seconds=deadline_seconds,
            sleep=time.sleep,
            monotonic=time.monotonic,
        )


def open_ledger(url: str, organization: str) -> Ledger:
    """Open the ledger that ``url`` names; only its backend is imported.

    Raises ``UsageError`` for a URL of no known form, and ``LedgerUnavailable``.
    """
    scheme = url.partition(":")[0].lower() if ":" in url else ""
    if scheme == "sqlite" and url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        from budget_gate.ledger.sqlite import SqliteLedger

        return SqliteLedger(url.removeprefix("sqlite:///"))
    if scheme in {"redis", "rediss"}:
        from budget_gate.ledger.redis import RedisLedger

        return RedisLedger(url, organization=organization)
    if scheme == "memory":
        from budget_gate.ledger.memory import MemoryLedger

        return MemoryLedger()
    raise UsageError(f"a ledger URL of the kind {scheme or 'without a scheme'!r} is not known; write {LEDGER_FORMS}")
