"""The bound on tokens against the public tokenizer, on real text: never below it with the family's headroom, at most 40 % above that.

``python -m pytest -s`` prints the table that docs/decisions/0017 quotes.
"""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from fakes.diff_corpus import REPOSITORY, CorpusUnavailable, files_of_many_kinds, package_diffs
from fakes.hostile_texts import hostile_texts
from fakes.public_tokenizer import public_counts

from budget_gate.agents.review_request import pieces_text
from budget_gate.core.diff_pieces import pieces_of
from budget_gate.core.diff_selection import select
from budget_gate.core.diffs import parse_diff
from budget_gate.core.tokens import EARLIER_PERCENT, NEWER_PERCENT, text_tokens_bound

pytestmark = pytest.mark.xdist_group("diff_corpus")

EARLIER, NEWER = "claude-haiku-4-5", "claude-opus-5"
CHARACTERS, CHARACTERS_LEAST = 4_000, 1_000
CHUNKS_MOST = 120
"""Of one kind, taken evenly over everything there is."""

ABOVE_MOST_PERCENT = 140
LOOSE = {"translations": 150}
"""Per cent for the kind where 140 is not reached: texts in sixty languages, half of which are not written in Latin letters."""


class Sample(NamedTuple):
    """A text of a kind, and what the public tokenizer makes of it."""

    kind: str
    text: str
    tokens: int


ENDINGS = {
    "py": "Python",
    "pyi": "stubs",
    "js": "JavaScript",
    "css": "styles",
    "html": "HTML",
    "md": "documents",
    "lua": "Lua",
    "yml": "YAML",
    "yaml": "YAML",
    "json": "JSON",
    "po": "translations",
    "sty": "TeX",
}
HOSTILE = "hostile"


def kind_of(name: str) -> str:
    """Return what kind of file a name is; empty for one that is no text, or of no kind that we know."""
    if name.endswith(".min.js") or "/minified-js/" in name or ".iife." in name:
        return "minified JavaScript"
    return "translations" if "/LC_MESSAGES/" in name and name.endswith(".js") else ENDINGS.get(name.rpartition(".")[2], "")


def texts() -> Iterator[tuple[str, str]]:
    """Yield texts with their kinds: diffs as git writes and as the model reads them, the files of packages, our own files.

    The last ones are what bounds were found short by once: a table of accents and vowel signs, and texts made to deceive.
    """
    for diff in package_diffs():
        yield "diff, as git writes it", diff.data.decode("utf-8", "replace")
        yield "diff, as the model reads it", pieces_text(pieces_of(select(parse_diff(diff.data)).files))
    for name, content in sorted({item for diff in package_diffs() for item in diff.new.items()}):
        yield kind_of(name), content.decode("utf-8", "replace")
    for name, content in sorted(files_of_many_kinds().items()):
        yield kind_of(name), content.decode("utf-8", "replace")
    for folder in ("docs", "budget_gate", "workflows", "examples", "tests/golden", ".github"):
        for path in sorted((REPOSITORY / folder).rglob("*.*")):
            if path.is_file() and kind_of(path.name) not in {"", "Python"}:
                yield kind_of(path.name), path.read_text(encoding="utf-8")
    yield (
        "table of marks",
        "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code)).startswith("M")),
    )


def chunks() -> list[tuple[str, str]]:
    """Return parts of the texts, of a size that a hunk may have, so many of each kind."""
    by_kind: dict[str, list[str]] = {HOSTILE: list(hostile_texts())}
    for kind, text in texts():
        if not kind:
            continue
        parts = (text[at : at + CHARACTERS] for at in range(0, len(text), CHARACTERS))
        by_kind.setdefault(kind, []).extend(part for part in parts if len(part) >= CHARACTERS_LEAST)
    hostile = [(HOSTILE, text) for text in by_kind.pop(HOSTILE)]
    return hostile + [(kind, part) for kind, parts in by_kind.items() for part in parts[:: max(len(parts) // CHUNKS_MOST, 1)]]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Real texts, counted."""
    try:
        found = chunks()
        return [
            Sample(kind, text, tokens)
            for (kind, text), tokens in zip(found, public_counts([text for _, text in found]), strict=True)
        ]
    except CorpusUnavailable as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.mark.parametrize(("model", "headroom_percent"), [(EARLIER, 100), (NEWER, 130)])
def test_the_bound_is_never_below(samples: list[Sample], model: str, headroom_percent: int) -> None:
    """For earlier models no text, real or hostile, has more tokens than its bound; for newer ones not even with 30 % on top."""
    short = [each for each in samples if text_tokens_bound(each.text, model) * 100 < each.tokens * headroom_percent]
    assert [(each.kind, each.text[:200]) for each in short] == []
    assert len(samples) > 300


@pytest.mark.parametrize(("model", "factor_percent"), [(EARLIER, EARLIER_PERCENT), (NEWER, NEWER_PERCENT)])
def test_the_bound_is_not_far_above(samples: list[Sample], model: str, factor_percent: int) -> None:
    """Kind by kind the bound is at most 40 % above the count times the family's factor, where the table does not admit to more."""
    for kind in dict.fromkeys(each.kind for each in samples if each.kind != HOSTILE):
        of_kind = [each for each in samples if each.kind == kind]
        bound = sum(text_tokens_bound(each.text, model) for each in of_kind)
        headroomed = sum(each.tokens for each in of_kind) * factor_percent
        single = [text_tokens_bound(each.text, model) * 100 / (each.tokens * factor_percent) for each in of_kind]
        print(f"| {kind} | {len(of_kind)} | {min(single):.2f} - {bound * 100 / headroomed:.2f} - {max(single):.2f} |")  # noqa: T201 - the table
        assert bound * 10_000 <= headroomed * LOOSE.get(kind, ABOVE_MOST_PERCENT), kind
