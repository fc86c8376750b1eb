"""What the real Messages API refuses, and in which words: the judge behind ``anthropic_server``.

After https://platform.claude.com/docs/en/api/errors and .../api/messages (API version 2026-10-21); nothing here was recorded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MODELS = (
    *("claude-haiku-4-5", "claude-haiku-4-5-20251001", "claude-sonnet-4-6", "claude-opus-4-6", "claude-opus-4-8"),
    *("claude-haiku-5-5", "claude-sonnet-5", "claude-sonnet-5-5", "claude-opus-5", "claude-opus-5-5"),
)
VERSIONS = ("2023-06-01", "2026-10-21")
BODY_BYTES_MOST = 32 * 1024 * 1024
MAX_TOKENS_MOST = 128_000

_FIELDS = {
    "model": str,
    "max_tokens": int,
    "messages": list,
    "system": (str, list),
    "tools": list,
    "tool_choice": dict,
    "stop_sequences": list,
    "stream": bool,
    "metadata": dict,
    "thinking": dict,
    "output_config": dict,
    "cache_control": dict,
    "service_tier": str,
    "speed": str,
    "inference_geo": str,
    "diagnostics": dict,
    "container": (str, dict),
}
_REMOVED_IN_2026 = ("temperature", "top_p", "top_k")
_COUNTED = {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed"}
_ROLES = ("user", "assistant", "system")


class Refusal(NamedTuple):
    """A refusal as the API words it."""

    status: int
    kind: str
    message: str


def refusal_of_headers(headers: Any, keys: tuple[str, ...]) -> Refusal | None:
    """Judge key and version. A key may come as ``x-api-key`` or as a bearer token."""
    bearer = headers.get("authorization") or ""
    key = headers.get("x-api-key") or (bearer[7:] if bearer.startswith("Bearer ") else None)
    if key is None:
        return Refusal(401, "authentication_error", "x-api-key header is required")
    if key not in keys:
        return Refusal(401, "authentication_error", "invalid x-api-key")
    version = headers.get("anthropic-version")
    if version is None:
        return Refusal(400, "invalid_request_error", "anthropic-version: header is required")
    if version not in VERSIONS:
        return Refusal(400, "invalid_request_error", f'anthropic-version: "{version}" is not a valid version')
    if "application/json" not in (headers.get("content-type") or ""):
        return Refusal(400, "invalid_request_error", "content-type: must be application/json")
    return None


def refusal_of_body(body: Any, version: str, *, counting: bool) -> Refusal | None:
    """Judge a request's body; None if it would be answered."""
    problem = _problem(body, version, counting=counting)
    if problem:
        return Refusal(400, "invalid_request_error", problem)
    if body["model"] not in MODELS:
        return Refusal(404, "not_found_error", f"model: {body['model']}")
    return None


def _problem(body: Any, version: str, *, counting: bool) -> str:  # one return per rule
    if not isinstance(body, dict):
        return "Input should be a valid dictionary"
    for name, value in body.items():
        if (name not in _FIELDS and not (name in _REMOVED_IN_2026 and version == "2023-06-01")) or (
            counting and name not in _COUNTED
        ):
            return f"{name}: Extra inputs are not permitted"
        wanted = _FIELDS.get(name, (int, float))
        if value is not None and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
            return f"{name}: Input should be a valid {wanted}"
    for name in ("model", "messages") if counting else ("model", "max_tokens", "messages"):
        if body.get(name) is None:
            return f"{name}: Field required"
    if not counting and not 1 <= body["max_tokens"] <= MAX_TOKENS_MOST:
        return f"max_tokens: {body['max_tokens']} is not between 1 and {MAX_TOKENS_MOST}"
    thinking = body.get("thinking") or {}
    if not counting and thinking.get("type") == "enabled" and thinking.get("budget_tokens", 0) >= body["max_tokens"]:
        return "`max_tokens` must be greater than `thinking.budget_tokens`"
    return _messages_problem(body["messages"]) or _tools_problem(body)


def _messages_problem(messages: list[Any]) -> str:  # one return per rule
    """Turns of one role may follow each other (the API joins them), but the first must be the user's and none may be empty."""
    if not messages:
        return "messages: at least one message is required"
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or set(message) - {"role", "content"}:
            return f"messages.{index}: Extra inputs are not permitted"
        if message.get("role") not in _ROLES:
            return f"messages.{index}.role: Input should be 'user' or 'assistant'"
        content = message.get("content")
        if not isinstance(content, str | list):
            return f"messages.{index}.content: Input should be a valid string or list"
        if not content and index < len(messages) - 1:
            return f"messages.{index}: all messages must have non-empty content"
        for place, block in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(block, dict) or not isinstance(block.get("type"), str):
                return f"messages.{index}.content.{place}.type: Field required"
            if block["type"] == "text" and (not isinstance(block.get("text"), str) or not block["text"].strip()):
                return f"messages.{index}.content.{place}: text content blocks must contain non-whitespace text"
    if messages[0]["role"] != "user":
        return 'messages: first message must use the "user" role'
    return ""


def _tools_problem(body: dict[str, Any]) -> str:  # one return per rule
    names = []
    for index, tool in enumerate(body.get("tools") or ()):
        if not isinstance(tool, dict):
            return f"tools.{index}: Input should be a valid dictionary"
        names.append(tool.get("name"))
        if tool.get("type") in {None, "custom"}:
            schema = tool.get("input_schema")
            if not isinstance(schema, dict):
                return f"tools.{index}.custom.input_schema: Field required"
            if schema.get("type") != "object":
                return f"tools.{index}.custom.input_schema.type: Input should be 'object'"
            name = tool.get("name")
            if not isinstance(name, str) or not 1 <= len(name) <= 128 or not name.replace("-", "_").isidentifier():
                return f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
    if len(names) != len(set(names)):
        return "tools: Tool names must be unique."
    choice = body.get("tool_choice")
    if choice is None:
        return ""
    if choice.get("type") not in {"auto", "any", "tool", "none"}:
        return f"tool_choice: Input tag '{choice.get('type')}' found using 'type' does not match any of the expected tags"
    if choice["type"] != "none" and not names:
        return "tool_choice may only be specified while providing tools"
    if choice["type"] == "tool" and choice.get("name") not in names:
        return f"tool_choice: Tool '{choice.get('name')}' not found in provided tools"
    return ""
