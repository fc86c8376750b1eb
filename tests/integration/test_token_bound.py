"""The bound on tokens against the public tokenizer, on real text: never below it with the family's headroom, at most 40 % above that.

``python -m pytest -s`` prints the tables that docs/decisions/0017 quotes.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from fakes.diff_corpus import REPOSITORY, CorpusUnavailable, files_of_many_kinds, files_of_many_languages, package_diffs
from fakes.hostile_texts import hostile_texts
from fakes.public_tokenizer import public_counts

from budget_gate.agents.review_request import pieces_text
from budget_gate.core import token_characters, token_fragments, token_words
from budget_gate.core.diff_pieces import pieces_of
from budget_gate.core.diff_selection import select
from budget_gate.core.diffs import parse_diff
from budget_gate.core.token_pieces import FULL, text_hundredths
from budget_gate.core.tokens import EARLIER_PERCENT, NEWER_PERCENT, text_tokens_bound

pytestmark = pytest.mark.xdist_group("diff_corpus")

EARLIER, NEWER = "claude-haiku-4-5", "claude-opus-5"
CHARACTERS, CHARACTERS_LEAST = 4_000, 1_000
CHUNKS_MOST = 120
"""Of one kind, taken evenly over everything there is."""

ABOVE_MOST_PERCENT = 140
"""Of every single piece of text, not only of all of a kind together."""


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


def languages() -> list[tuple[str, str]]:
    """Return parts of what translators wrote, without the English it translates, with their languages."""
    by_language: dict[str, list[str]] = {}
    for name, content in sorted(files_of_many_languages().items()):
        found = re.search(r"/locale/(\w+)/LC_MESSAGES/\w+\.po$", name)
        if found and not found[1].startswith("en"):
            by_language.setdefault(found[1], []).append(translated(content.decode("utf-8")))
    whole = {language: "\n".join(texts) for language, texts in by_language.items()}
    parts = ((name, text[at : at + CHARACTERS]) for name, text in whole.items() for at in range(0, len(text), CHARACTERS))
    return [(name, part) for name, part in parts if len(part) >= CHARACTERS_LEAST]


def translated(catalogue: str) -> str:
    """Return the translations in a catalogue of gettext, one a line, but for its head."""
    entries = re.findall(r"^msgstr(?:\[\d\])? ((?:\"(?:[^\"\\\n]|\\.)*\"\n?)+)", catalogue, re.MULTILINE)
    lines = ("".join(re.findall(r"\"(.*)\"$", entry, re.MULTILINE)) for entry in entries[1:])
    return "\n".join(re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], line) for line in lines if line)


def counted(found: list[tuple[str, str]]) -> list[Sample]:
    """Return texts of a kind with their tokens."""
    tokens = counts_of([text for _, text in found])
    return [Sample(kind, text, count) for (kind, text), count in zip(found, tokens, strict=True)]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Real texts, counted."""
    try:
        return counted(chunks())
    except CorpusUnavailable as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture(scope="module")
def translations() -> list[Sample]:
    """Texts in many languages, by none of which a weight was chosen, counted."""
    try:
        return counted(languages())
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
    """No piece of any kind is bounded at more than 40 % above its count times the family's factor, but for what is made to deceive."""
    real = [each for each in samples if each.kind != HOSTILE]
    print_table(real, model, factor_percent)
    assert far_above(real, model, factor_percent) == []


@pytest.mark.parametrize(("model", "factor_percent"), [(EARLIER, EARLIER_PERCENT), (NEWER, NEWER_PERCENT)])
def test_every_language_is_bounded_as_closely(translations: list[Sample], model: str, factor_percent: int) -> None:
    """In a hundred languages no piece is below its count with the family's headroom, nor more than 40 % above its factor."""
    print_table(translations, model, factor_percent)
    headroom_percent = 100 if model == EARLIER else factor_percent
    short = [each for each in translations if text_tokens_bound(each.text, model) * 100 < each.tokens * headroom_percent]
    assert [(each.kind, each.text[:200]) for each in short] == []
    assert far_above(translations, model, factor_percent) == []
    assert len({each.kind for each in translations}) > 70


def far_above(samples: list[Sample], model: str, factor_percent: int) -> list[tuple[str, str]]:
    """Return the kinds and beginnings of the texts whose bound is further above than it may be."""
    above = (
        each
        for each in samples
        if text_tokens_bound(each.text, model) * 10_000 > each.tokens * factor_percent * ABOVE_MOST_PERCENT
    )
    return [(each.kind, each.text[:200]) for each in above]


def print_table(samples: list[Sample], model: str, factor_percent: int) -> None:
    """Print how far above its count each kind is: least, all together, most."""
    print(f"\n| {model} | pieces | bound / (count x factor) |")  # noqa: T201 - the table
    for kind in dict.fromkeys(each.kind for each in samples):
        pairs = [
            (text_tokens_bound(each.text, model) * 100, each.tokens * factor_percent) for each in samples if each.kind == kind
        ]
        single = [bound / count for bound, count in pairs]
        together = sum(bound for bound, _ in pairs) / sum(count for _, count in pairs)
        print(f"| {kind} | {len(pairs)} | {min(single):.2f} - {together:.2f} - {max(single):.2f} |")  # noqa: T201 - the table


def test_whatever_is_known_is_one_token() -> None:
    """Every word, part, run of signs and single character of the tables is one token, with or without a space as the table says."""
    words = [*token_words.WORDS, *(word.capitalize() for word in token_words.WORDS), *token_words.LOWER_WORDS]
    either = [*words, *token_words.OTHER_WORDS, *token_words.SIGNS, *token_fragments.EITHER, *token_fragments.EITHER_SIGNS]
    bare = [*token_fragments.INSIDE, *token_fragments.INSIDE_SIGNS, *token_characters.SINGLE_APART, *token_characters.SINGLE_FAR]
    spaced = [*token_fragments.SPACED, *token_fragments.SPACED_SIGNS, *either]
    known = [*either, *bare, *token_characters.SINGLE, *(f" {part}" for part in spaced)]
    assert [part for part, tokens in zip(known, counts_of(known), strict=True) if tokens != 1] == []
    assert len(known) > 10_000


def test_no_character_has_more_tokens_than_it_weighs() -> None:
    """Every character up to U+1FFFF that normalization leaves alone weighs what it has by itself, a space before it included."""
    every = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000 and chr(code) not in " \t\n\r\x0b\x0c"]
    stable = [each for each in every if unicodedata.is_normalized("NFKC", each) and unicodedata.category(each) != "Cn"]
    texts = [*stable, *(f" {each}" for each in stable)]
    weights = [text_hundredths(each) for each in texts]
    assert [each for each, weight, tokens in zip(texts, weights, counts_of(texts), strict=True) if weight < tokens * FULL] == []
    assert len(stable) > 60_000


def counts_of(texts: list[str]) -> list[int]:
    """Return the tokens of each text, or fail where the tokenizer cannot be had."""
    try:
        return public_counts(texts)
    except CorpusUnavailable as problem:
        pytest.fail(str(problem), pytrace=False)
