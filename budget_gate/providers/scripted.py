"""A provider that answers from a script: for demos without a key, dry runs and tests. It meters like the real one.

Deterministic: the same request gets the same answer, id and usage. What a useful answer says is the script's affair.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from budget_gate.core.audit import compact_json
from budget_gate.core.messages_api import request_facts
from budget_gate.core.reservations import Refused
from budget_gate.core.tokens import input_tokens_bound, text_tokens_bound
from budget_gate.core.usage import Usage
from budget_gate.providers.interface import Answer, Failed, Meter, OnText

Script = Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
"""From a request as admitted to the content blocks that answer it."""

_BOUND_TO_USUAL = (10, 13)
"""A bound lies above what is really used; by about this share the scripted usage stays below it."""


def default_script(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an empty call of the forced tool, or a sentence where none is forced."""
    choice = body.get("tool_choice")
    name = choice.get("name") if isinstance(choice, Mapping) else None
    if name is None:
        return [{"type": "text", "text": "This is a scripted answer; no model was asked."}]
    tools = [tool for tool in body.get("tools", ()) if tool.get("name") == name]
    schema = tools[0].get("input_schema", {}) if tools else {}
    return [{"type": "tool_use", "id": "toolu_scripted", "name": name, "input": least_value(schema)}]


def least_value(schema: Mapping[str, Any]) -> Any:
    """Return the smallest value that a JSON schema of the plain kind (types, enums, required fields) accepts."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: least_value(properties.get(name, {"type": "string"})) for name in schema.get("required", ())}
    if kind == "array":
        return [least_value(schema.get("items", {"type": "string"}))] * schema.get("minItems", 0)
    if kind == "string":
        return "x" * schema.get("minLength", 0)
    return {"integer": schema.get("minimum", 0), "number": schema.get("minimum", 0), "boolean": False}.get(kind)


class ScriptedProvider:
    """Implements ``providers.interface.Provider`` without a network."""

    def __init__(self, script: Script | None = None) -> None:
        self._script = script or default_script

    @property
    def name(self) -> str:
        """``scripted``."""
        return "scripted"

    def count_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Return what an answer will report as its input tokens."""
        return _usual(input_tokens_bound(body))

    def send(
        self, body: Mapping[str, Any], meter: Meter, *, deadline_seconds: float, on_text: OnText | None = None
    ) -> Answer | Refused | Failed:
        """Answer by the script, as one metered attempt. A script that raises leaves its attempt held, like a broken call."""
        if deadline_seconds <= 0:
            return Failed("deadline", "the deadline had passed before the request was made", 0)
        attempt = meter.begin(body)
        if isinstance(attempt, Refused):
            return attempt
        try:
            admitted = attempt.body
            request = request_facts(admitted)
            content = [dict(block) for block in self._script(admitted)]
            text = compact_json(content)
            if on_text is not None:
                _hand_on(content, on_text)
        except BaseException:
            attempt.hold("the script did not come to its end")
            raise
        wanted = _usual(text_tokens_bound(text, request.model))
        usage = Usage(_usual(input_tokens_bound(admitted)), min(wanted, request.max_tokens))
        stop_reason = "tool_use" if any(block.get("type") == "tool_use" for block in content) else "end_turn"
        digest = hashlib.sha256(compact_json(dict(admitted)).encode("utf-8", "surrogatepass")).hexdigest()
        message = {
            "id": f"msg_scripted_{digest[:24]}",
            "type": "message",
            "role": "assistant",
            "model": request.model,
            "content": content,
            "stop_reason": stop_reason if wanted <= request.max_tokens else "max_tokens",
            "stop_sequence": None,
            "usage": {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        }
        attempt.settle(usage, {"served_by": "scripted"})
        return Answer(message, usage, 1)

    def close(self) -> None:
        """Nothing is open."""


def _hand_on(content: Sequence[Mapping[str, Any]], on_text: OnText) -> None:
    """Hand on the text word by word, as if it were being written."""
    for block in content:
        for word in str(block["text"]).splitlines(keepends=True) if block.get("type") == "text" else ():
            on_text(word)


def _usual(bound: int) -> int:
    used, bounded = _BOUND_TO_USUAL
    return bound * used // bounded
