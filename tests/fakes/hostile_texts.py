"""Texts made to be counted short: everything that repeats, mixes or floods, from a fixed seed."""

import base64
import random
import string
from collections.abc import Callable, Iterator

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
