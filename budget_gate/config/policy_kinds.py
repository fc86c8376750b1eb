"""The kinds of value a policy is made of. Each says, once, what the loader checks and what the editor's schema states.

A kind is data: which JSON types it may have, its pattern and range, and how its text becomes a value. ``policy_reader`` applies
it to a file, ``policy_schema`` turns it into JSON Schema. Which field has which kind is ``policy_fields``.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Union

from budget_gate.core.money import COUNT_MAX, USD_MAX, parse_usd
from budget_gate.core.scopes import parse_scope

JsonType = Literal["string", "number", "integer", "boolean"]

TEXT_MAX = 200
"""The longest name or text, in characters."""

_UNSEEN = "\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\ud800-\\udfff"
"""In a character class: what cannot be seen, or turns the reading direction. ECMA 262 and ``re`` read the escapes alike."""

_UNSEEN_ASCII = "\\u0000-\\u001f\\u007f"
"""The part of it that an ASCII text can contain. Patterns with it compile in a tenth of the time, and `check` must start fast."""


def _text_pattern(unseen: str) -> str:
    return f"^[^ {unseen}]([^{unseen}]*[^ {unseen}])?$"


def _scope_pattern(unseen: str) -> str:
    named = f"(team|workflow|user|feature|model)/[^ {unseen}]([^{unseen}]*[^ {unseen}])?"
    return f"^(org|{named}|project/(\\*|[^ */{unseen}][^*/{unseen}]*/([^*{unseen}]*[^ */{unseen}])))$"


class Leaf(NamedTuple):
    """One kind of single value.

    ``what`` names it for people, ``write`` shows one. Numbers lie between ``least`` (or above ``above``) and ``most`` and have at
    most ``places`` decimals; texts match ``pattern`` (anchored; common to ECMA 262 and ``re``) or are one of ``choices``.
    ``ascii_pattern``, where given, says the same of ASCII texts. ``convert`` makes the value of a text that passed; it may raise
    ``ValueError`` for what no pattern can see. ``examples`` are for editors.
    """

    types: tuple[JsonType, ...]
    what: str
    write: str
    convert: Callable[[str], Any] = str
    pattern: str = ""
    ascii_pattern: str = ""
    choices: tuple[str, ...] = ()
    least: int | None = None
    above: int | None = None
    most: int | None = None
    places: int = 0
    examples: tuple[str | int, ...] = ()


class Field(NamedTuple):
    """A key of a record: its kind, what it means, its default as people write it, and an example for the reference."""

    name: str
    kind: "Kind"
    about: str
    required: bool = False
    default: str = ""


class Record(NamedTuple):
    """A mapping with known keys. Of ``exactly_one`` and ``at_least_one``, where not empty, that many must be there."""

    title: str
    about: str
    fields: tuple[Field, ...]
    exactly_one: tuple[str, ...] = ()
    at_least_one: tuple[str, ...] = ()


class Listing(NamedTuple):
    """A list of ``least`` items or more, all of one kind."""

    item: "Kind"
    is_unique: bool = False
    least: int = 1


class Table(NamedTuple):
    """A mapping whose keys are names of the user's choice; ``key`` says what they name."""

    key: str
    value: "Kind"


class WordOrList(NamedTuple):
    """One of a few words, or a list in place of them."""

    word: Leaf
    listing: Listing


Kind = Union[Leaf, Record, Listing, Table, WordOrList]  # noqa: UP007 - the names above are still strings where this is evaluated


def choice(what: str, *words: str) -> Leaf:
    """Return the kind of a field that takes one of a few words."""
    return Leaf(("string",), what, f"write one of {', '.join(words)}", choices=words)


def whole(what: str, write: str, least: int, most: int) -> Leaf:
    """Return the kind of a whole number between two bounds."""
    return Leaf(("integer",), what, write, int, least=least, most=most)


def basis_points(text: str) -> int:
    """Return a percentage such as ``82.5%`` (two decimals at most) as ten-thousandths."""
    whole_part, _, fraction = text.removesuffix("%").partition(".")
    return int(whole_part) * 100 + int(fraction.ljust(2, "0"))


def token_count(text: str) -> int:
    """Return a count such as ``6000``, ``10k`` or ``1.5M``. Raises ``ValueError`` if that is no whole number of tokens."""
    factor = {"k": 1_000, "K": 1_000, "M": 1_000_000}.get(text[-1], 1)
    count = Decimal(text if factor == 1 else text[:-1]) * factor
    if count != int(count):
        raise ValueError(f"{text!r} is not a whole number of tokens")
    return int(count)


TEXT = Leaf(
    ("string", "number"),
    f"plain text (one line without control characters or outer spaces, at most {TEXT_MAX} characters)",
    "write a plain name",
    pattern=_text_pattern(_UNSEEN),
    ascii_pattern=_text_pattern(_UNSEEN_ASCII),
)
FLAG = Leaf(("boolean",), "true or false", "write true or false", lambda text: text.lower() == "true")
VERSION = Leaf(("integer",), "a version of the policy format that this program knows", "write version: 1", int, choices=("1",))
DOLLARS = Leaf(
    ("number",),
    "an amount of dollars",
    "write a number such as 12.50",
    parse_usd,
    above=0,
    most=USD_MAX,
    places=9,
    examples=(800,),
)
DOLLARS_OR_ZERO = DOLLARS._replace(above=None, least=0, examples=(1,))
TOKENS = Leaf(
    ("integer", "string"),
    "a whole number of tokens",
    "write a count such as 6000, 10k or 1.5M",
    token_count,
    pattern="^(?=[0-9.]*[1-9])([0-9]{1,12}(\\.[0-9]{1,3})?[kK]|[0-9]{1,9}(\\.[0-9]{1,6})?M)$",
    least=1,
    most=COUNT_MAX,
    examples=(6000, "10k", "1.5M"),
)
SHARE = Leaf(
    ("string",),
    "a percentage from 0.01% to 1000%, with two decimals at most",
    "write for example 80%",
    basis_points,
    pattern="^(?=[0-9.]*[1-9])([0-9]{1,3}(\\.[0-9]{1,2})?|1000(\\.0{1,2})?)%$",
    examples=("80%", "82.5%"),
)
KEPT_SHARE = SHARE._replace(
    what="a percentage from 0% to 99.99%, with two decimals at most",
    write="write for example 20%",
    pattern="^[0-9]{1,2}(\\.[0-9]{1,2})?%$",
    examples=("20%",),
)
FACTOR = Leaf(("number",), "a number above 1 and up to 1000", "write for example 3", Decimal, above=1, most=1_000, places=4)
HOURS = Leaf(("number",), "a number of hours", "write for example 40", Decimal, least=0, most=1_000_000, places=4)
HOURLY_RATE = HOURS._replace(what="an amount of dollars", write="write for example 90")
RATE = Leaf(
    ("number", "string"),
    "dollars per million tokens",
    "write for example 0.80",
    pattern="^([0-9]{1,5}(\\.[0-9]{1,12})?|100000(\\.0{1,12})?)$",
    least=0,
    most=100_000,
    places=12,
    examples=(5, "0.80"),
)
SEARCH_RATE = RATE._replace(what="dollars per thousand searches", write="write for example 10")
CLOCK = Leaf(
    ("string",),
    "a time of day",
    'write for example "16:00"',
    pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$",
    examples=("16:00",),
)
DATE = Leaf(
    ("string",),
    "a date",
    "write for example 2026-01-31",
    pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    examples=("2026-01-31",),
)
APPROVER = Leaf(
    ("string",),
    "a GitHub user or team",
    'write a login such as octocat, or a team such as "@acme/finops"',
    pattern="^(@?[A-Za-z0-9][A-Za-z0-9_-]{0,38}|@[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9][A-Za-z0-9_.-]{0,99})$",
    examples=("octocat", "@acme/finops"),
)
BOT = Leaf(
    ("string",),
    "the login of a bot",
    "write a login such as dependabot",
    pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\\[bot\\])?$",
    examples=("dependabot", "renovate[bot]"),
)
SCOPE = Leaf(
    ("string",),
    "a scope",
    "write org, team/NAME, project/OWNER/REPO, workflow/NAME, user/NAME, feature/NAME or model/TIER",
    parse_scope,
    pattern=_scope_pattern(_UNSEEN),
    ascii_pattern=_scope_pattern(_UNSEEN_ASCII),
    examples=("org", "team/payments", "project/acme/nightly", "user/*"),
)
