"""The public Python API: ``open_gate``, and the SDK's clients with a budget behind them.

Loaded when one of its names is first asked for (``budget_gate/__init__.py``); the SDK when the first client is.
"""

import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from budget_gate.bootstrap import Workspace
from budget_gate.config.settings import Secret, read_settings
from budget_gate.core.attribution import Attribution
from budget_gate.core.errors import BudgetRefused, UsageError
from budget_gate.core.policy import Policy
from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.core.tasks import Task
from budget_gate.gate.client_calls import CallReport, ClientMeter

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic

    from budget_gate.gate.batch_results import BatchReading
    from budget_gate.gate.batches import BatchBooks, BatchMeter
    from budget_gate.gate.gate import Gate as InnerGate
    from budget_gate.providers.anthropic_client import ClientCalls
    from budget_gate.providers.interface import Provider

WAIT_SECONDS = 60.0
"""How long a request waits, by default, for the reservations of others to settle."""

DEADLINE_SECONDS = 600.0
"""How long one attempt may take by default, waiting included: as long as the SDK's own timeout."""

_OURS = ("api_key", "base_url", "http_client", "auth_token", "credentials", "config", "profile")
"""Options of the SDK's clients that decide whom they talk to, and through what: the gate's affair."""


class _Reporter(Protocol):
    """Whatever meters a call can say what it came to."""

    def report(self) -> CallReport | None: ...


_LATEST: ContextVar[tuple["Gate", _Reporter] | None] = ContextVar("LATEST_METER", default=None)


class Gate:
    """One policy and ledger, and the account on which calls are made. Made by ``open_gate``; may be shared between threads."""

    def __init__(
        self, workspace: Workspace, attribution: dict[str, str], *, wait_seconds: float, deadline_seconds: float
    ) -> None:
        self._workspace = workspace
        self._task = workspace.task(workspace.attribution(attribution))
        self._wait_seconds = wait_seconds
        self._deadline_seconds = deadline_seconds
        self._lock = threading.Lock()
        self._parts: tuple[InnerGate, ClientCalls, Provider] | None = None
        self._clients: list[Anthropic] = []
        self._meter: _Reporter | None = None

    def anthropic(self, **options: Any) -> "Anthropic":
        """Return an ``anthropic.Anthropic`` whose every request passes the gate; ``options`` are those of its constructor.

        A request that a budget refuses raises ``BudgetRefused``, and nothing is sent. Raises ``UsageError`` without a key.
        """
        from budget_gate.providers.anthropic_client import make_client

        client = make_client(*self._door(options), **options)
        self._clients.append(client)
        return client

    def async_anthropic(self, **options: Any) -> "AsyncAnthropic":
        """Return an ``anthropic.AsyncAnthropic`` whose every request passes the gate. Close it in the event loop it was used in."""
        from budget_gate.providers.anthropic_client import make_async_client

        return make_async_client(*self._door(options), **options)

    def budgets(self, model: str = "") -> tuple[BudgetState, ...]:
        """Return how every limit stands that a call of this gate meets; ``model`` (an id or a tier) adds those on its tier."""
        from budget_gate.gate.primitives import tier_and_model

        policy = self._workspace.policy
        tier, _ = tier_and_model(policy, model or self._task.workflow.model)
        return self._opened()[0].budgets(self._task, tier)

    @property
    def last_call(self) -> CallReport | None:
        """What the latest call of this thread or task came to; where it made none, the latest call of all. None before any."""
        latest = _LATEST.get()
        meter = latest[1] if latest is not None and latest[0] is self else self._meter
        return None if meter is None else meter.report()

    def close(self) -> None:
        """Close the ledger and the blocking clients."""
        while self._clients:
            self._clients.pop().close()
        with self._lock:
            parts, self._parts = self._parts, None
        if parts is not None:
            parts[2].close()
        self._workspace.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _door(self, options: dict[str, Any]) -> "tuple[str, str | None, ClientCalls]":
        """Return key, address and calls for a new client; raises ``UsageError`` for options that would lead around the gate."""
        for name in _OURS:
            if name in options:
                raise UsageError(f"`{name}` is decided by the gate; give `api_key` and `base_url` to open_gate instead")
        settings = self._workspace.settings
        if not settings.anthropic_api_key:
            raise UsageError("no ANTHROPIC_API_KEY is set; set it, or give `api_key` to open_gate")
        calls = self._opened()[1]
        return settings.anthropic_api_key.reveal(), settings.anthropic_base_url or None, calls

    def _opened(self) -> "tuple[InnerGate, ClientCalls, Provider]":
        with self._lock:
            if self._parts is None:
                from budget_gate.providers.anthropic_client import ClientCalls

                provider = self._workspace.provider(dry_run=not self._workspace.settings.anthropic_api_key)
                gate = self._workspace.gate(provider, wait_seconds=self._wait_seconds, deadline_seconds=self._deadline_seconds)
                books = self._workspace.batch_books(self._wait_seconds)
                meters = _Meters(gate, books, self._workspace.policy, self._task, self._remember)
                self._parts = gate, ClientCalls(meters, self._refusal, self._deadline_seconds), provider
            return self._parts

    def _remember(self, meter: _Reporter) -> None:
        self._meter = meter
        _LATEST.set((self, meter))

    def _refusal(self, refused: Refused) -> BudgetRefused:
        from budget_gate.reports.tables import render_refusal

        return BudgetRefused(render_refusal(refused, zone=self._workspace.policy.timezone), refused)


class _Meters:
    """Implements ``providers.anthropic_client.Meters``; ``remember`` is told of each, for ``Gate.last_call``."""

    def __init__(
        self, gate: "InnerGate", books: "BatchBooks", policy: Policy, task: Task, remember: Callable[[_Reporter], None]
    ) -> None:
        self._gate = gate
        self._books = books
        self._policy = policy
        self._task = task
        self._remember = remember

    def message(self) -> ClientMeter:
        meter = ClientMeter(self._gate, self._policy, self._task)
        self._remember(meter)
        return meter

    def batch(self) -> "BatchMeter":
        meter = self._books.meter(self._task, self._gate.provider_name)
        self._remember(meter)
        return meter

    def results(self, batch: str) -> "BatchReading":
        reading = self._books.reading(batch)
        self._remember(reading)
        return reading


def open_gate(
    policy: "str | os.PathLike[str] | None" = None,
    ledger: str | None = None,
    *,
    workflow: str = "",
    api_key: str | None = None,
    base_url: str | None = None,
    wait_seconds: float = WAIT_SECONDS,
    deadline_seconds: float = DEADLINE_SECONDS,
    **attribution: str,
) -> Gate:
    """Open a gate on a policy file and a ledger URL, for calls of one workflow.

    Everything defaults as on the command line: from the environment, then the usual places. ``attribution`` is whom the calls are
    counted under: ``team``, ``project``, ``user``, ``session``, ``task``, ``feature``, ``pr``. Raises ``PolicyError`` for a wrong
    policy, ``UsageError`` for names it does not know; ``LedgerUnavailable`` comes from the first call.
    """
    settings = read_settings(os.environ, policy=None if policy is None else os.fspath(policy), ledger=ledger)
    if api_key is not None:
        settings = settings._replace(anthropic_api_key=Secret(api_key))
    if base_url is not None:
        settings = settings._replace(anthropic_base_url=base_url)
    unknown = sorted(set(attribution) - set(Attribution._fields))
    if unknown:
        raise UsageError(f"open_gate knows no {', '.join(unknown)}; name {', '.join(Attribution._fields[1:8])}")
    named = {"workflow": workflow, **attribution} if workflow else attribution
    return Gate(Workspace(settings, os.environ), named, wait_seconds=wait_seconds, deadline_seconds=deadline_seconds)
