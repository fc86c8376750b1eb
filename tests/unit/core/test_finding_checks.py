"""The last pass over findings: each held against its hunk, none said twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.diff_pieces import halves, pieces_of
from budget_gate.core.diffs import parse_diff
from budget_gate.core.finding_checks import ShownCode, checked
from budget_gate.core.pull_requests import SEVERITIES, Finding

DIFF = """diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -10,5 +20,7 @@ def pay():
 def pay(amount):
-    charge(amount)
+    if amount > 0:
+        charge_card(amount)
+    total += amount * rate
     log.info(amount)
     return total
 done = True
@@ -90,1 +95,2 @@
 x = 1
+charge_card(amount)
"""
PIECES = pieces_of(parse_diff(DIFF))
SHOWN = ShownCode(PIECES)


def finding(line: int = 22, **fields: object) -> Finding:
    """Return a finding on the changed file."""
    given_ = {
        "end_line": line,
        "side": "RIGHT",
        "severity": "medium",
        "category": "correctness",
        "text": "It breaks.",
        "suggestion": "",
    }
    return Finding("app.py", line, **(given_ | fields))  # type: ignore[arg-type]  # the fields of a test


def test_duplicates_merge_to_the_gravest() -> None:
    """The same place and category is one finding, and the most severe comes first."""
    low, high = finding(severity="low", category="Security"), finding(severity="critical", category="security")
    other = finding(category="testing")
    assert checked([low, other, high, low], SHOWN) == (high, other)


def test_the_same_words_on_the_same_lines_are_said_once() -> None:
    """Two calls that name a problem differently, on overlapping lines, leave one; elsewhere, or in other words, both stay."""
    one = finding(21, end_line=22, severity="high", text="The amount is charged twice when the request is repeated.")
    again = finding(22, category="idempotency", text="When the request is repeated, the amount is charged twice.")
    elsewhere = again._replace(line=24, end_line=24)
    another = again._replace(text="The card number ends up in the log file.")
    assert checked([again, one, elsewhere, another], SHOWN) == (one, another, elsewhere)


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        (20, "`charge_card(amount)` may fail.", 22),
        (24, "`charge_card(amount)` may fail.", 22),
        (22, "`charge_card(amount)` may fail; `log.info(amount)` does not.", 22),
        (20, "Call `amount` first.", 20),
        (20, "Use `decimal.Decimal` here.", 20),
        (96, "Unlike `charge(amount)`, this is wrong.", 96),
        (20, "`pay` is too short to look for.", 20),
    ],
)
def test_a_finding_stands_on_the_code_it_quotes(line: int, text: str, expected: int) -> None:
    """Quoted code in one place nearby moves the finding there; elsewhere, in several places or nowhere, it stays."""
    (kept,) = checked([finding(line, text=text, suggestion="x = 2")], SHOWN)
    assert (kept.line, kept.end_line) == (expected, expected)
    assert bool(kept.suggestion) == (expected == line)


def test_unchanged_lines_of_the_old_side_are_those_of_the_new() -> None:
    """A remark on context stands on the new side; one on a removed line stays on the old."""
    moved, kept = finding(12, side="LEFT"), finding(11, side="LEFT")
    assert {(each.side, each.line) for each in checked([moved, kept], SHOWN)} == {("RIGHT", 24), ("LEFT", 11)}


WINDOWS = ShownCode(
    pieces_of(parse_diff(DIFF.replace("rate\n", "rate\r\n").replace("charge_card(amount)\n", "charge_card(amount)\r\n", 1)))
)


@pytest.mark.parametrize(
    ("line", "suggestion", "expected"),
    [
        (23, "    total += 1", "    total += 1\r"),
        (23, "    total += 1\n", "    total += 1\r"),
        (23, "    total += 1\r\n    done()\r\n", "    total += 1\r\n    done()\r"),
        (23, "    total += amount * rate\r\n", ""),
        (24, "    log(1)\r\n    log(2)", "    log(1)\n    log(2)"),
        (23, "", ""),
    ],
)
def test_a_suggestion_has_the_line_ends_of_what_it_replaces(line: int, suggestion: str, expected: str) -> None:
    """Put in place of the lines, split at line feeds, it leaves CRLF where that was, and LF where not."""
    (kept,) = checked([finding(line, suggestion=suggestion)], WINDOWS)
    assert kept.suggestion == expected


@pytest.mark.parametrize(("suggestion", "is_kept"), [("    total += amount * rate\n", False), ("    total += amount", True)])
def test_a_suggestion_changes_something(suggestion: str, *, is_kept: bool) -> None:
    """A suggestion that is the code as it stands is left out, and the finding stays."""
    (kept,) = checked([finding(23, suggestion=suggestion)], SHOWN)
    assert bool(kept.suggestion) == is_kept


FINDINGS = st.lists(
    st.builds(
        lambda line, length, side, severity, category, text: Finding(
            "app.py", line, line + length, side, severity, category, text
        ),
        st.integers(1, 120),
        st.integers(0, 6),
        st.sampled_from(["LEFT", "RIGHT"]),
        st.sampled_from(SEVERITIES),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["`charge_card(amount)` breaks", "the total is wrong twice", "twice the total is wrong", "`x`"]),
    ),
    max_size=12,
)


@given(FINDINGS, st.randoms(use_true_random=False))
def test_checking_is_settled_and_keeps_the_gravest(findings: list[Finding], random: object) -> None:
    """Any order of arrival gives the same; what is left is at least as grave as all that was said; nothing is made up."""
    kept = checked(findings, SHOWN)
    shuffled = list(findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis draws a random.Random
    assert {each._replace(suggestion="") for each in checked(shuffled, SHOWN)} == set(kept)
    assert len(kept) <= len(findings)
    assert not findings or kept[0].severity == max((each.severity for each in findings), key=SEVERITIES.index)
    assert {each.text for each in kept} <= {each.text for each in findings}


def test_parts_of_a_hunk_are_one_hunk() -> None:
    """A finding may quote code that another part of its own hunk showed."""
    parts = ShownCode(part for piece in PIECES for part in (halves(piece) if len(piece.lines) > 2 else (piece,)))
    (kept,) = checked([finding(25, text="`charge_card(amount)` may fail.")], parts)
    assert kept.line == 22
