"""An upper bound on the input tokens of a Messages request, from its text alone: deterministic, linear, no tokenizer needed.

A tokenizer cuts text between some pairs of neighbouring bytes. ``core.token_factors`` says how often, per pair, at the most; the
bound is the sum over all pairs, less what well-known words save. Bytes would be a proof, four times too loose; this is measured
to err upwards instead. Should a prompt turn out larger all the same, the ledger records an overrun. Evidence, and where it ends:
docs/decisions/0006-metering-at-the-wire.md.
"""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from budget_gate.core import token_factors as factors
from budget_gate.core.audit import compact_json
from budget_gate.core.errors import UsageError
from budget_gate.core.messages_api import content_blocks, request_facts

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

PLAIN_SURPLUS_PERCENT = 140
"""How far above the public tokenizer's count the measured factors lie for ordinary text, before the factor of the family."""

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

START_HUNDREDTHS = 400
"""For the first byte, and for texts too short for an average to hold."""

WORDS_BYTES_MOST = 1024 * 1024
"""Words are looked for this far into a text: the time stays bounded, and what follows only counts more than it need."""

MONOTONY_FROM_BYTES = 512
MONOTONY_SHARE = 16
"""From this length on, a pair of different bytes that makes up more than a sixteenth of a text is a pattern, not a text."""

_CLASSES = {
    "space": b" ",
    "newline": b"\n",
    "tab": b"\t",
    "return": b"\r",
    "underscore": b"_",
    "dot": b".,",
    "slash": b"/",
    "bracket": b"()[]{}<>",
    "quote": b"'\"`",
    "rule": b"-=#*",
    "sign": b"!$%&+:;?@\\^|~",
    "digit": b"0123456789",
}
_LEADS_UP_TO = (
    *((0xC3, "latin"), (0xCD, "latin_far"), (0xCF, "greek"), (0xD1, "cyrillic"), (0xD6, "hebrew_far"), (0xDB, "semitic")),
    *((0xDF, ""), (0xE0, "indic"), (0xE1, "asian_far"), (0xE2, "symbol"), (0xE3, "kana"), (0xE9, "hanzi"), (0xED, "hangul")),
    *((0xEF, "private"), (0xF0, "astral")),
)
"""Scripts by the first byte of a character in UTF-8; the last byte that begins one of each."""

_FOREIGN, _LEAD = 0x80, 0xC2
"""The first byte outside ASCII, and the first that begins a character of UTF-8."""

_WORD_BYTES = bytes(byte if byte >= _FOREIGN or chr(byte).isalpha() else 0x20 for byte in range(256))
"""Makes spaces of all that is no letter. Bytes outside ASCII stay: a word that touches one is not the word we know."""

_LETTER_PAIRS = {
    ("lower", "lower"): "lower",
    ("upper", "upper"): "upper",
    ("upper", "lower"): "capital",
    ("lower", "upper"): "hump",
}
_HANZI = re.compile("[\u4e00-\u9fff]")
_FULL = 100


def input_tokens_bound(body: Mapping[str, Any]) -> int:
    """Return an upper bound on the input tokens that a Messages request is billed for, searches included.

    Raises ``UnsupportedUsage`` for content without a bound, ``UsageError`` for what is no request.
    """
    facts = request_facts(body)
    is_earlier = _is_earlier(facts.model)
    tokens = REQUEST_TOKENS + MESSAGE_TOKENS * len(body.get("messages") or ())
    texts: list[str] = [body["system"]] if isinstance(body.get("system"), str) else []
    texts += [message["content"] for message in _messages(body) if isinstance(message.get("content"), str)]
    for block in content_blocks(body):
        tokens += BLOCK_TOKENS
        if block.get("type") == "image":
            tokens += EARLIER_IMAGE_TOKENS if is_earlier else IMAGE_TOKENS
        else:
            texts.append(_block_text(block))
    for tool in body.get("tools") or ():
        tokens += _tool_tokens(str(tool.get("type") or "custom"))
        texts.append(_json_text(tool))
    for name in ("tool_choice", "output_config", "thinking"):
        if body.get(name) is not None:
            texts.append(_json_text(body[name]))
    if body.get("tools") or "format" in (body.get("output_config") or {}):
        tokens += TOOL_PROMPT_TOKENS
    percent = EARLIER_PERCENT if is_earlier else NEWER_PERCENT
    tokens = _scaled(tokens * _FULL, percent) + _scaled(_text_hundredths("\n".join(texts)), percent)
    searches = facts.web_searches
    return tokens * (searches + 1) + SEARCH_RESULT_TOKENS * (searches * (searches + 1) // 2)


def text_tokens_bound(text: str, model: str) -> int:
    """Return an upper bound on the tokens of a text by itself."""
    return _scaled(_text_hundredths(text), EARLIER_PERCENT if _is_earlier(model) else NEWER_PERCENT)


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


def _text_hundredths(text: str) -> int:
    """Return the bound of a text in hundredths of a token of the measured tokenizer."""
    data = text.encode("utf-8", "surrogatepass")
    if not data:
        return 0
    weights = _weights()
    # Two bytes read as one number: the histogram of all pairs, those at even and those at odd places, without a loop of ours.
    pairs = Counter(memoryview(data[: len(data) & ~1]).cast("H"))
    pairs.update(memoryview(data[1 : 1 + ((len(data) - 1) & ~1)]).cast("H"))
    total = START_HUNDREDTHS + sum(weights[pair] * times for pair, times in pairs.items())
    total += _monotony_hundredths(pairs, len(data))
    words = Counter(data[:WORDS_BYTES_MOST].translate(_WORD_BYTES).split())
    known = _known_words()
    total -= sum(known[word] * words[word] for word in words.keys() & known.keys())  # a hunk has far fewer words than we know
    return total if text.isascii() else total + _foreign_hundredths(text, len(data))


def _monotony_hundredths(pairs: Mapping[int, int], length_bytes: int) -> int:
    """Return what is added for pairs that make up an unnatural share of a text.

    The factors hold for mixtures; a pattern repeated without end (``_&_&_&``) can be made of the very pairs they think cheap. No pair
    of different bytes is as frequent in writing, code or data, so such pairs count in full.
    """
    if length_bytes < MONOTONY_FROM_BYTES:
        return 0
    weights, most = _weights(), length_bytes // MONOTONY_SHARE
    # In other scripts every character repeats its first byte; their pairs are no pattern.
    heavy = ((pair, times) for pair, times in pairs.items() if times > most and pair & 0xFF != pair >> 8 and not pair & 0x8080)
    return sum(max(_FULL - weights[pair], 0) * times for pair, times in heavy)


def _foreign_hundredths(text: str, length_bytes: int) -> int:
    """Return the correction for text outside ASCII: common Chinese characters count less, and what unfolds counts more.

    The measured tokenizer normalizes (NFKC), which makes a phrase of some single characters; every byte that adds counts in full. And
    every different mark (accents and the like that join a letter) counts extra: a script has a few dozen, which words make cheap; a
    table of characters, such as Jinja's pattern of names, has a thousand, and none of them is.
    """
    common = sum(times for character, times in Counter(_HANZI.findall(text)).items() if character in _common_hanzi())
    unfolded_bytes = 0
    if not unicodedata.is_normalized("NFKC", text):
        normalized = unicodedata.normalize("NFKC", text)
        unfolded_bytes = max(len(normalized.encode("utf-8", "surrogatepass")) - length_bytes, 0)
    marks = sum(unicodedata.category(character).startswith("M") for character in set(text))
    return _FULL * (unfolded_bytes + marks) - factors.COMMON_HANZI_SAVES * common


@lru_cache(maxsize=1)
def _common_hanzi() -> frozenset[str]:
    """Return the characters of the first level of GB 2312, whose rows 16 to 55 hold them in its encoding's order."""
    rows, places = range(0xB0, 0xD8), range(0xA1, 0xFF)
    return frozenset(bytes((row, place)).decode("gb2312", "ignore") for row in rows for place in places) - {""}


class _Weights(dict[int, int]):
    """The factor of each pair, by the number its two bytes read as on this machine; worked out when first met."""

    def __init__(self) -> None:
        super().__init__()
        self._classes = [_class_of(byte) for byte in range(256)]
        self._grades = _grades()

    def __missing__(self, number: int) -> int:
        first, second = number.to_bytes(2, sys.byteorder)
        self[number] = _weight(first, second, self._classes, self._grades)
        return self[number]


@lru_cache(maxsize=1)
def _weights() -> _Weights:
    return _Weights()


def _weight(first: int, second: int, classes: list[str], grades: Mapping[str, int]) -> int:
    before, after = classes[first], classes[second]
    kind = _LETTER_PAIRS.get((before, after))
    if kind is not None:
        return factors.LETTERS[kind][grades.get((chr(first) + chr(second)).lower(), 3)]
    if before == "symbol" and after == "inside" and second not in factors.COMMON_SYMBOL_SECONDS:
        return factors.RARE_SYMBOL_INSIDE
    if before == "rule" and first == second:
        return factors.REPEATED_RULE
    if after == "inside":
        return factors.LEADS.get(before, {}).get("inside", _FULL)
    is_foreign = first >= _FOREIGN
    if second >= _FOREIGN:
        return factors.LEADS.get(after, {}).get("foreign" if is_foreign else "ascii", _FULL)
    return factors.AFTER.get("foreign" if is_foreign else before, {}).get(after, _FULL)


def _class_of(byte: int) -> str:
    if byte >= _FOREIGN:
        if byte < _LEAD:
            return "inside"
        return next((name for last, name in _LEADS_UP_TO if byte <= last), "")
    character = chr(byte)
    if character.isalpha():
        return "lower" if character.islower() else "upper"
    return next((name for name, members in _CLASSES.items() if byte in members), "")


def _grades() -> dict[str, int]:
    """Return how familiar each pair of letters is, 0 the most."""
    return {
        first + second: grade
        for grade, firsts in enumerate(factors.FAMILIAR)
        for first, seconds in firsts.items()
        for second in seconds
    }


@lru_cache(maxsize=1)
def _known_words() -> dict[bytes, int]:
    """Return, for every word that is one token, what its inner pairs would have counted."""
    weights = _weights()
    forms = [*factors.WORDS, *(word.capitalize() for word in factors.WORDS), *factors.LOWER_WORDS]
    found = {}
    for word in map(str.encode, forms):
        pairs = (int.from_bytes(word[at : at + 2], sys.byteorder) for at in range(len(word) - 1))
        found[word] = sum(weights[pair] for pair in pairs)
    return found
