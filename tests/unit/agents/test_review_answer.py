"""Answers from outside: what is usable is used, what is not is counted, nothing raises."""

from typing import Any

import pytest
from fakes.gate_service import reported
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.agents.review_answer import ShownLines, read_answer
from budget_gate.core.diff_pieces import halves, pieces_of
from budget_gate.core.diffs import parse_diff
from budget_gate.core.pull_requests import Finding

DIFF = (
    "diff --git a/old.py b/src/app.py\nsimilarity index 80%\nrename from old.py\nrename to src/app.py\n"
    "@@ -10,3 +10,4 @@\n context\n-gone\n+new\n+newer\n last\n@@ -50 +51 @@\n-x\n+y\n"
)
GOOD: dict[str, Any] = {
    "path": "src/app.py",
    "line": 11,
    "end_line": 12,
    "side": "RIGHT",
    "severity": "high",
    "category": "correctness",
    "text": "It breaks.",
}
LINES = ShownLines(pieces_of(parse_diff(DIFF)))


def test_a_good_finding_is_taken_as_it_is() -> None:
    """Every field of a well-formed finding arrives."""
    answer = read_answer(reported({**GOOD, "suggestion": "fixed"}, summary=" Fine. "), LINES)
    assert answer.findings == (Finding("src/app.py", 11, 12, "RIGHT", "high", "correctness", "It breaks.", "fixed"),)
    assert (answer.dropped, answer.summary, answer.failure, answer.is_usable) == (0, "Fine.", "", True)


@pytest.mark.parametrize(
    "change",
    [
        *(
            {"line": 14},
            {"line": 0},
            {"line": -1},
            {"line": "11"},
            {"line": True},
            {"line": None},
            {"line": 11.0},
            {"line": 10**30},
        ),
        *({"side": "BOTH"}, {"side": None}, {"side": ["RIGHT"]}, {"severity": "urgent"}, {"severity": 3}, {"category": ""}),
        *({"path": "other.py"}, {"path": "../../etc/passwd"}, {"path": 7}, {"text": ""}, {"text": "  "}, {"text": "x" * 2_001}),
        *({"suggestion": "x" * 4_001}, {"suggestion": ["x"]}, {"category": "c" * 61}, {"side": "LEFT", "line": 51}),
    ],
)
def test_a_malformed_or_misplaced_finding_is_dropped_and_counted(change: dict[str, Any]) -> None:
    """One bad field drops its finding and no other."""
    answer = read_answer(reported({**GOOD, **change}, GOOD), LINES)
    assert len(answer.findings) == 1
    assert answer.dropped == 1
    assert answer.failure == ""


@pytest.mark.parametrize("field", ["path", "line", "side", "severity", "category", "text"])
def test_a_missing_field_drops_the_finding(field: str) -> None:
    """What the form requires is required."""
    answer = read_answer(reported({name: value for name, value in GOOD.items() if name != field}), LINES)
    assert (answer.findings, answer.dropped) == ((), 1)


@pytest.mark.parametrize("path", ["a/src/app.py", "b/src/app.py", "./src/app.py", r"src\app.py", " src/app.py "])
def test_paths_are_normalised(path: str) -> None:
    """A path with a diff's prefix, a leading dot or backslashes means the same file."""
    (finding,) = read_answer(reported({**GOOD, "path": path}), LINES).findings
    assert finding.path == "src/app.py"


@pytest.mark.parametrize(("end_line", "expected"), [(None, 11), (5, 11), (13, 13), (99, 13), ("x", 11), (True, 11)])
def test_the_end_of_a_range_stays_in_its_run(end_line: object, expected: int) -> None:
    """A range may not leave the lines it starts in, since GitHub refuses such a comment."""
    (finding,) = read_answer(reported({**GOOD, "end_line": end_line}), LINES).findings
    assert (finding.line, finding.end_line) == (11, expected)


def test_true_is_no_line_number() -> None:
    """To Python ``True`` is the integer 1; in an answer it is a mistake."""
    pieces = pieces_of(parse_diff("diff --git a/f b/f\n@@ -0,0 +1,3 @@\n+a\n+b\n+c\n"))
    answer = read_answer(reported({**GOOD, "path": "f", "line": True}, {**GOOD, "path": "f", "line": 1}), ShownLines(pieces))
    assert (len(answer.findings), answer.dropped) == (1, 1)


def test_the_parts_of_a_cut_hunk_are_one_run_again() -> None:
    """A range may cross the place where a hunk was cut for its size, if both parts were shown."""
    first, *_ = pieces_of(parse_diff(DIFF))
    both = ShownLines(halves(first))
    (finding,) = read_answer(reported({**GOOD, "line": 10, "end_line": 13}), both).findings
    assert (finding.line, finding.end_line) == (10, 13)
    assert read_answer(reported({**GOOD, "line": 13}), ShownLines(halves(first)[:1])).dropped == 1


@pytest.mark.parametrize(
    ("message", "failure"),
    [
        ({}, "not of the agreed form"),
        ({"content": "text"}, "not of the agreed form"),
        ({"content": [None, 3, {"type": "text", "text": "LGTM"}], "stop_reason": "end_turn"}, "not of the agreed form"),
        ({"content": [{"type": "tool_use", "name": "report_findings", "input": "{}"}]}, "not of the agreed form"),
        ({"content": [{"type": "tool_use", "name": "report_findings", "input": {"findings": {}}}]}, "not of the agreed form"),
        ({"content": [{"type": "tool_use", "name": "other", "input": {"findings": []}}]}, "not of the agreed form"),
        ({"content": [], "stop_reason": "refusal"}, "declined"),
        ({"content": [], "stop_reason": "max_tokens"}, "cut off"),
    ],
)
def test_an_unusable_answer_says_why(message: dict[str, Any], failure: str) -> None:
    """Without a usable report there is a one-line reason, never an empty success."""
    answer = read_answer(message, LINES)
    assert failure in answer.failure
    assert not answer.is_usable


def test_an_answer_cut_off_late_is_used_and_noted() -> None:
    """Findings that arrived before the cut are kept, and the cut is not hidden."""
    answer = read_answer(reported(GOOD, stop_reason="max_tokens"), LINES)
    assert len(answer.findings) == 1
    assert answer.is_usable
    assert "cut off" in answer.failure


def test_a_flood_of_findings_is_bounded() -> None:
    """What comes behind the most that is read is counted as dropped."""
    answer = read_answer(reported(*[GOOD] * 1_000), LINES)
    assert (len(answer.findings), answer.dropped) == (200, 800)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(GOOD)), inner, max_size=7),
)


@given(st.lists(JSON, max_size=4))
def test_any_json_is_survived(items: list[Any]) -> None:
    """Whatever stands in the list of findings, each item is taken or counted."""
    answer = read_answer(reported(*items), LINES)
    assert len(answer.findings) + answer.dropped == len(items)
