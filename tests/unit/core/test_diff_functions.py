"""Functions in a diff: known when they are shown whole, kept whole when there is room, and never cut where a neighbour could be."""

from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.diff_functions import definition_starts, whole_functions
from budget_gate.core.diff_pieces import Piece, halves, with_less_context
from budget_gate.core.diff_risk import Risk
from budget_gate.core.diff_values import DiffLine
from budget_gate.core.packing import Price, Priced, Room, plan

PYTHON = """\
 import os

 @cached
 def first(
     a,
 ):
-    return a
+    return a + 1

 class Second:
     x = 1

     def third(self):
+        return 3

 TAIL = 1"""

BRACES = """\
 export async function first(a) {
+  if (a) {
+    return 1;
   }
 }
 // between
 func (s *Server) second()
 {
-  return 2
 }
 pub fn third() {"""


def lines_of(text: str, *, ends_file: bool = False) -> tuple[DiffLine, ...]:
    """Return numbered lines from marks and texts."""
    found, old, new = [], 1, 1
    for row in text.split("\n"):
        mark, body = row[:1] or " ", row[1:]
        if mark == "+":
            found.append(DiffLine("added", 0, new, body))
        elif mark == "-":
            found.append(DiffLine("removed", old, 0, body))
        else:
            found.append(DiffLine("context", old, new, body))
        old, new = old + (mark != "+"), new + (mark != "-")
    found[-1] = found[-1]._replace(ends_file=ends_file)
    return tuple(found)


def shown(lines: tuple[DiffLine, ...], places: range) -> list[str]:
    """Return the first and last text of a range."""
    return [lines[places.start].text.strip(), lines[places.stop - 1].text.strip()]


def piece(lines: tuple[DiffLine, ...]) -> Piece:
    """Return a piece of a source file."""
    return Piece((0, 0), "f.py", "modified", Risk.SOURCE, "", lines)


def test_python_functions_are_known_by_what_follows_them() -> None:
    """A head over several lines, a decorator and removed lines belong to a function; what is not indented ends it."""
    lines = lines_of(PYTHON)
    assert [shown(lines, each) for each in whole_functions(lines)] == [
        ["@cached", "return a + 1"],
        ["def third(self):", "return 3"],
        ["class Second:", "return 3"],
    ]
    assert {lines[place].text.strip() for place in definition_starts(lines)} == {"@cached", "class Second:", "def third(self):"}


def test_functions_in_braces_end_with_their_bracket() -> None:
    """The closing bracket at the head's own indentation is the last line; a function without its end is not whole."""
    lines = lines_of(BRACES)
    assert [shown(lines, each) for each in whole_functions(lines)] == [
        ["export async function first(a) {", "}"],
        ["func (s *Server) second()", "}"],
    ]


def test_the_end_of_the_file_ends_a_function() -> None:
    """Without a line after it a function may go on below the hunk, unless the file ends there."""
    text = " def last():\n+    return 1"
    assert whole_functions(lines_of(text)) == ()
    assert whole_functions(lines_of(text, ends_file=True)) == (range(2),)


@given(st.lists(st.sampled_from([*PYTHON.split("\n"), *BRACES.split("\n"), "+", "-@x", "+)"]), min_size=1, max_size=60))
def test_any_lines_give_ranges_within_them(rows: list[str]) -> None:
    """Whatever the order of the lines, ranges are inside, not empty, and either apart or one inside the other."""
    lines = lines_of("\n".join(rows))
    found = whole_functions(lines)
    assert all(0 <= each.start < each.stop <= len(lines) for each in found)
    for one in found:
        for other in found:
            both = len(set(one) & set(other))
            assert both in {0, len(one), len(other)}


def test_a_cut_falls_between_functions() -> None:
    """A definition near the middle is where a long piece is cut, though a blank line is nearer."""
    rows = [
        " def one():",
        *(f"+    a{number} = 1" for number in range(8)),
        "+",
        "+    b = 2",
        "+def two():",
        *("+    c = 3",) * 9,
    ]
    first, second = halves(piece(lines_of("\n".join(rows))))
    assert second.lines[0].text == "def two():"
    assert first.lines[-1].text == "    b = 2"


def narrowed(lines: tuple[DiffLine, ...], tokens_left: int) -> list[str]:
    """Return which lines of a piece are sent past the soft bound, at a token per character, when so much of the task is left."""

    def price(each: Piece) -> Price:
        return Price(5 + sum(len(line.text) + 4 for line in each.lines), 0)

    before = piece(lines_of("\n".join(["+" + "x" * 16] * 50)))._replace(order=(1, 0), risk=Risk.SECURITY)
    pieces = [before._replace(lines=before.lines[:25]), before._replace(order=(1, 1), lines=before.lines[25:]), piece(lines)]
    taken = 100 + sum(price(each).tokens for each in pieces[:2])
    priced = [Priced(each, price(each)) for each in pieces]
    (pack,) = plan(priced, call=Price(100, 0), room=Room(tokens=taken + tokens_left, soft_tokens=0), price=price).packs
    return [line.text for each in pack.pieces if each.piece.order[0] == 0 for line in each.piece.lines]


def test_narrowing_keeps_a_changed_function_whole_where_it_fits() -> None:
    """Past the soft bound the changed function is shown from head to end if the hard bound has room, else one line around."""
    rows = [
        *(f" x{number} = 1" for number in range(20)),
        " def f():",
        *("     a = 1",) * 5,
        "+    b = 1",
        *("     c = 1",) * 5,
        " y = 1",
    ]
    lines = lines_of("\n".join(rows))
    assert narrowed(lines, 200) == [row[1:] for row in rows[20:32]]
    assert narrowed(lines, 100) == ["    a = 1", "    b = 1", "    c = 1"]


def test_a_function_too_long_to_keep_is_narrowed() -> None:
    """Only functions up to the given length stay whole."""
    rows = [" def f():", *("     a = 1",) * 60, "+    b = 1", " y = 1"]
    parts = with_less_context(piece(lines_of("\n".join(rows))), 1, function_lines=40)
    assert sum(len(part.lines) for part in parts) == 3
