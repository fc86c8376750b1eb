"""Entries as text: exact, chained, and never misread."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import (
    GENESIS,
    chain_hash,
    compact_json,
    entry_text,
    from_microseconds,
    microseconds,
    parse_entry,
)

AT = datetime(2026, 5, 13, 12, 0, 0, 7, tzinfo=UTC)
counts = st.integers(-(2**53), 2**53)
amounts = st.builds(Amount, counts, counts, counts)


def test_the_text_of_an_entry_is_fixed() -> None:
    """The same fields give the same text for ever: hashes of old entries stay right."""
    text = entry_text(7, AT, "reserve", CounterValue(pending=Amount(512_000, 900, 1)), {"key": "é", "b": [1]})
    assert text == (
        '{"at":1778673600000007,"body":{"b":[1],"key":"é"},"delta":[[0,0,0],[512000,900,1],[0,0,0]],"kind":"reserve","seq":7}'
    )


@given(
    st.integers(1, 2**53),
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)),  # noqa: DTZ001 (made aware below)
    st.builds(CounterValue, amounts, amounts, amounts),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))),
)
def test_what_is_written_is_read_back(seq: int, at: datetime, delta: CounterValue, body: dict[str, str]) -> None:
    """Every number and every text comes back as it was, to the nano-dollar and the microsecond."""
    at = at.replace(tzinfo=UTC)
    assert parse_entry(entry_text(seq, at, "note", delta, body)) == (seq, at, "note", delta, body)
    assert entry_text(seq, at, "note", delta, compact_json(body)) == entry_text(seq, at, "note", delta, body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "7",
        "null",
        "[]",
        "[7]",
        "{}",
        '{"seq":1,"at":1,"kind":"post","delta":[[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":1,"at":1,"kind":"post","delta":[[0,0],[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":1,"at":1,"kind":"post","delta":[[1.0,0,0],[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":1,"at":1,"kind":"post","delta":[["1",0,0],[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":1,"at":1,"kind":"post","delta":[[true,0,0],[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":1,"at":1e99,"kind":"post","delta":[[0,0,0],[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":1,"at":99999999999999999999,"kind":"post","delta":[[0,0,0],[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":"1","at":1,"kind":"post","delta":[[0,0,0],[0,0,0],[0,0,0]],"body":{}}',
        '{"seq":1,"at":1,"kind":"post","delta":[[0,0,0],[0,0,0],[0,0,0]],"body":7}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:70],
)
def test_what_is_not_an_entry_is_a_value_error(text: str) -> None:
    """Text that a ledger did not write is refused in one way, whatever is wrong with it; money is never a float."""
    with pytest.raises(ValueError, match="not a ledger entry"):
        parse_entry(text)


def test_a_hash_covers_the_text_and_what_came_before() -> None:
    """Changing a letter, the previous hash or the algorithm changes the hash, and the hash names its algorithm."""
    one = chain_hash(GENESIS, "text")
    assert one.startswith("sha256:")
    assert len({one, chain_hash(GENESIS, "texT"), chain_hash(one, "text"), chain_hash(GENESIS, "text", "sha1")}) == 4
    assert chain_hash(GENESIS, "text") == one


def test_instants_are_whole_microseconds_of_utc() -> None:
    """An instant is the same number in whichever zone it is written, and exact to the microsecond."""
    india = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert microseconds(india) == microseconds(AT) == 1_778_673_600_000_007
    assert from_microseconds(microseconds(india)) == AT


def test_json_is_compact_sorted_and_plain() -> None:
    """Texts that are hashed have no spaces, sorted keys, and letters as they are."""
    assert compact_json({"b": (1, 2), "a": "é🧾"}) == '{"a":"é🧾","b":[1,2]}'
