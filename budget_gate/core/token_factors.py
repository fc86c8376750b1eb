"""Measured factors of ``core.token_pieces``, in hundredths of a token: what pieces of text weigh that are no known word.

Measured by us on 2026-11-28 with the public tokenizer of Claude 2 (``tokenizer.json`` in the ``anthropic`` 0.38.0 wheel on PyPI), over
pieces of real files, single characters of every script, and patterns made to deceive. How: docs/decisions/0006.
"""

LOWER_PAIR = (42, 42, 74)
UPPER_PAIR = (55, 100, 100)
"""For each letter of a word behind the first, by how familiar its pair with the one before is: most, somewhat, not."""

FAMILIAR: dict[str, str] = {
    "a": "bcdfgiklmnprstuvwxy",
    "b": "aeijlouy",
    "c": "aehklopsty",
    "d": "deosy",
    "e": "cdglnrstwxy",
    "f": "adefiloruy",
    "g": "ehnrst",
    "h": "eity",
    "i": "bcdefglmnopqrstvxz",
    "j": "eos",
    "k": "en",
    "l": "bdefloty",
    "m": "abekops",
    "n": "cdeghkstuy",
    "o": "bcdfklmnoprstuvw",
    "p": "aelorstuy",
    "q": "u",
    "r": "cdegmnosty",
    "s": "cehkoprstwy",
    "t": "dehoprxy",
    "u": "bcdefglmnoprst",
    "v": "aeo",
    "w": "aehnr",
    "x": "ft",
    "y": "elmnops",
    "z": "aei",
}
"""By first letter, the second letters of the most familiar pairs."""

LESS_FAMILIAR: dict[str, str] = {
    "b": "rs",
    "c": "ciru",
    "d": "afgilnruv",
    "e": "abefhimopqv",
    "f": "t",
    "g": "agilou",
    "h": "amnorsu",
    "i": "ak",
    "j": "u",
    "k": "adis",
    "l": "aciknpsuvw",
    "m": "dilmtu",
    "n": "afilnov",
    "o": "aegijxy",
    "p": "dhip",
    "r": "abfiklruv",
    "s": "afilmnu",
    "t": "acfimstuw",
    "u": "ai",
    "v": "i",
    "w": "ilos",
    "x": "aceip",
    "y": "it",
}
"""The same of pairs that are somewhat familiar."""

SHORT_WORD_LETTERS = 2
"""An unknown word this short weighs a token for each letter."""

LONG_WORD_LETTERS = 24
PATTERN_SHARE = 8
"""In a word longer than that, a pair that makes up more than an eighth is a pattern, not a word: it weighs its letters. So does a
character outside ASCII in a run of others."""

REPEATED_LEAST, REPEATED_SHARE = 32, 16
"""Weights of words hold on average. One that is more than a sixteenth of all pieces, and so many, weighs its bytes."""

DIGITS_PER_TOKEN = 2

RULES = "-=#*/_~.+"
RULE_FREE, RULE_PER_TOKEN = 3, 8
"""Signs that people draw lines with: a stretch of one weighs three tokens, and one more for every eight."""

SPACES_PER_TOKEN, TABS_PER_TOKEN, NEWLINES_PER_TOKEN, RETURNS_PER_TOKEN = 56, 8, 8, 2
"""How many of a blank, repeated, make a token."""

CHARACTERS: dict[str, int] = {
    "latin": 150,
    "latin_far": 200,
    "greek": 140,
    "cyrillic": 68,
    "cyrillic_capital": 140,
    "hebrew_far": 200,
    "semitic": 140,
    "": 200,
    "indic": 200,
    "asian_far": 300,
    "symbol": 300,
    "symbol_common": 200,
    "kana": 165,
    "hanzi": 300,
    "hanzi_common": 187,
    "hangul": 265,
    "private": 300,
    "astral": 300,
}
"""For a character outside ASCII behind another one, by script. The first of a run weighs a token for each of its bytes, but for those
below."""

FIRST_CHARACTERS: dict[str, int] = {"latin": 150, "symbol_common": 200, "kana": 200, "hanzi_common": 250, "astral": 300}

FIRST_OF_WORD: dict[str, int] = {"cyrillic": 110}
"""For the first of a run that does not stand alone."""

ALPHABETS = frozenset(("greek", "cyrillic", "cyrillic_capital", "semitic"))
"""Scripts whose letters weigh little because they make words. In a run that is too long for a word, each weighs its bytes."""

LATIN_LETTER = 125
"""For a letter with an accent behind another letter of a word."""

SPACE_JOINS = frozenset(("latin", "greek", "cyrillic", "cyrillic_capital", "symbol_common"))
"""Scripts whose words swallow the space before them; before others it may be a token."""

COMMON_SYMBOL_SECONDS = (0x80, 0x94, 0x95, 0x96)
"""Of the symbols whose UTF-8 begins with 0xE2, those with these second bytes (quotes, dashes, boxes) are common."""
