"""The composition root: settings in, wired objects out. The only module that names backends.

Everything is made when it is first asked for, so a command pays for what it uses and for nothing else.
"""

import os
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from budget_gate.config.policy_file import find_policy, load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.config.settings import Settings
from budget_gate.core.attribution import Attribution
from budget_gate.core.errors import UsageError
from budget_gate.core.policy import Bounds, Policy, Workflow
from budget_gate.core.prices import PriceBook
from budget_gate.core.tasks import Task
from budget_gate.ledger.interface import Ledger

if TYPE_CHECKING:
    from budget_gate.core.amounts import Amount
    from budget_gate.core.exemptions import Exemption
    from budget_gate.core.reservations import ReserveRequest
    from budget_gate.gate.batches import BatchBooks
    from budget_gate.gate.gate import Gate
    from budget_gate.github.actions_runtime import ActionsRuntime
    from budget_gate.github.client import GitHubClient
    from budget_gate.notify.interface import Notifier
    from budget_gate.notify.report_channel import ReportChannel
    from budget_gate.providers.billing import Bill
    from budget_gate.providers.interface import Provider
    from budget_gate.runs.deliver import Courier
    from budget_gate.runs.exempting import ExemptionReader
    from budget_gate.tickets.interface import TicketSource

LEDGER_FORMS = (
    "sqlite:///PATH, redis://HOST:PORT, rediss://HOST:PORT, redis+cluster://HOST:PORT, "
    "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE, github://OWNER/REPO or memory://"
)

GITHUB_LEDGER_PATIENCE_SECONDS = 60.0
"""All the waiting for GitHub that one process's ledger does."""


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
        return self.open_ledger(self.settings.ledger.reveal())

    def open_ledger(self, url: str) -> Ledger:
        """Open any ledger for the policy's organization; whoever asks closes it. Raises ``UsageError`` and ``LedgerUnavailable``."""
        if url.lower().startswith("github://"):
            return _open_github_ledger(url, self.settings)
        return open_ledger(url, self.policy.organization)

    @cached_property
    def task_ledger(self) -> Ledger:
        """The ledger as agents spend from it: one on a branch is distant, so a task takes a lease and settles it once."""
        if not self.settings.ledger.reveal().lower().startswith("github://"):
            return self.ledger
        import secrets

        from budget_gate.ledger.lease import LeasedLedger, task_bound

        workflows = self.policy.workflows

        def bound(request: "ReserveRequest") -> "Amount":
            workflow = workflows.get(request.labels.get("workflow", ""))
            return task_bound(workflow.task if workflow else Bounds())(request)

        journal = os.path.join(self.lease_folder, f"{secrets.token_hex(8)}.jsonl")  # noqa: PTH118 (pathlib takes 3 ms to import)
        return LeasedLedger(self.ledger, bound, journal=journal, on_problem=_say)

    @property
    def lease_folder(self) -> str:
        """Where the journals of this job's leases lie: gone with the runner, else beside the default ledger."""
        return os.path.join(self._environment.get("RUNNER_TEMP") or ".budget-gate", "budget-gate-leases")  # noqa: PTH118 (as above)

    def settle_left_open(self) -> int:
        """Settle what earlier processes of this job left open on the ledger; return how many leases there were."""
        from pathlib import Path

        from budget_gate.ledger.lease_closing import settle_left_open

        return sum(settle_left_open(each, self.ledger) for each in sorted(Path(self.lease_folder).glob("*.jsonl")))

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

    def jira(self) -> "TicketSource":
        """Return the Jira that the environment names. Raises ``UsageError`` where it names none."""
        from budget_gate.tickets.jira import Jira

        settings = self.settings
        return Jira(settings.jira_base_url, settings.jira_email, settings.jira_api_token.reveal())

    def report_webhook(self) -> "ReportChannel":
        """Return the webhook that monthly reports go to. Raises ``UsageError`` when none is set."""
        if not self.settings.slack_webhook_url:
            raise UsageError("--slack needs SLACK_WEBHOOK_URL; set it to the address of an incoming webhook")
        from budget_gate.notify.slack_report import SlackReportChannel

        return SlackReportChannel(self.settings.slack_webhook_url.reveal())

    def report_bot(self, channel: str) -> "ReportChannel":
        """Return a Slack channel that monthly reports go to, by a bot. Raises ``UsageError`` without a token."""
        settings = self.settings
        if not settings.slack_bot_token:
            raise UsageError(
                "--slack-channel needs SLACK_BOT_TOKEN; set it to the bot token of a Slack app with the scope chat:write"
            )
        from budget_gate.notify.slack_bot import SlackBotChannel

        return SlackBotChannel(settings.slack_bot_token.reveal(), channel, settings.slack_api_url)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("task_ledger", "ledger", "github"):
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
            self.task_ledger,
            provider,
            key_prefix=f"run/{secrets.token_hex(16)}",
            wait_seconds=wait_seconds,
            deadline_seconds=deadline_seconds,
            sleep=time.sleep,
            monotonic=time.monotonic,
            exemptions=self.exemptions,
        )

    def batch_books(self, wait_seconds: float) -> "BatchBooks":
        """Return what admits message batches and settles them, on the ledger itself: a lease would end with the job."""
        import secrets

        from budget_gate.gate.batches import BatchBooks
        from budget_gate.gate.events import ignore
        from budget_gate.gate.till import Till, utc_now

        policy = self.policy
        till = Till(
            self.ledger, policy.timezone, policy.on_outage, ignore, sleep=time.sleep, monotonic=time.monotonic, clock=utc_now
        )
        prefix = f"run/{secrets.token_hex(16)}"
        return BatchBooks(policy, self.prices, till, key_prefix=prefix, wait_seconds=wait_seconds, exemptions=self.exemptions)

    @cached_property
    def _exemption_reader(self) -> "ExemptionReader":
        from budget_gate.runs.exempting import ExemptionReader

        return ExemptionReader(lambda: self.ledger, time.monotonic)

    def exemptions(self) -> "tuple[Exemption, ...]":
        """Return the exemptions in force; reads nothing where the policy has no rule for them."""
        return () if self.policy.exemptions is None else self._exemption_reader()

    def courier(self) -> "Courier":
        """Return who delivers alerts in this process's name; the ledger and the channels are opened when it needs them."""
        import random
        import secrets

        from budget_gate.runs.deliver import Clock, Courier

        clock = Clock(time.monotonic, time.sleep, random.random)
        return Courier(
            self.policy, lambda: self.ledger, lambda: open_notifiers(self.settings), f"run/{secrets.token_hex(16)}", clock
        )


def open_notifiers(settings: Settings) -> "dict[str, Notifier]":
    """Return every channel that the settings give an address for, by its name in the policy.

    One with a wrong address is there too: whatever is sent to it fails, saying what to write instead, and waits.
    """
    from budget_gate.notify.interface import UnusableNotifier

    def slack() -> "Notifier":
        from budget_gate.notify.slack import SlackNotifier

        return SlackNotifier(settings.slack_webhook_url.reveal())

    def email() -> "Notifier":
        from budget_gate.notify.smtp import SmtpNotifier

        return SmtpNotifier(settings.smtp_url.reveal(), settings.smtp_from)

    def pagerduty() -> "Notifier":
        from budget_gate.notify.pagerduty import PagerDutyNotifier

        return PagerDutyNotifier(settings.pagerduty_routing_key.reveal(), settings.pagerduty_events_url)

    channels = (
        ("slack", settings.slack_webhook_url, slack),
        ("email", settings.smtp_url, email),
        ("pagerduty", settings.pagerduty_routing_key, pagerduty),
    )
    opened: dict[str, Notifier] = {}
    for name, address, make in channels:
        if address:
            try:
                opened[name] = make()
            except UsageError as error:
                opened[name] = UnusableNotifier(str(error))
    return opened


def open_ledger(url: str, organization: str) -> Ledger:
    """Open the ledger that ``url`` names; only its backend is imported.

    Raises ``UsageError`` for a URL of no known form, and ``LedgerUnavailable``.
    """
    scheme = url.partition(":")[0].lower() if ":" in url else ""
    if scheme == "sqlite" and url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        from budget_gate.ledger.sqlite import SqliteLedger

        return SqliteLedger(url.removeprefix("sqlite:///"))
    if scheme in {"redis", "rediss", "redis+cluster", "redis+sentinel"}:
        from budget_gate.ledger.redis import RedisLedger

        return RedisLedger(url, organization=organization, warn=_warn)
    if scheme == "memory":
        from budget_gate.ledger.memory import MemoryLedger

        return MemoryLedger()
    raise UsageError(f"a ledger URL of the kind {scheme or 'without a scheme'!r} is not known; write {LEDGER_FORMS}")


def _open_github_ledger(url: str, settings: Settings) -> Ledger:
    """Open the ledger on the branch ``budget-gate`` of a repository; nothing is asked of GitHub yet.

    Raises ``UsageError`` without a token, or for something that is no repository.
    """
    from budget_gate.github.client import Transport, usable_repository
    from budget_gate.github.git_data import GitData
    from budget_gate.ledger.github import GitHubLedger

    repository = usable_repository(url.partition("://")[2])
    if not settings.github_token:
        raise UsageError(f"the ledger github://{repository} needs GITHUB_TOKEN; set it, or name another ledger with --ledger")
    rest = Transport(settings.github_token.reveal(), settings.github_api_url, patience_seconds=GITHUB_LEDGER_PATIENCE_SECONDS)
    return GitHubLedger(GitData(rest, repository, rest.close, is_app=rest.is_installation))


def _say(text: str) -> None:
    sys.stderr.write(f"budget-gate: {text}\n")


def _warn(text: str) -> None:
    """Print a line that a backend wants an operator to see."""
    _say(f"warning: {text}")
