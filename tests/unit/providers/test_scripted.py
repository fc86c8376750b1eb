"""The scripted provider: deterministic, plausible, and metered even when its script breaks."""

from typing import Any

import pytest
from fakes.recording_meter import RecordingMeter

from budget_gate.core.tokens import input_tokens_bound
from budget_gate.providers.interface import Answer
from budget_gate.providers.scripted import ScriptedProvider, least_value

BODY: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Hello there. " * 30}],
}


def send(provider: ScriptedProvider, body: dict[str, Any], meter: RecordingMeter | None = None) -> Answer:
    """Return the answer to a request."""
    answer = provider.send(body, meter or RecordingMeter(), deadline_seconds=5)
    assert isinstance(answer, Answer)
    return answer


def test_the_same_request_gets_the_same_answer() -> None:
    """Nothing in an answer depends on when or how often it was asked for; another request has another id."""
    assert send(ScriptedProvider(), BODY) == send(ScriptedProvider(), BODY)
    assert send(ScriptedProvider(), BODY).message["id"] != send(ScriptedProvider(), {**BODY, "max_tokens": 49}).message["id"]


def test_usage_follows_from_request_and_answer() -> None:
    """Input is below the bound and is what a count says; a longer answer used more."""
    short = ScriptedProvider(lambda _body: [{"type": "text", "text": "Fine."}])
    long = ScriptedProvider(lambda _body: [{"type": "text", "text": "Fine. " * 10}])
    first, second = send(short, BODY), send(long, BODY)
    assert 0 < first.usage.input_tokens < input_tokens_bound(BODY)
    assert first.usage.input_tokens == short.count_tokens(BODY)
    assert first.usage.output_tokens < second.usage.output_tokens


def test_an_answer_too_long_is_said_to_be_cut() -> None:
    """An answer longer than admitted reports ``max_tokens``, as the API does."""
    answer = send(ScriptedProvider(lambda _body: [{"type": "text", "text": "word " * 500}]), BODY)
    assert (answer.message["stop_reason"], answer.usage.output_tokens) == ("max_tokens", 50)


def test_the_script_sees_the_admitted_request() -> None:
    """A script is asked with what was admitted, not with what was wanted."""
    seen: list[Any] = []
    send(ScriptedProvider(lambda body: seen.append(body) or []), BODY, RecordingMeter(clamp=9))
    assert seen[0]["max_tokens"] == 9


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_script_that_breaks_leaves_a_hold(error: type[BaseException]) -> None:
    """An attempt whose script raised is held, and the exception goes on."""

    def broken(_body: Any) -> Any:
        raise error

    meter = RecordingMeter()
    with pytest.raises(error):
        ScriptedProvider(broken).send(BODY, meter, deadline_seconds=5)
    assert meter.ends == ["hold"]


def test_the_least_value_of_a_schema() -> None:
    """Required fields, constants, enums, lengths and counts are met; what is optional is left out."""
    schema = {
        "type": "object",
        "required": ["a", "b", "c", "d", "e", "f", "g"],
        "properties": {
            "a": {"type": "string", "minLength": 2},
            "b": {"enum": ["x", "y"]},
            "c": {"const": None},
            "d": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 3}},
            "e": {"type": "boolean"},
            "f": {"type": ["number", "null"]},
            "g": {"type": "null"},
            "h": {"type": "string"},
        },
    }
    assert least_value(schema) == {"a": "xx", "b": "x", "c": None, "d": [3], "e": False, "f": 0, "g": None}
