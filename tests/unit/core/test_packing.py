"""Packing: nothing lost, no bound passed, the riskiest first, the same plan every time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.diff_pieces import Piece, halves, pieces_of, with_less_context
from budget_gate.core.diff_risk import Risk
from budget_gate.core.diff_values import DiffLine
from budget_gate.core.diffs import parse_diff
from budget_gate.core.packing import PACK_TOKENS_MOST, Plan, Price, Priced, Room, plan

CALL = Price(2_000, 40_000)


def price(piece: Piece) -> Price:
    """Price a piece by its characters, with a little for every piece and line."""
    tokens = 5 + sum(len(line.text) + 4 for line in piece.lines)
    return Price(tokens, tokens * 10)


def piece(index: int, kinds: str, width: int = 20, risk: Risk = Risk.SOURCE, first: int = 1) -> Piece:
    """Return a piece whose lines are context, added or removed, as the letters c, a, r say."""
    lines = []
    old = new = first
    for letter in kinds:
        text = f"{index}:{len(lines)}".ljust(width, ".")
        lines.append(
            {
                "c": DiffLine("context", old, new, text),
                "a": DiffLine("added", 0, new, text),
                "r": DiffLine("removed", old, 0, text),
            }[letter]
        )
        old, new = old + (letter != "a"), new + (letter != "r")
    return Piece((index, 0), f"file{index}.py", "modified", risk, "", tuple(lines))


def planned(pieces: list[Piece], room: Room, call: Price = CALL) -> Plan:
    """Plan pieces at the prices of this module."""
    return plan([Priced(each, price(each)) for each in pieces], call=call, room=room, price=price)


def lines_of(result: Plan) -> Counter[tuple[int, DiffLine]]:
    """Count every line of a plan, packed or left out, with the file it is of."""
    everything = [each.piece for pack in result.packs for each in pack.pieces] + [each.priced.piece for each in result.left_out]
    return Counter((each.order[0], line) for each in everything for line in each.lines)


PIECES = st.lists(
    st.tuples(st.text("car", min_size=1, max_size=60), st.integers(5, 400), st.sampled_from(list(Risk))), max_size=8
).map(lambda drawn: [piece(index, kinds, width, risk) for index, (kinds, width, risk) in enumerate(drawn)])
BOUND = st.none() | st.integers(0, 40_000)
ROOMS = st.builds(Room, BOUND, st.none() | st.integers(0, 500_000), st.none() | st.integers(0, 4), BOUND)


@given(PIECES, ROOMS)
def test_no_bound_is_ever_passed(pieces: list[Piece], room: Room) -> None:
    """The prices of all packs together, calls included, stay within every bound, and each price is the sum of its parts."""
    result = planned(pieces, room)
    tokens = sum(pack.price.tokens for pack in result.packs)
    assert tokens == sum(CALL.tokens + sum(price(each.piece).tokens for each in pack.pieces) for pack in result.packs)
    assert room.tokens is None or tokens <= room.tokens
    assert room.nano_usd is None or sum(pack.price.nano_usd for pack in result.packs) <= room.nano_usd
    assert room.steps is None or len(result.packs) <= room.steps
    assert all(pack.pieces for pack in result.packs)
    assert all(sum(each.price.tokens for each in pack.pieces) <= PACK_TOKENS_MOST for pack in result.packs)


@given(PIECES, ROOMS.map(lambda room: room._replace(soft_tokens=None)))
def test_no_line_is_lost_or_doubled(pieces: list[Piece], room: Room) -> None:
    """Every line is in exactly one pack, or left out, with its numbers."""
    assert lines_of(planned(pieces, room)) == Counter((each.order[0], line) for each in pieces for line in each.lines)


@given(PIECES, ROOMS)
def test_narrowing_drops_only_context(pieces: list[Piece], room: Room) -> None:
    """With a soft bound every changed line is still somewhere, once; only unchanged lines may go, and none is doubled."""
    before = Counter((each.order[0], line) for each in pieces for line in each.lines)
    after = lines_of(planned(pieces, room))
    assert after <= before
    assert all(line.kind == "context" for _, line in before - after)


@given(PIECES, ROOMS, st.randoms(use_true_random=False))
def test_the_plan_is_the_same_in_any_order_of_arrival(pieces: list[Piece], room: Room, random: object) -> None:
    """A plan depends on what is to be reviewed, not on the order it comes in."""
    shuffled = list(pieces)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis draws a random.Random
    assert planned(shuffled, room) == planned(pieces, room)


def test_a_bound_that_is_met_exactly_is_kept() -> None:
    """What fits to the token and the nano-dollar is sent; one less, and it is not."""
    only = piece(0, "a")
    whole = CALL.plus(price(only))
    assert planned([only], Room(whole.tokens, whole.nano_usd, 1)).left_out == ()
    for room, cause in (
        (Room(tokens=whole.tokens - 1), "line"),
        (Room(nano_usd=whole.nano_usd - 1), "usd"),
        (Room(tokens=CALL.tokens - 1), "tokens"),
        (Room(steps=0), "steps"),
    ):
        assert [each.cause for each in planned([only], room).left_out] == [cause]


def test_the_riskiest_come_first_then_small_files() -> None:
    """Security before source before tests before documents; within one risk the smaller file."""
    pieces = [
        *(piece(0, "a", risk=Risk.DOCUMENTS), piece(1, "a", risk=Risk.TESTS), piece(2, "aaaa"), piece(3, "a")),
        piece(4, "aaaaa", risk=Risk.SECURITY),
    ]
    (pack,) = planned(pieces, Room()).packs
    assert [each.piece.order[0] for each in pack.pieces] == [4, 3, 2, 1, 0]


def test_when_it_is_tight_the_risky_part_is_in() -> None:
    """What does not fit is the least risky, and says which bound kept it out."""
    pieces = [piece(0, "a" * 20, risk=Risk.DOCUMENTS), piece(1, "a" * 20, risk=Risk.SECURITY)]
    result = planned(pieces, Room(tokens=CALL.tokens + price(pieces[1]).tokens * 3 // 2))
    assert {each.piece.order[0] for pack in result.packs for each in pack.pieces} >= {1}
    assert {(each.priced.piece.order[0], each.cause) for each in result.left_out} == {(0, "tokens")}


def test_an_oversized_hunk_is_cut_and_keeps_its_numbers() -> None:
    """A hunk larger than a call is cut into parts that follow each other; the part that fits is sent."""
    huge = piece(0, "cara" * 200, width=100, first=500)
    result = planned([huge], Room(tokens=12_000))
    packed = [line for pack in result.packs for each in pack.pieces for line in each.piece.lines]
    assert packed == list(huge.lines[: len(packed)])
    assert 12_000 - sum(pack.price.tokens for pack in result.packs) < 3_000
    assert result.left_out


def test_one_line_longer_than_the_task_is_left_out_by_name() -> None:
    """A minified line cannot be cut: it is left out as such, and the rest is packed."""
    result = planned([piece(0, "a", width=30_000), piece(1, "a")], Room(tokens=12_000))
    assert [(each.cause, each.priced.piece.order[0]) for each in result.left_out] == [("line", 0)]
    assert len(result.packs) == 1
    unbounded = planned([piece(0, "a", width=PACK_TOKENS_MOST)], Room())
    assert [each.cause for each in unbounded.left_out] == ["line"]


def test_past_the_soft_bound_only_source_with_less_context() -> None:
    """Once the soft bound is reached, tests stay out and source goes without its distant context."""
    source = piece(0, "ccccccacccccc")
    result = planned([source, piece(1, "a", risk=Risk.TESTS)], Room(tokens=12_000, soft_tokens=0))
    (pack,) = result.packs
    assert [line.kind for each in pack.pieces for line in each.piece.lines] == ["context", "added", "context"]
    assert [(each.priced.piece.order[0], each.cause) for each in result.left_out] == [(1, "soft")]


def test_large_work_without_bounds_takes_several_calls() -> None:
    """Where no bound says less, calls stay within the usual size, and nothing is left out."""
    result = planned([piece(index, "a" * 100, width=200) for index in range(20)], Room())
    assert len(result.packs) > 1
    assert result.left_out == ()


def test_less_context_makes_pieces_without_gaps() -> None:
    """Each part holds neighbouring lines only, so that line ranges stay true."""
    parts = with_less_context(piece(0, "ccccacccccrccc"), 1)
    assert [[line.kind for line in part.lines] for part in parts] == [
        ["context", "added", "context"],
        ["context", "removed", "context"],
    ]
    assert len({part.order for part in parts}) == 2


@given(st.text("car", min_size=2, max_size=50))
def test_halves_make_the_whole(kinds: str) -> None:
    """Cutting moves no line, and neither half is empty."""
    whole = piece(0, kinds)
    first, second = halves(whole)
    assert first.lines + second.lines == whole.lines
    assert first.lines
    assert second.lines
    assert whole.order < first.order < second.order


def test_pieces_of_a_diff_are_its_hunks() -> None:
    """One piece per hunk, in the diff's order; files without lines have none."""
    hunks = "--- a/f\n+++ b/f\n@@ -1 +1 @@ one\n-a\n+b\n@@ -9 +9 @@ two\n-c\n+d\n"
    text = f"diff --git a/f b/f\n{hunks}diff --git a/g b/g\nold mode 1\nnew mode 2\n"
    found = [(each.order, each.heading, each.path) for each in pieces_of(parse_diff(text))]
    assert found == [((0, 0), "one", "f"), ((0, 1), "two", "f")]
