"""What message batches are made of: requests, results in any pieces, and a digest that knows a whole file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.batches import REQUESTS_MOST, BatchResult, IdSum, ResultLines, batch_items, read_batch_id
from budget_gate.core.errors import ProviderError, UnsupportedUsage, UsageError

USAGE = {"input_tokens": 3, "output_tokens": 5}
RESULTS = [
    ({"type": "succeeded", "message": {"usage": USAGE}}, USAGE),
    ({"type": "errored", "error": {"type": "error"}}, None),
    ({"type": "canceled"}, None),
    ({"type": "expired"}, None),
    ({"type": "succeeded", "message": {}}, {}),
    ({"type": "dreamt", "message": {"usage": USAGE}}, {}),
]


def line(name: str, result: Any) -> bytes:
    """Return one line of a results file."""
    return json.dumps({"custom_id": name, "result": result}).encode() + b"\n"


def read(*chunks: bytes) -> tuple[list[BatchResult], str]:
    """Return the results in some bytes, and the fault."""
    lines = ResultLines()
    found = [result for chunk in chunks for result in lines.feed(chunk)]
    return [*found, *lines.close()], lines.fault


def test_only_what_succeeded_has_a_usage() -> None:
    """Errored, cancelled and expired requests are free; a kind or a message that says nothing of its usage is not taken for free."""
    found, fault = read(b"".join(line(str(at), result) for at, (result, _) in enumerate(RESULTS)))
    assert [each.usage for each in found] == [usage for _, usage in RESULTS]
    assert fault == ""


@given(st.lists(st.integers(1, 40), max_size=30), st.booleans(), st.sampled_from([b"", b"\r", b" "]))
def test_results_are_the_same_in_any_pieces(sizes: list[int], ends: bool, filler: bytes) -> None:  # noqa: FBT001 (drawn)
    """Wherever the bytes are cut, and with or without a last line feed, the same results come out."""
    text = b"".join(line(str(at), result).replace(b"\n", filler + b"\n") for at, (result, _) in enumerate(RESULTS))
    text = text if ends else text.rstrip()
    chunks, at = [], 0
    for size in sizes:
        chunks.append(text[at : at + size])
        at += size
    assert read(*chunks, text[at:]) == read(text)
    assert len(read(text)[0]) == len(RESULTS)


@pytest.mark.parametrize("broken", [b'{"custom_id": "b", "res\n', b"[]\n", b'{"custom_id": 7, "result": {}}\n', b"\xff\xfe\n"])
def test_a_line_that_cannot_be_read_ends_the_reading(broken: bytes) -> None:
    """What comes after a broken line is not read either, and the fault says what was wrong."""
    found, fault = read(line("a", RESULTS[0][0]) + broken + line("c", RESULTS[0][0]))
    assert [each.custom_id for each in found] == ["a"]
    assert fault


def test_a_line_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than any message is a fault, and is not kept in memory."""
    monkeypatch.setattr("budget_gate.core.batches.STREAM_BYTES_MOST", 100)
    lines = ResultLines()
    for _ in range(5):
        assert list(lines.feed(b"x" * 40)) == []
    assert "longer than any message" in lines.fault


@given(st.lists(st.text(max_size=5), max_size=8, unique=True), st.randoms())
def test_a_sum_of_names_knows_no_order_and_every_name(names: list[str], random: Any) -> None:
    """Shuffled names come to the same; one more, one less, or one twice does not."""
    shuffled = random.sample(names, len(names))
    assert sum_of(shuffled) == sum_of(names)
    others = ([*names, "!new"], [*names, *names[:1]] if names else ["x"], names[1:] if names else ["x"])
    assert all(sum_of(other) != sum_of(names) for other in others)


def sum_of(names: list[str]) -> str:
    """Return the digest of names."""
    ids = IdSum()
    for name in names:
        ids.add(name)
    return ids.text


def test_a_create_is_read_strictly() -> None:
    """Requests keep their order and their content; what is no batch, or may cost something unknown, is refused by its place."""
    request = {"custom_id": "a", "params": {"model": "m", "speed": "standard"}}
    assert [item.custom_id for item in batch_items({"requests": [request, {**request, "custom_id": "b"}]})] == ["a", "b"]
    for body in (
        {},
        {"requests": []},
        {"requests": [{}]},
        {"requests": [{**request, "custom_id": ""}]},
        {"requests": [request] * 2},
    ):
        with pytest.raises(UsageError):
            batch_items(body)
    with pytest.raises(UsageError, match="1 to 100000"):
        batch_items({"requests": [request] * (REQUESTS_MOST + 1)})
    for body in ({"requests": [request], "priority": "high"}, {"requests": [{**request, "priority": 1}]}):
        with pytest.raises(UnsupportedUsage, match="priority"):
            batch_items(body)


@pytest.mark.parametrize(
    "answer",
    [{}, {"id": "m1"}, {"type": "message_batch"}, {"type": "message_batch", "id": "a/b"}, {"type": "message_batch", "id": 7}],
)
def test_an_answer_without_a_usable_id_is_no_batch(answer: dict[str, Any]) -> None:
    """The id becomes part of a path and of a ledger key: anything but a plain name is refused."""
    with pytest.raises(ProviderError):
        read_batch_id(answer)
    assert read_batch_id({"type": "message_batch", "id": "msgbatch_01"}) == "msgbatch_01"
