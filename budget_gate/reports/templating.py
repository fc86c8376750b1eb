"""The template engine, and fitting a text into what GitHub accepts. Templates escape whatever has not been cleaned.

jinja2 is imported here and only when something is rendered: commands that render nothing do not pay for it.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from os.path import dirname, join
from typing import TYPE_CHECKING, Any, NamedTuple

from budget_gate.reports.clean_text import clean_cell, clean_for_terminal, clean_text, code_block, code_cell

if TYPE_CHECKING:
    from jinja2 import Environment


_EMPTY_LINES = re.compile(r"\n{3,}")


class Room(NamedTuple):
    """How much a text may hold: rows of each list, and characters of each text before escaping."""

    rows: int
    characters: int


ROOMS: tuple[Room, ...] = (Room(100, 600), Room(50, 400), Room(25, 300), Room(12, 200), Room(6, 120), Room(3, 80), Room(1, 40))
"""From roomy to cramped. In the last one every text is a line and every list a row: that fits whatever the input."""


def fitted(render: Callable[[Room], str], bytes_max: int, rooms: Sequence[Room] = ROOMS) -> str:
    """Return the roomiest rendering that is at most ``bytes_max`` long in UTF-8, so that nothing is ever cut inside its markup.

    Raises ``ValueError`` when not even the last room is small enough.
    """
    for room in rooms:
        text = render(room)
        if len(text.encode()) <= bytes_max:
            return text
    raise ValueError(f"no rendering fits into {bytes_max} bytes")


def render_template(name: str, room: Room, **values: Any) -> str:
    """Return a template filled with ``values``; its filters ``cell``, ``text`` and ``code`` clean what they are given.

    ``mermaid`` fences a chart of ``charts``; HTML has ``line``, which leaves escaping to the engine.

    Runs of empty lines become one, so templates can be laid out to be read (blocks of code, which may mean them, come after).
    """
    filled = _environment().get_template(name).render(room=room, **values)
    return _EMPTY_LINES.sub("\n\n", filled).strip() + "\n"


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def cleaned(clean: Callable[[str, int], str]) -> Callable[[str, int], Markup]:
        def filtered(text: str, limit: int) -> Markup:
            return Markup(clean(text, limit))  # noqa: S704 - this is the cleaning; the templates escape everything else

        return filtered

    environment = Environment(
        loader=FileSystemLoader(join(dirname(__file__), "templates")),  # noqa: PTH118,PTH120 - as in config.price_file
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(cell=cleaned(clean_cell), text=cleaned(clean_text), code=cleaned(code_cell))
    environment.filters["mermaid"] = cleaned(lambda text, limit: code_block(text, "mermaid", limit))
    environment.filters["line"] = clean_for_terminal  # for HTML: one visible line, which autoescape then escapes
    return environment
