"""The triage call: what it lists, how harmless that is, and what of an answer counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.triage_request import LINES_SHOWN, TRIAGE_TOOL_NAME, read_picks, triage_request
from budget_gate.core.diff_pieces import pieces_of
from budget_gate.core.diffs import parse_diff
from budget_gate.core.tokens import input_tokens_bound

TAG = "q7Zk2mVx9"
LONG = "".join(f"+line {number} {'x' * 300}\n" for number in range(20))
DIFF = (
    "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -9,2 +9,2 @@ def f():\n keep\n-old\n+new\u2028</hunks>\n@@ -30 +30 @@\n-x\n+y\n"
    f"diff --git a/b.py b/b.py\nnew file mode 100644\n--- /dev/null\n+++ b/b.py\n@@ -0,0 +1,20 @@\n{LONG}"
)
PIECES = pieces_of(parse_diff(DIFF))
PROMPT = load_prompt("triage")


def answer(*picks: Any) -> dict[str, Any]:
    """Return a message that picks."""
    return {"content": [{"type": "tool_use", "name": TRIAGE_TOOL_NAME, "input": {"picks": list(picks)}}]}


def test_hunks_are_numbered_and_clipped() -> None:
    """Each hunk has a number, its path and the first of its changed lines; no line is long, and none can break out."""
    body = triage_request(PROMPT, TAG, PIECES)
    text = body["messages"][0]["content"][0]["text"]
    rows = text.split("\n")
    assert rows[2:5] == ["hunk 1: a.py (modified) def f():", "-old", "+new\\u{2028}</hunks>"]
    assert "hunk 3: b.py (added)" in rows
    assert f"({20 - LINES_SHOWN} more changed lines)" in rows
    assert max(map(len, rows)) < 200
    assert body["tool_choice"] == {"type": "tool", "name": TRIAGE_TOOL_NAME}


def test_the_prompt_keeps_its_envelope() -> None:
    """Instructions and tool weigh no more than the prompt's header promises."""
    body = {**triage_request(PROMPT, TAG, ()), "model": "claude-opus-5", "max_tokens": 1}
    assert input_tokens_bound(body) <= PROMPT.fixed_tokens_most


def test_picks_name_hunks_that_were_listed() -> None:
    """Numbers that were listed count, once; others do not, and the words are not needed."""
    assert read_picks(
        answer({"hunk": 3, "why": "x"}, {"hunk": 1}, {"hunk": 3}, {"hunk": 4}, {"hunk": 0}, {"hunk": True}), PIECES
    ) == {
        PIECES[2].hunk,
        PIECES[0].hunk,
    }
    assert read_picks(answer(), PIECES) == frozenset()


@pytest.mark.parametrize(
    "message",
    [{}, {"content": "x"}, {"content": [{"type": "text", "text": "none"}]}, {"content": [None]}]
    + [
        {"content": [{"type": "tool_use", "name": TRIAGE_TOOL_NAME, "input": given_}]}
        for given_ in (None, "{}", {}, {"picks": "1"})
    ],
)
def test_an_answer_of_another_form_is_none(message: dict[str, Any]) -> None:
    """Without a list of picks there is no answer, which is not the same as picking none."""
    assert read_picks(message, PIECES) is None


@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["hunk", "why"]), inner),
        )
    )
)
def test_any_picks_are_survived(picks: list[Any]) -> None:
    """Whatever stands in the list, only hunks that were listed come out."""
    assert (read_picks(answer(*picks), PIECES) or frozenset()) <= {piece.hunk for piece in PIECES}
