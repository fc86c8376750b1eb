"""An upper bound on the tokens of a text, piece by piece: deterministic, linear, no tokenizer needed.

Tokenizers of this family first cut text into pieces (a word, a number, a run of signs, each with the space before it; blanks) and no
token crosses a cut. So what each piece can be at most adds up. A known word or run of signs is one token; of other pieces
``core.token_factors`` knows how many they are at most. Pieces repeat, so each different one is weighed once.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from budget_gate.core import token_factors as factors
from budget_gate.core import token_words as words

FULL = 100
"""Weights are hundredths of a token."""

PIECES_REMEMBERED = 16_384
PIECE_CHARACTERS_REMEMBERED = 40

_PIECE = re.compile(
    r"""
    '(?:s|t|re|ve|m|ll|d)
    | [ ]?[A-Za-z][A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]*
    | [ ]?[0-9]+
    | [ ]?[!-/:-@\[-`{-~\x00-\x08\x0e-\x1f\x7f]+
    | [ \t-\r]+(?![^ \t-\r])
    | [ \t-\r]+
    | [ ]?[^\x00-\x7f]+
    """,
    re.VERBOSE,
)
_BLANKS = " \t\n\r\x0b\x0c"
_HUMP = re.compile(r"[A-Z\xc0-\xde]+(?![a-z\xdf-\xff])|[A-Z\xc0-\xde]?[a-z\xdf-\xff]+")
_RULE = re.compile(rf"([{re.escape(factors.RULES)}])\1{{{factors.RULE_FREE},}}")
_BLANK_STRETCH = re.compile(r"(?:\r?\n)?(?:[ ]+|\t+)|(?:\r\n)+|\n+|\r+|[\x0b\x0c]+")

_LEADS_UP_TO = (
    *((0xC3, "latin"), (0xCD, "latin_far"), (0xCF, "greek"), (0xD1, "cyrillic"), (0xD6, "hebrew_far"), (0xDB, "semitic")),
    *((0xDF, ""), (0xE0, "indic"), (0xE1, "asian_far"), (0xE2, "symbol"), (0xE3, "kana"), (0xE9, "hanzi"), (0xED, "hangul")),
    *((0xEF, "private"), (0xF4, "astral")),
)
"""Scripts by the first byte of a character in UTF-8; the last byte that begins one of each."""


def text_hundredths(text: str) -> int:
    """Return the bound of a text in hundredths of a token of the measured tokenizer."""
    if text.isascii():
        return _sum(text)
    # The tokenizer normalizes first, which makes a phrase of some single characters; one that does not must be bounded too.
    marks = FULL * sum(unicodedata.category(character).startswith("M") for character in set(text))
    total = _sum(text)
    if not unicodedata.is_normalized("NFKC", text):
        total = max(total, _sum(unicodedata.normalize("NFKC", text)))
    return total + marks


def _sum(text: str) -> int:
    pieces = _PIECE.findall(text)
    many = max(len(pieces) // factors.REPEATED_SHARE, factors.REPEATED_LEAST)
    total = 0
    for piece, times in Counter(pieces).items():
        weight = _remembered(piece) if len(piece) <= PIECE_CHARACTERS_REMEMBERED else _weight(piece)
        if times > many and weight > FULL and piece[-1].isalpha():
            weight = max(weight, _bytes(piece.strip()))
        total += times * weight
    return total


def _weight(piece: str) -> int:
    """Return what one piece weighs."""
    core = piece[1:] if piece[0] == " " and len(piece) > 1 and piece[1] not in _BLANKS else piece
    first = core[0]
    if not first.isascii():
        return _foreign(core, has_space=core is not piece)
    if first.isalpha():
        return _word(core)
    if first.isdigit():
        return FULL * -(-len(core) // factors.DIGITS_PER_TOKEN)
    if first in _BLANKS:
        return _blanks(core)
    return _signs(core)


_remembered = lru_cache(PIECES_REMEMBERED)(_weight)


def _word(word: str) -> int:
    """Return what a word weighs: one token if it is known, else the sum of its humps (``getElementById`` has four)."""
    if word in _known():
        return FULL
    return sum(FULL if hump in _known() else _unknown(hump) for hump in _HUMP.findall(word))


def _unknown(word: str) -> int:
    """Return what letters weigh that are no known word: their pairs tell how much they look like one."""
    if len(word) <= factors.SHORT_WORD_LETTERS:
        return FULL * len(word)
    weights = factors.UPPER_PAIR if word.isupper() else factors.LOWER_PAIR
    grades, lower = _grades(), word.lower()
    pairs = [lower[at : at + 2] for at in range(len(lower) - 1)]
    total = FULL + sum(_pair(pair, weights[grades.get(pair, 2)]) for pair in pairs)
    if len(word) <= factors.LONG_WORD_LETTERS:
        return total
    most = len(word) // factors.PATTERN_SHARE
    patterns = ((pair, times) for pair, times in Counter(pairs).items() if times > most)
    return total + sum(max(FULL - weights[grades.get(pair, 2)], 0) * times for pair, times in patterns)


def _pair(pair: str, weight: int) -> int:
    return weight if pair[1].isascii() else factors.LATIN_LETTER


def _signs(signs: str) -> int:
    """Return what a run of signs weighs: a token for each, but for known runs and stretches that draw a line."""
    if signs in _known_signs():
        return FULL
    stretches = (found.end() - found.start() for found in _RULE.finditer(signs))
    spared = sum(length - factors.RULE_FREE - length // factors.RULE_PER_TOKEN for length in stretches)
    return FULL * (len(signs) - spared)


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


def _foreign(run: str, *, has_space: bool) -> int:
    """Return what a run of characters outside ASCII weighs: the first is not helped by what stands before it."""
    kind, weights = _kind_of(run[0]), _CHARACTER_WEIGHTS
    alone = factors.FIRST_CHARACTERS.get(kind, _bytes(run[0]))
    first = alone if len(run) == 1 else factors.FIRST_OF_WORD.get(kind, alone)
    space = FULL if has_space and kind not in factors.SPACE_JOINS else 0
    if len(run) <= factors.LONG_WORD_LETTERS:
        return space + first + sum(weights[character] for character in run[1:])
    most = len(run) // factors.PATTERN_SHARE
    return space + sum(
        times * (_bytes(character) if times > most or _kind_of(character) in factors.ALPHABETS else weights[character])
        for character, times in Counter(run).items()
    )


def _bytes(text: str) -> int:
    return FULL * len(text.encode("utf-8", "surrogatepass"))


class _CharacterWeights(dict[str, int]):
    """What each character outside ASCII weighs behind another one, worked out when it is first met."""

    def __missing__(self, character: str) -> int:
        self[character] = factors.CHARACTERS[_kind_of(character)]
        return self[character]


_CHARACTER_WEIGHTS = _CharacterWeights()


def _kind_of(character: str) -> str:
    """Return the script of a character outside ASCII, as the factors name it."""
    code = character.encode("utf-8", "surrogatepass")
    kind = next(name for last, name in _LEADS_UP_TO if code[0] <= last)
    if kind == "hanzi" and character in _common_hanzi():
        return "hanzi_common"
    if kind == "kana" and character > "\u30ff":
        return "asian_far"
    if kind == "symbol" and code[1] in factors.COMMON_SYMBOL_SECONDS:
        return "symbol_common"
    return "cyrillic_capital" if kind == "cyrillic" and character.isupper() else kind


@lru_cache(maxsize=1)
def _common_hanzi() -> frozenset[str]:
    """Return the characters of the first level of GB 2312, whose rows 16 to 55 hold them in its encoding's order."""
    rows, places = range(0xB0, 0xD8), range(0xA1, 0xFF)
    return frozenset(bytes((row, place)).decode("gb2312", "ignore") for row in rows for place in places) - {""}


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    capitals = (word.capitalize() for word in words.WORDS)
    return frozenset((*words.WORDS, *capitals, *words.LOWER_WORDS, *words.OTHER_WORDS))


@lru_cache(maxsize=1)
def _known_signs() -> frozenset[str]:
    return frozenset(words.SIGNS)


@lru_cache(maxsize=1)
def _grades() -> dict[str, int]:
    """Return how familiar each pair of letters is, 0 the most; a pair that is not there is 2."""
    listed = enumerate((factors.FAMILIAR, factors.LESS_FAMILIAR))
    return {first + second: grade for grade, firsts in listed for first, seconds in firsts.items() for second in seconds}
