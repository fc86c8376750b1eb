"""One scalar to one value: its type as an editor sees it, its range or pattern, and what to write instead of a wrong one."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from budget_gate.config.faults import FieldFault, FieldPath, nearest, printable, shown
from budget_gate.config.policy_kinds import TEXT_MAX, Leaf, token_count
from budget_gate.config.policy_yaml import ListNode, Node, ScalarNode

_NULLS = ("", "~", "null", "Null", "NULL")
_BOOLEANS = ("true", "True", "TRUE", "false", "False", "FALSE")


def describe(node: Node) -> str:
    """Return in words what stands where something else belongs."""
    if isinstance(node, ScalarNode):
        return "has no value" if node.is_plain and node.text in _NULLS else f"{shown(node.text)} is written"
    return "a list is written" if isinstance(node, ListNode) else "a mapping is written"


def read_leaf(node: Node, kind: Leaf, path: FieldPath) -> Any:
    """Return the value of a scalar, or raise ``FieldFault``."""
    if not isinstance(node, ScalarNode):
        raise FieldFault(path, f"{describe(node)} where {kind.what} belongs", kind.write)
    text = node.text
    natural = natural_type(text, is_plain=node.is_plain)
    if natural == "null":
        raise FieldFault(path, "has no value", kind.write)
    is_name = kind.types == ("string", "number")
    wanted = natural in kind.types or (natural == "integer" and "number" in kind.types)
    if not wanted and not (natural == "odd number" and is_name):
        raise _wrong_type(node, kind, path, natural)
    if natural in ("integer", "number") and not is_name and not kind.choices:
        _check_range(text, kind, path)
    elif natural != "boolean" and not is_text(text, kind):
        raise FieldFault(path, f"{shown(text)} is not {kind.what}", _better(text, kind))
    try:
        return kind.convert(text)
    except ValueError:
        raise FieldFault(path, f"{shown(text)} is not {kind.what}", kind.write) from None


def natural_type(text: str, *, is_plain: bool) -> str:
    """Return the type that YAML 1.2 (its core schema) gives a scalar: what an editor validates.

    ``odd number`` is a number in a spelling that people read differently: ``007``, ``1e3``, ``0x10``, ``.5``.
    """
    if not is_plain:
        return "string"
    if text in _NULLS:
        return "null"
    if text in _BOOLEANS:
        return "boolean"
    if text[0] not in "+-.0123456789" or not text.isascii():
        return "string"
    digits, point, decimals = text.removeprefix("-").partition(".")
    if digits.isdigit() and (digits == "0" or digits[0] != "0") and (not point or decimals.isdigit()):
        return "number" if point else "integer"
    return "odd number" if _is_odd_number(text) else "string"


def _is_odd_number(text: str) -> bool:
    return bool(
        re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+", text)
        or text.lower() in (".nan", ".inf", "+.inf", "-.inf")
    )


def _wrong_type(node: ScalarNode, kind: Leaf, path: FieldPath, natural: str) -> FieldFault:
    """Return the fault of a value of another type, saying so when only quotes or the spelling are wrong."""
    text = node.text
    wants_number = kind.types[0] in ("number", "integer")
    if natural == "odd number" and wants_number:
        return FieldFault(path, f"{shown(text)} is an unusual way to write a number", "write plain digits, such as 1500 or 0.5")
    if natural == "string" and wants_number and not node.is_plain:
        unquoted = natural_type(text, is_plain=True)
        if unquoted in kind.types or (unquoted == "integer" and "number" in kind.types):
            return FieldFault(
                path, f"{shown(text)} is in quotes, which makes it a text", f"write {printable(text)} without quotes"
            )
    if natural == "boolean" and kind.types[0] == "string" and not kind.pattern.endswith("%$") and not kind.choices:
        return FieldFault(path, f"{shown(text)} is true or false, not {kind.what}", "write it in quotes")
    return FieldFault(path, f"{shown(text)} is not {kind.what}", _better(text, kind))


def _check_range(text: str, kind: Leaf, path: FieldPath) -> None:
    value = Decimal(text)
    if value < 0 and (kind.least is None or kind.least >= 0):
        raise FieldFault(path, f"{printable(text)} is below zero", kind.write)
    if kind.above is not None and value <= kind.above:
        raise FieldFault(path, f"{printable(text)} is not above {kind.above}", kind.write)
    if kind.least is not None and value < kind.least:
        raise FieldFault(path, f"{printable(text)} is below {kind.least}", kind.write)
    if kind.most is not None and value > kind.most:
        raise FieldFault(path, f"{printable(text)} is over {kind.most}", f"write at most {kind.most}")
    decimals = len(text.partition(".")[2].rstrip("0"))
    if decimals > kind.places:
        raise FieldFault(path, f"{printable(text)} has more than {kind.places} decimals", f"write at most {kind.places} of them")


def is_text(text: str, kind: Leaf) -> bool:
    """True if ``text`` is one of the kind's choices, or short enough and of its pattern."""
    if kind.choices:
        return text in kind.choices
    if len(text) > TEXT_MAX:
        return False
    pattern = kind.ascii_pattern if kind.ascii_pattern and text.isascii() else kind.pattern
    return not pattern or _compiled(pattern).search(text) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern as ECMA 262 means it: there ``$`` is the very end, in ``re`` also the place before a last line feed."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _better(text: str, kind: Leaf) -> str:
    """Return what to write instead, closer than the kind's own example where what was meant is plain to see."""
    if kind.choices:
        likeliest = nearest(text, list(kind.choices))
        return f"write {likeliest}" if likeliest else kind.write
    if kind.types == ("boolean",):
        meant = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}.get(text.lower())
        return f"write {meant}" if meant else kind.write
    if kind.pattern.endswith("%$") and is_text(f"{text}%", kind):
        return f"write {text}%"
    if kind.convert is token_count and text.endswith("m") and is_text(text[:-1] + "M", kind):
        return f"write {text[:-1]}M"
    if kind.types == ("number",) and natural_type(text.removeprefix("$"), is_plain=True) in ("integer", "number"):
        return f"write {text.removeprefix('$')[:20]}"
    return kind.write
