"""A long file cut down to what a ticket asks about: the functions it names whole, of the others their heads.

The lines keep their order, and each gap says how many lines it stands for. Functions are told as in diffs (``core.diff_functions``).
"""

from collections.abc import Collection, Iterator, Sequence

from budget_gate.agents.testgen_functions import source_lines
from budget_gate.core.diff_functions import defined_name, whole_functions

HEADER_LINES_MOST = 60
"""How much of what stands before the first definition is kept: imports, constants, a file's own words."""

_GAP_CHARACTERS = 20


def excerpt(text: str, words: Collection[str], characters_most: int) -> str:
    """Return a text of at most so many characters; whole where it fits.

    First come the head of the file and the definitions that ``words`` names, the shortest first (a class holds its methods), then the
    heads of the others, then the others in order while there is room.
    """
    if len(text) <= characters_most:
        return text
    rows = text.split("\n")
    lines = source_lines(text)
    names = {place: name for place in range(len(lines)) if (name := defined_name(lines, place))}
    if not names:
        return _cut(text, characters_most)
    kept = _Kept(rows, characters_most)
    kept.add(range(min(*names, HEADER_LINES_MOST)))
    functions = whole_functions(lines)
    named = [each for each in functions if next((names[place] for place in each if place in names), "") in words]
    heads = [range(place, place + 1) for place in names]
    for each in (*sorted(named, key=len), *heads, *sorted(functions, key=lambda one: one.start)):
        kept.add(each)
    return "\n".join(kept.shown()) if kept.has_any else _cut(text, characters_most)


class _Kept:
    """The lines of a file that are kept, within a number of characters."""

    def __init__(self, rows: Sequence[str], characters_most: int) -> None:
        self._rows, self._left = rows, characters_most - _GAP_CHARACTERS
        self._is_kept = [False] * len(rows)

    def add(self, places: range) -> None:
        """Keep some neighbouring lines, all of them or none. Each run of lines may leave a gap behind it, which is counted."""
        more = [place for place in places if not self._is_kept[place]]
        size = sum(len(self._rows[place]) + 1 for place in more) + (_GAP_CHARACTERS if more else 0)
        if size <= self._left:
            self._left -= size
            for place in more:
                self._is_kept[place] = True

    @property
    def has_any(self) -> bool:
        """Whether any line had room."""
        return any(self._is_kept)

    def shown(self) -> Iterator[str]:
        """Yield the kept lines, and a line for each gap between them."""
        start = 0
        for place, is_kept in enumerate([*self._is_kept, True]):
            if is_kept:
                if place > start:
                    yield f"… ({place - start} lines)"
                if place < len(self._rows):
                    yield self._rows[place]
                start = place + 1


def _cut(text: str, characters_most: int) -> str:
    words = "\n(the rest is not shown)"
    return text[: max(characters_most - len(words), 0)] + words
