"""An upper bound on the tokens of a text, piece by piece: deterministic, linear, no tokenizer needed.

Tokenizers of this family first cut text into pieces (a word, a number, a run of signs, each with the space before it; blanks) and no
token crosses a cut. So what each piece can be at most adds up. A known word or run of signs is one token; any other is taken apart
into known parts, the longest first, and single characters. Pieces repeat, so each different one is weighed once.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from budget_gate.core import token_characters as characters
from budget_gate.core import token_factors as factors
from budget_gate.core import token_fragments as fragments
from budget_gate.core import token_words as words

FULL = 100
"""Weights are hundredths of a token."""

PIECES_REMEMBERED = 16_384
PIECE_CHARACTERS_REMEMBERED = 40

_LATIN = "A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\u02af\u1e00-\u1eff"
_PIECE = re.compile(
    rf"""
    '(?:s|t|re|ve|m|ll|d)
    | [ ]?[{_LATIN}]+
    | [ ]?[0-9]+
    | [ ]?[!-/:-@\[-`{{-~\x00-\x08\x0e-\x1f\x7f]+
    | [ ]?(?:(?![{_LATIN}])[^\x00-\x7f])+
    | [ \t-\r]+(?![^ \t-\r])
    | [ \t-\r]+
    """,
    re.VERBOSE,
)
_BLANKS = " \t\n\r\x0b\x0c"
_HUMP = re.compile(r"[A-Z]+(?![^A-Z])|[A-Z]?[^A-Z]+")
_RULE = re.compile(rf"([{re.escape(factors.RULES)}])\1{{{factors.RULE_FREE},}}")
_BLANK_STRETCH = re.compile(r"(?:\r?\n)?(?:[ ]+|\t+)|(?:\r\n)+|\n+|\r+|[\x0b\x0c]+")


def text_hundredths(text: str) -> int:
    """Return the bound of a text in hundredths of a token of the measured tokenizer."""
    total = _sum(text)
    # The tokenizer normalizes first, which makes a phrase of some single characters; one that does not must be bounded too.
    if not text.isascii() and not unicodedata.is_normalized("NFKC", text):
        total = max(total, _sum(unicodedata.normalize("NFKC", text)))
    return total * factors.SURPLUS_PERCENT // FULL


def _sum(text: str) -> int:
    pieces = _PIECE.findall(text)
    many = max(len(pieces) // factors.REPEATED_SHARE, factors.REPEATED_LEAST)
    total = 0
    for piece, times in Counter(pieces).items():
        weight = _remembered(piece) if len(piece) <= PIECE_CHARACTERS_REMEMBERED else _weight(piece)
        total += times * weight
        if times > many and weight > FULL and not piece[-1].isdigit() and not piece.isspace():
            total += (times - many) * max(_bytes(piece.strip()) - weight, 0)
    return total


def _weight(piece: str) -> int:
    """Return what one piece weighs."""
    has_space = piece[0] == " " and len(piece) > 1 and piece[1] not in _BLANKS
    core = piece[1:] if has_space else piece
    first = core[0]
    if first in _BLANKS:
        return _blanks(core)
    if first.isascii() and first.isdigit():
        return FULL * -(-len(core) // factors.DIGITS_PER_TOKEN)
    if core in (_spaced() if has_space else _bare()):
        return FULL
    if first.isascii() and not first.isalpha():
        return _signs(core, has_space=has_space)
    return sum(_parts(hump, has_space=has_space and not at) for at, hump in enumerate(_HUMP.findall(core)))


_remembered = lru_cache(PIECES_REMEMBERED)(_weight)


def _parts(run: str, *, has_space: bool) -> int:
    """Return what a run of letters, signs or foreign characters weighs: its known parts, the longest first, and what is between them."""
    if len(run) > factors.LONG_RUN and (apart := _apart(run)):
        return apart
    known, weights = (_spaced(), _SPACED_WEIGHTS) if has_space else (_bare(), _WEIGHTS)
    if run in known:
        return FULL
    at, total, end = 0, 0, len(run)
    while at < end:
        for stop in range(min(at + factors.LONGEST_PART, end), at + 1, -1):
            if run[at:stop] in known:
                total += factors.PART[stop - at]
                at = stop
                break
        else:
            total += weights[run[at]]
            at += 1
        known, weights = _bare(), _WEIGHTS
    return total


def _apart(run: str) -> int:
    """Return what a long run weighs that repeats itself, which a text does not: nothing in it is taken as joined. 0 for any other."""
    weights, most = _WEIGHTS, len(run) // factors.PATTERN_SHARE
    triples = {run[at : at + 3] for at in range(len(run) - 2)}
    patterns = [(pair[1], times) for pair, times in Counter(map("".join, pairwise(run))).items() if times > most]
    if not patterns and len(triples) * factors.TRIPLES_LEAST_SHARE > len(run):
        return 0
    return sum(map(weights.__getitem__, run)) + sum((_bytes(second) - weights[second]) * times for second, times in patterns)


def _signs(signs: str, *, has_space: bool) -> int:
    """Return what a run of signs weighs; of stretches that draw a line, little."""
    total, at = 0, 0
    for found in _RULE.finditer(signs):
        if found.start() > at:
            total += _parts(signs[at : found.start()], has_space=has_space and not at)
        at = found.end()
        total += FULL * (factors.RULE_FREE + (at - found.start()) // factors.RULE_PER_TOKEN)
    return total + (_parts(signs[at:], has_space=has_space and not at) if at < len(signs) else 0)


def _blanks(blanks: str) -> int:
    """Return what blanks weigh, stretch by stretch; a line feed and the indentation behind it are one."""
    per_token = {
        " ": factors.SPACES_PER_TOKEN,
        "\t": factors.TABS_PER_TOKEN,
        "\n": factors.NEWLINES_PER_TOKEN,
        "\r": factors.RETURNS_PER_TOKEN,
    }
    stretches = (found[0] for found in _BLANK_STRETCH.finditer(blanks))
    return FULL * sum(-(-len(each) // per_token.get(each[-1], 1)) for each in stretches)


def _bytes(text: str) -> int:
    return FULL * len(text.encode("utf-8", "surrogatepass"))


class _CharacterWeights(dict[str, int]):
    """What each character weighs by itself, worked out when it is first met."""

    def __missing__(self, character: str) -> int:
        self[character] = _character(character)
        return self[character]


class _SpacedWeights(dict[str, int]):
    """The same with a space before it."""

    def __missing__(self, character: str) -> int:
        self[character] = _character(character) + _space(character)
        return self[character]


_WEIGHTS, _SPACED_WEIGHTS = _CharacterWeights(), _SpacedWeights()


def _character(character: str) -> int:
    singles = (characters.SINGLE, characters.SINGLE_APART, characters.SINGLE_FAR)
    if character.isascii() or any(character in each for each in singles):
        return FULL
    block = ord(character) >> characters.BLOCK_BITS
    tokens = next((tokens for tokens, blocks in _cheap_blocks() if block in blocks), 0)
    return FULL * tokens or _bytes(character)


def _space(character: str) -> int:
    """Return what the space before a character adds to its weight."""
    if character in characters.SINGLE_FAR:
        return FULL * 2
    if character.isprintable() and (character.isascii() or character in characters.SINGLE):
        return 0
    joins = character not in characters.SINGLE_APART and ord(character) >> characters.BLOCK_BITS in _joining_blocks()
    return 0 if joins else FULL


def _blocks(ranges: str) -> frozenset[int]:
    """Return the numbers in a table of blocks."""
    bounds = (each.partition("-") for each in ranges.split())
    return frozenset(at for first, _, last in bounds for at in range(int(first, 16), int(last or first, 16) + 1))


@lru_cache(maxsize=1)
def _cheap_blocks() -> tuple[tuple[int, frozenset[int]], ...]:
    return (2, _blocks(characters.TWO_TOKENS)), (3, _blocks(characters.THREE_TOKENS))


@lru_cache(maxsize=1)
def _joining_blocks() -> frozenset[int]:
    return _blocks(characters.SPACE_JOINS)


@lru_cache(maxsize=1)
def _either() -> frozenset[str]:
    """Return the known words and runs of signs that are one token whatever stands before them."""
    capitals = (word.capitalize() for word in words.WORDS)
    signs = (*words.SIGNS, *fragments.EITHER_SIGNS)
    return frozenset((*words.WORDS, *capitals, *words.LOWER_WORDS, *words.OTHER_WORDS, *fragments.EITHER, *signs))


@lru_cache(maxsize=1)
def _bare() -> frozenset[str]:
    """Return what is one token where no space stands before it."""
    return _either().union(fragments.INSIDE, fragments.INSIDE_SIGNS)


@lru_cache(maxsize=1)
def _spaced() -> frozenset[str]:
    """Return what is one token together with the space before it."""
    return _either().union(fragments.SPACED, fragments.SPACED_SIGNS)
