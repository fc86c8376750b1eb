"""Message batches at the wire: which requests are of a batch, and what the API's answer to a create means.

Creating is admitted like a message; looking, listing, cancelling and deleting cost nothing and pass; results are read along with.
Endpoints: https://platform.claude.com/docs/en/api/creating-message-batches.
"""

import re
from typing import Literal, NamedTuple

import httpx2

from budget_gate.core.batches import BATCH_ID, read_batch_id
from budget_gate.core.messages_api import read_json_object
from budget_gate.providers.anthropic_wire import Call, Dispatch
from budget_gate.providers.interface import BatchAttempt

Action = Literal["create", "list", "retrieve", "delete", "cancel", "results"]

_PATH = re.compile(rf"/v1/messages/batches(?:/(?P<batch>{BATCH_ID.pattern})(?P<part>/cancel|/results)?)?/?$")
_ACTIONS: dict[tuple[str, bool, str | None], Action] = {
    ("POST", False, None): "create",
    ("GET", False, None): "list",
    ("GET", True, None): "retrieve",
    ("DELETE", True, None): "delete",
    ("POST", True, "/cancel"): "cancel",
    ("GET", True, "/results"): "results",
}


class BatchRequest(NamedTuple):
    """What a request does, and to which batch (empty for ``create`` and ``list``)."""

    action: Action
    batch: str


def batch_request(request: httpx2.Request) -> BatchRequest | None:
    """Return what a request does to batches, None for one that does nothing known. What the base URL puts before does not count."""
    found = _PATH.search(request.url.path)
    if found is None:
        return None
    action = _ACTIONS.get((request.method, found["batch"] is not None, found["part"]))
    return None if action is None else BatchRequest(action, found["batch"] or "")


class BatchDispatch(Dispatch):
    """One admitted attempt to create a batch. Its reservation outlives it: what was bought is known when the results are."""

    def __init__(self, call: Call, attempt: BatchAttempt, request: httpx2.Request) -> None:
        super().__init__(call, attempt, request)
        self._attempt = attempt

    def bought(self, response: httpx2.Response, body: bytes) -> None:
        """Note the batch's id. Raises ``ProviderError`` for an answer without one."""
        del response
        self._attempt.accept(read_batch_id(read_json_object(body)))
