"""The bound on input tokens: never below what was measured, not far above it, in linear time."""

import json
import re
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from fakes.hostile_texts import UNITS
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.core.errors import UnsupportedUsage, UsageError
from budget_gate.core.token_factors import SURPLUS_PERCENT
from budget_gate.core.tokens import IMAGE_TOKENS, START_TOKENS, TOOL_PROMPT_TOKENS, input_tokens_bound, text_tokens_bound, weigh

SAMPLES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "token_samples.json").read_text(encoding="utf-8"))
"""Texts of our own, and their tokens as counted by the tokenizer of Claude 2 from PyPI (docs/decisions/0006)."""

LOOSE = dict.fromkeys(("pattern_letters", "pattern_capitals"), 210)
"""Per cent of the headroomed count for what is made to deceive: it counts in full, however few tokens it happens to be."""

NEWER, EARLIER = "claude-opus-5", "claude-haiku-4-5"


def body(**fields: Any) -> dict[str, Any]:
    """Return a request with fields changed."""
    return {"model": NEWER, "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}], **fields}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_bound_is_above_the_count_with_headroom(name: str) -> None:
    """For newer models the bound leaves 30 % above the public tokenizer; for earlier ones it is above it."""
    sample = SAMPLES[name]
    assert text_tokens_bound(sample["text"], NEWER) * 100 >= sample["tokens"] * 130
    assert text_tokens_bound(sample["text"], EARLIER) >= sample["tokens"]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_bound_is_not_far_above(name: str) -> None:
    """The bound is at most 40 % above the count with headroom, where the table does not admit to more."""
    sample = SAMPLES[name]
    assert text_tokens_bound(sample["text"], NEWER) * 10_000 <= sample["tokens"] * 130 * LOOSE.get(name, 140)


@pytest.mark.parametrize("unit", UNITS)
def test_no_repetition_is_weighed_at_less_than_its_words_and_signs(unit: str) -> None:
    """Whatever is repeated, a bound is never below a token for every cut that no tokenizer of the family joins, nor above its bytes."""
    text = unicodedata.normalize("NFKC", unit * 500)
    most = max(len(text.encode()), len(unit.encode()) * 500)
    cuts = len(re.findall(r"[A-Za-z]+|[0-9]+|[^\sA-Za-z0-9]+", text))
    assert text_tokens_bound(unit * 500, EARLIER) >= cuts
    assert text_tokens_bound(unit * 500, NEWER) * 10_000 <= 130 * SURPLUS_PERCENT * most + 120_000


def test_a_pattern_of_one_unknown_word_weighs_its_letters() -> None:
    """An unknown word repeated without end, run together or apart, counts a token for each letter: averages do not hold for it."""
    for text in ("ckn" * 300, "uea " * 300, "gqk\n" * 300):
        assert text_tokens_bound(text, EARLIER) >= 900


def test_a_prompt_is_weighed_once_and_bounded_for_any_model() -> None:
    """The same weight gives every model the bound that it would get by itself, images and searches included."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A"}}
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    asked = body(system=SAMPLES["english"]["text"], messages=[{"role": "user", "content": [image]}], tools=[search])
    weight = weigh(asked)
    for model in (NEWER, EARLIER, "claude-sonnet-5"):
        assert weight.bound(model) == input_tokens_bound({**asked, "model": model})
    assert weight.bound(NEWER) > weight.bound(EARLIER)


def test_a_model_nobody_knows_counts_as_newer() -> None:
    """Doubt about the tokenizer is resolved upwards."""
    text = SAMPLES["diff"]["text"]
    assert text_tokens_bound(text, "some-model") == text_tokens_bound(text, NEWER) > text_tokens_bound(text, EARLIER)


@pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-opus-4-8", "claude-haiku-5-5", "claude-sonnet-5"])
def test_models_since_opus_4_7_are_newer(model: str) -> None:
    """The newer tokenizer's models get its headroom."""
    assert text_tokens_bound(SAMPLES["diff"]["text"], model) == text_tokens_bound(SAMPLES["diff"]["text"], NEWER)


def test_published_examples_are_bounded() -> None:
    """The two counts in Anthropic's documentation (14 and 403 tokens) lie below the bound."""
    weather = {
        "name": "get_weather",
        "description": "Get the current weather in a given location",
        "input_schema": {
            "type": "object",
            "properties": {"location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}},
            "required": ["location"],
        },
    }
    asked = [{"role": "user", "content": "What's the weather like in San Francisco?"}]
    greeted = [{"role": "user", "content": "Hello, Claude"}]
    assert input_tokens_bound(body(system="You are a scientist", messages=greeted)) >= 14
    assert input_tokens_bound(body(tools=[weather], messages=asked)) >= 403


def test_every_part_of_a_request_counts() -> None:
    """System, turns, tool definitions, tool calls, their results, documents and images each raise the bound."""
    least = input_tokens_bound(body())
    text = SAMPLES["english"]["text"]
    weight = text_tokens_bound(text, NEWER) - 10
    parts: list[dict[str, Any]] = [
        {"system": text},
        {"system": [{"type": "text", "text": text}]},
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": text}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": text}]}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {"a": [text]}}]}]},
        {"messages": [{"role": "user", "content": [_result_of([{"type": "text", "text": text}])]}]},
        {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": text}}]}]},
        {"tools": [{"name": "t", "description": text, "input_schema": {"type": "object"}}]},
        {"output_config": {"format": {"type": "json_schema", "schema": {"description": text}}}},
    ]
    for part in parts:
        assert input_tokens_bound(body(**part)) >= least + weight - 5, part
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 100_000}}
    assert input_tokens_bound(body(messages=[{"role": "user", "content": [image]}])) < least + 2 * IMAGE_TOKENS
    assert input_tokens_bound(body(tools=[{"name": "t", "input_schema": {}}])) > least + TOOL_PROMPT_TOKENS


def _result_of(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", "content": content}


def test_each_search_reads_the_prompt_again() -> None:
    """Every web search that a request allows adds its results and one more reading of everything."""
    search = {"type": "web_search_20250305", "name": "web_search"}
    none, two = (input_tokens_bound(body(tools=[{**search, "max_uses": uses}])) for uses in (0, 2))
    assert two >= 3 * none + 60_000


def test_what_cannot_be_bounded_is_refused() -> None:
    """Content without a bound and bodies that are no request raise, they never count as nothing."""
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
    with pytest.raises(UnsupportedUsage):
        input_tokens_bound(body(messages=[{"role": "user", "content": [pdf]}]))
    with pytest.raises(UsageError):
        input_tokens_bound(body(messages=["hello"]))
    nested: Any = "x"
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(UsageError):
        input_tokens_bound(body(tools=[{"name": "t", "input_schema": {"default": nested}}]))


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_has_a_bound_between_one_token_and_its_bytes(text: str) -> None:
    """The bound is deterministic, positive, and never above a newer model's one and a half tokens per unfolded byte and mark."""
    bound = text_tokens_bound(text, NEWER)
    assert bound == text_tokens_bound(text, NEWER)
    assert bound >= (1 if text else 0)
    bytes_most = max(len(text.encode()), len(unicodedata.normalize("NFKC", text).encode()))
    marks = sum(unicodedata.category(character).startswith("M") for character in text)
    assert bound <= (bytes_most + marks) * 3 / 2 + START_TOKENS * 2


@pytest.mark.parametrize("text", ["\ud800", "\x00", "ﷺ", "\N{ZERO WIDTH JOINER}", "e\u0301"])
def test_odd_characters_are_counted(text: str) -> None:
    """Lone surrogates, NUL, ligatures that unfold to phrases, and joiners have a bound like any text."""
    assert text_tokens_bound(text * 50, NEWER) >= 50


def test_a_ligature_that_unfolds_counts_as_what_it_becomes() -> None:
    """A character that normalization makes a phrase of counts as the phrase's bytes."""
    assert text_tokens_bound("ﷺ" * 100, EARLIER) >= 1_800


@pytest.mark.parametrize("unit", ["the budget holds. ", "xqz jkv ", "ﷺ", "预", "\x00", "aA", "𓀀"])
def test_time_is_linear(unit: str) -> None:
    """Four times the text takes about four times as long, whatever it is made of, and a megabyte is quick."""
    text_tokens_bound(unit * 100, NEWER)
    text = unit * (1_000_000 // len(unit.encode()))
    small, large = _best_seconds(text[: len(text) // 4]), _best_seconds(text)
    assert large < 12 * small + 0.02
    assert large < 1.5


def _best_seconds(text: str) -> float:
    taken = []
    for _ in range(3):
        started = time.process_time()
        text_tokens_bound(text, NEWER)
        taken.append(time.process_time() - started)
    return min(taken)


def test_a_diff_of_two_thousand_lines_is_weighed_in_a_few_milliseconds() -> None:
    """Two thousand lines take less than twenty-five milliseconds of the processor: it happens for every pack of a review."""
    text = "".join(f"+    total_{number} = compute(first={number}, second='x{number % 7}')\n" for number in range(2_000))
    text_tokens_bound(text, NEWER)
    assert _best_seconds(text) < 0.025
