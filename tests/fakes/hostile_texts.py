"""Texts made to be counted short: everything that repeats, mixes or floods, from a fixed seed."""

import base64
import random
import string
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from budget_gate.core import token_characters, token_fragments, token_words

SEED = 20261128
BYTES = 3_000

UNITS = (
    *(
        "();",
        "){",
        "});",
        '");',
        "}));",
        "&&",
        "=>",
        "===",
        "aB",
        "aBc",
        "Ab",
        "AB",
        "a1",
        "1a",
        "_a",
        "a_",
        "A_B_",
        "();\n",
        "\n\n",
    ),
    *(
        " \n",
        "  ",
        "\t",
        "\n\t",
        "\r\n",
        "\r",
        "</",
        "/>",
        ")(",
        "](",
        ".a",
        "a.",
        ",'",
        '","',
        "0,",
        "x=",
        "!=",
        "$_",
        "@@",
        "--",
        "++",
    ),
    *(
        "##",
        "-#",
        "*/",
        "||",
        "::",
        "->",
        "q",
        "zq",
        "zq ",
        "ckn",
        "uea ",
        "xZ",
        "Zx",
        "FL",
        "getElement",
        "fooBar",
        "XxYy",
        "0x",
        "e1",
    ),
    *(")){", "()=>", "\\n", "\\u00", "%s", "{{", "{{{{", "}}", "${", "`", "~", "^", "\x00", "\x7f", "1e9 ", "7.2572836e-01   "),
    *(
        "\u00e9",
        "\u00df ",
        "\u0436",
        "\u0436 ",
        "\u05d4",
        "\u0e01",
        "\u4e2d",
        "\u71aa",
        "\u304c",
        "\ud55c",
        "\u200d",
        "\ufffd",
        "\u2019",
    ),
    *("\u2500", "e\u0301\u0302", "\ufdfa", "\uff21", "\u00bd", "\U0001f642", "\U0001f469\u200d\U0001f467", "\U00013000"),
    *(
        "\ub984\uc18c",
        "\u9020\u7ebf",
        "\u9020\u7ebf ",
        "\u043d\u043e\u0433\u043e\u043b\u044e\u0447",
        "\u0442\u043e\u043b\u044e\u0447 ",
    ),
    *(
        "htmlelse",
        "htmlelse ",
        "uexactly ",
        '}]"?>',
        '}]"?> ',
        "zugy ",
        "YAKO_",
        "a\u00e7\u00f5essur ",
        "\u0e81",
        "\u0a97\u0ac1",
        "\u10d0",
    ),
    *("9: 1,  # '\u0e21'\n", "   16: 2,  # '\u0421'\n", " = \u03c7;\n"),
)
"""Each repeated until ``BYTES`` are full."""


def hostile_texts() -> Iterator[str]:
    """Yield the texts, the same every time."""
    draw = random.Random(SEED)

    def many(one: Callable[[], str]) -> str:
        return "".join(one() for _ in range(BYTES))

    yield from ((unit * BYTES)[:BYTES] for unit in UNITS)
    for alphabet in (
        string.ascii_lowercase,
        string.ascii_letters,
        string.digits,
        string.punctuation,
        string.printable,
        " \n\t",
        "0f9a3",
    ):
        yield many(lambda alphabet=alphabet: draw.choice(alphabet))
    for first, last in (
        (0x4E00, 0x9FA5),
        (0xAC00, 0xD7A3),
        (0x1F300, 0x1F64F),
        (0xA0, 0x24F),
        (0x400, 0x4FF),
        (0x20, 0x3000),
        (0x3041, 0x30FF),
    ):
        yield many(lambda first=first, last=last: chr(draw.randrange(first, last)))
    yield base64.b64encode(draw.randbytes(BYTES)).decode()
    yield draw.randbytes(BYTES).hex()
    yield draw.randbytes(BYTES).decode("latin-1")
    yield draw.randbytes(BYTES).decode("utf-8", "replace")
    for size in (2, 3, 4, 6, 10) * 12:
        alphabet = draw.sample(string.ascii_letters + string.digits + string.punctuation + " \n", size)
        yield many(lambda alphabet=alphabet: draw.choice(alphabet))
    for words in (1, 2, 4) * 12:
        units = [
            "".join(draw.choice(string.ascii_letters + string.punctuation + " ") for _ in range(draw.randint(2, 5)))
            for _ in range(words)
        ]
        yield many(lambda units=units: draw.choice(units))
    for _ in range(12):
        syllables = ("ab", "ko", "zu", "fi", "Ran", "Qo", "Tim", "get", "Set", "Xy", "xQ")
        yield " ".join("".join(draw.choice(syllables) for _ in range(draw.randint(1, 6))) for _ in range(BYTES // 5))
    yield from _of_known_parts(draw)


def _of_known_parts(draw: random.Random) -> Iterator[str]:
    """Yield texts of what the bound knows to be one token, put together as no language does it.

    Its parts by length and script, glued, in any order; its characters likewise; both between ASCII; and whole blocks of a script,
    composed and decomposed.
    """
    known = (*token_fragments.EITHER, *token_fragments.INSIDE, *token_words.WORDS, *token_words.LOWER_WORDS)
    latin = [part for part in known if part.isascii()]
    families = [[part for part in latin if len(part) == size] for size in range(2, 8)]
    families += [
        [part for part in known if "\u0400" <= part[0] <= "\u04ff"],
        [part for part in known if not part.isascii()],
        list(known),
    ]
    families += [list(token_fragments.SPACED), [part for part in known if part.isupper()], list(token_words.WORDS)]
    families += [[*token_fragments.EITHER_SIGNS, *token_fragments.INSIDE_SIGNS], list(token_words.SIGNS)]
    for family in families:
        for most in (2, 3, 6):
            for between in (" ", "\n", "."):
                yield between.join(_glued(draw, family, most) for _ in range(BYTES // 12))
    singles = token_characters.SINGLE + token_characters.SINGLE_APART + token_characters.SINGLE_FAR
    ranges = (("\xc0", "\u024f"), ("\u0370", "\u03ff"), ("\u0400", "\u04ff"), ("\u0590", "\u06ff"), ("\u3040", "\u30ff"))
    ranges += (("\u4e00", "\u9fff"), ("\uac00", "\ud7a3"))
    scripts = [singles, *("".join(each for each in singles if first <= each <= last) for first, last in ranges)]
    for first, last in _BLOCKS:
        every = (chr(code) for code in range(first, last) if unicodedata.category(chr(code)) not in {"Cn", "Cs"})
        scripts.append("".join(every))
    for script in scripts:
        for most in (1, 4, 20):
            mixed = " ".join(_glued(draw, script, most) for _ in range(BYTES // (most + 1)))
            yield mixed
            yield unicodedata.normalize("NFD", mixed)
        yield "".join(draw.choice(script) + draw.choice(string.printable) for _ in range(BYTES // 2))


_BLOCKS = (
    *(
        (0xC0, 0x250),
        (0x370, 0x400),
        (0x400, 0x530),
        (0x530, 0x590),
        (0x590, 0x600),
        (0x600, 0x700),
        (0x900, 0x980),
        (0x980, 0xA00),
    ),
    *(
        (0xA00, 0xA80),
        (0xA80, 0xB00),
        (0xB80, 0xC00),
        (0xC00, 0xC80),
        (0xD00, 0xD80),
        (0xE00, 0xE80),
        (0xE80, 0xF00),
        (0xF00, 0x1000),
    ),
    *(
        (0x1000, 0x10A0),
        (0x10A0, 0x1100),
        (0x1200, 0x1380),
        (0x1780, 0x1800),
        (0x1E00, 0x2000),
        (0x2000, 0x2800),
        (0x3041, 0x3100),
    ),
    *((0x4E00, 0xA000), (0xAC00, 0xD7A4), (0x1F300, 0x1F700), (0x10000, 0x20000)),
)
"""Scripts by their code points: Latin with accents, Greek, Cyrillic, Armenian, Hebrew, Arabic, those of India and the lands beyond it,
Georgian, Ethiopic, symbols, kana, hanzi, hangul, emoji, and everything of four bytes."""


def _glued(draw: random.Random, parts: Sequence[str], most: int) -> str:
    return "".join(draw.choice(parts) for _ in range(draw.randint(1, most)))
