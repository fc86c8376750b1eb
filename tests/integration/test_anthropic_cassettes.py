"""Replays recorded exchanges through the provider: what is on the wire stays what we read, without any server.

Each cassette's first line says what it was recorded from, and how to record it again.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import vcr
from fakes.recording_meter import RecordingMeter

from budget_gate.providers.anthropic import AnthropicProvider
from budget_gate.providers.interface import Answer

FOLDER = Path(__file__).parent.parent / "cassettes" / "anthropic"
BODY: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 64,
    "system": "Answer in one short sentence.",
    "messages": [{"role": "user", "content": "What does a budget gate do?"}],
}
Replay = Callable[[str], Any]


@pytest.fixture
def provider() -> Iterator[AnthropicProvider]:
    """A provider that would reach the real API, were it not for the cassette."""
    made = AnthropicProvider("sk-ant-not-a-key", "https://api.anthropic.com")
    yield made
    made.close()


@pytest.fixture
def replay() -> Replay:
    """Open a cassette for replaying only: a request that it does not hold fails."""
    player = vcr.VCR(record_mode="none", match_on=("method", "path", "body"))
    return lambda name: player.use_cassette(str(FOLDER / f"{name}.yaml"))


@pytest.mark.parametrize(("name", "fields"), [("plain", {}), ("streamed", {"stream": True})])
def test_a_recorded_answer_settles(provider: AnthropicProvider, replay: Replay, name: str, fields: dict[str, Any]) -> None:
    """A recorded exchange is matched byte for byte by our request, and its usage settles the attempt."""
    meter = RecordingMeter()
    with replay(name) as tape:
        answer = provider.send({**BODY, **fields}, meter, deadline_seconds=240)
    assert isinstance(answer, Answer)
    assert tape.all_played
    assert meter.ends == ["settle"]
    assert answer.usage.input_tokens > 0
    assert 0 < answer.usage.output_tokens <= 64
    assert answer.message["content"][0]["text"]


def test_a_recorded_count(provider: AnthropicProvider, replay: Replay) -> None:
    """A recorded count is read."""
    with replay("count_tokens") as tape:
        counted = provider.count_tokens(BODY)
    assert tape.all_played
    assert counted is not None
    assert counted > 0


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_cassette_says_where_it_is_from_and_holds_no_key(path: Path) -> None:
    """Every cassette states its origin and how to renew it, and no credential is in it."""
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# Recorded from ")
    assert "python scripts/record_anthropic_cassettes.py" in first
    assert not any(secret in text.lower() for secret in ("sk-ant", "authorization", "x-api-key", "cookie"))
