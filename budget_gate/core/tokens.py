"""An upper bound on the input tokens of a Messages request, from its text alone: deterministic and linear.

What a text weighs is ``core.token_pieces``; here is what the rest of a request adds, and by how much models differ from the one
whose tokenizer was measured. Should a prompt turn out larger all the same, the ledger records an overrun. Evidence, and where it
ends: docs/decisions/0006-metering-at-the-wire.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from budget_gate.core.audit import compact_json
from budget_gate.core.errors import UsageError
from budget_gate.core.messages_api import RequestFacts, content_blocks, request_facts
from budget_gate.core.token_pieces import text_hundredths

EARLIER_MODELS = (
    *("claude-2", "claude-3", "claude-instant", "claude-sonnet-4", "claude-haiku-4", "claude-opus-4-0", "claude-opus-4-1"),
    *("claude-opus-4-2", "claude-opus-4-5", "claude-opus-4-6"),
)
"""Prefixes of the models before the newer tokenizer, which came with Opus 4.7
(https://platform.claude.com/docs/en/build-with-claude/token-counting). A model that is not known counts as newer."""

EARLIER_PERCENT = 110
NEWER_PERCENT = 130
"""Of the measured factors. The newer tokenizer makes "approximately 30 percent more tokens" (same page); the earlier models' own
one was never published, hence a tenth on top."""

PLAIN_SURPLUS_PERCENT = 135
"""What the measured factors come to, in per cent of the public tokenizer's count and before the factor of the family, for ordinary text:
our prompts lie at 113 to 122, the loosest of a hundred pieces of English documents at 130 (docs/decisions/0017)."""

REQUEST_TOKENS = 24
MESSAGE_TOKENS = 8
BLOCK_TOKENS = 6
"""For what frames a request, a turn and a block: the page above counts 14 tokens for a six-word request with a system prompt."""

TOOL_PROMPT_TOKENS = 560
"""For the instructions that come with any tools (or an output format): 530 at most in the published table of the models
(https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview, "Pricing")."""

TOOL_TOKENS = 40
BUILT_IN_TOOL_TOKENS = 1_500
TOOLSET_TOKENS = 10_000
"""For the frame of one tool, and for definitions that Anthropic adds: 245 (bash) to 735 (computer) tokens on the page above.
Those of toolsets are not published."""

EARLIER_IMAGE_TOKENS = 1_640
IMAGE_TOKENS = 5_000
"""Larger images are scaled down: to some 1 600 tokens, on newer models 4 784
(https://platform.claude.com/docs/en/build-with-claude/vision, "Evaluate image size")."""

SEARCH_RESULT_TOKENS = 30_000
"""For what one web search brings into the prompt; nothing published bounds it. Each search also has the prompt read once more."""

START_TOKENS = 4
"""For texts too short for what their pieces weigh on average to hold."""

_FULL = 100


class PromptWeight(NamedTuple):
    """What a request's prompt consists of, before any model's own factor: weighed once, it is bounded for every model.

    ``frame_tokens`` is for what frames its parts, ``images`` how many there are, ``text_hundredths`` all its text in hundredths of a
    token of the measured tokenizer, ``web_searches`` the most it may make.
    """

    frame_tokens: int
    images: int
    text_hundredths: int
    web_searches: int

    def bound(self, model: str) -> int:
        """Return an upper bound on the input tokens that a model bills, searches included."""
        is_earlier = _is_earlier(model)
        percent = EARLIER_PERCENT if is_earlier else NEWER_PERCENT
        frame_tokens = self.frame_tokens + self.images * (EARLIER_IMAGE_TOKENS if is_earlier else IMAGE_TOKENS)
        tokens = _scaled(frame_tokens * _FULL, percent) + _scaled(self.text_hundredths, percent)
        return tokens * (self.web_searches + 1) + SEARCH_RESULT_TOKENS * (self.web_searches * (self.web_searches + 1) // 2)


def weigh(body: Mapping[str, Any], facts: RequestFacts | None = None) -> PromptWeight:
    """Return what the prompt of a complete Messages request consists of; ``facts`` are the request's, where they are known.

    Raises ``UnsupportedUsage`` for content without a bound, ``UsageError`` for what is no request.
    """
    facts = facts or request_facts(body)
    frame_tokens, images = REQUEST_TOKENS + MESSAGE_TOKENS * len(body.get("messages") or ()), 0
    texts: list[str] = [body["system"]] if isinstance(body.get("system"), str) else []
    texts += [message["content"] for message in _messages(body) if isinstance(message.get("content"), str)]
    for block in content_blocks(body):
        frame_tokens += BLOCK_TOKENS
        if block.get("type") == "image":
            images += 1
        else:
            texts.append(_block_text(block))
    for tool in body.get("tools") or ():
        frame_tokens += _tool_tokens(str(tool.get("type") or "custom"))
        texts.append(_json_text(tool))
    for name in ("tool_choice", "output_config", "thinking"):
        if body.get(name) is not None:
            texts.append(_json_text(body[name]))
    if body.get("tools") or "format" in (body.get("output_config") or {}):
        frame_tokens += TOOL_PROMPT_TOKENS
    return PromptWeight(frame_tokens, images, _hundredths("\n".join(texts)), facts.web_searches)


def input_tokens_bound(body: Mapping[str, Any]) -> int:
    """Return an upper bound on the input tokens that a Messages request is billed for. Raises what ``weigh`` raises."""
    return weigh(body).bound(body["model"])


def text_tokens_bound(text: str, model: str) -> int:
    """Return an upper bound on the tokens of a text by itself."""
    return _scaled(_hundredths(text), EARLIER_PERCENT if _is_earlier(model) else NEWER_PERCENT)


def bound_surplus_percent(model: str) -> int:
    """Return how far above a prompt's tokens its bound may lie, in per cent of them, for instructions in plain English."""
    return PLAIN_SURPLUS_PERCENT * (EARLIER_PERCENT if _is_earlier(model) else NEWER_PERCENT) // _FULL


def _is_earlier(model: str) -> bool:
    return model.startswith(EARLIER_MODELS)


def _scaled(hundredths: int, percent: int) -> int:
    """Return whole tokens, rounded up."""
    return -(-hundredths * percent // (_FULL * _FULL))


def _messages(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for message in body.get("messages") or ():
        if not isinstance(message, Mapping):
            raise UsageError("a message of the request is not an object")
        yield message


def _tool_tokens(kind: str) -> int:
    if kind == "custom":
        return TOOL_TOKENS
    return TOOLSET_TOKENS if "toolset" in kind else BUILT_IN_TOOL_TOKENS


def _block_text(block: Mapping[str, Any]) -> str:
    """Return what a block weighs as text. Nested blocks come by themselves and are left out here."""
    if block.get("type") == "text" and isinstance(block.get("text"), str):
        return str(block["text"])
    kept = {key: value for key, value in block.items() if key != "content" or isinstance(value, str | Mapping)}
    source = kept.get("source")
    if isinstance(source, Mapping) and isinstance(source.get("content"), list | tuple):
        kept["source"] = {key: value for key, value in source.items() if key != "content"}
    return _json_text(kept)


def _json_text(value: object) -> str:
    try:
        return compact_json(value)
    except (TypeError, ValueError, RecursionError):
        raise UsageError("the request is not JSON, or nested too deeply") from None


def _hundredths(text: str) -> int:
    return text_hundredths(text) + START_TOKENS * _FULL if text else 0
