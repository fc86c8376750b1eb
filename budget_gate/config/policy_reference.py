"""The reference of the policy file for people, ``docs/policy-reference.md``, made from the table of fields.

Written anew by ``python -m budget_gate.config.policy_reference > docs/policy-reference.md``; a test fails when the two differ.
"""

import sys
from collections.abc import Iterator

from budget_gate.config.policy_fields import POLICY
from budget_gate.config.policy_kinds import TEXT, Kind, Leaf, Listing, Record, Table, WordOrList
from budget_gate.config.policy_rules import UNSEEN_BY_SCHEMA
from budget_gate.config.policy_yaml import BYTES_MAX, DEPTH_MAX

_OPENING = f"""# The policy file

<!-- Generated: python -m budget_gate.config.policy_reference > docs/policy-reference.md -->

`.github/budget-gate.yml`, else `budget-gate.yml`. YAML in UTF-8, at most {BYTES_MAX // 1024} KiB and {DEPTH_MAX} levels deep, without
tabs, anchors, aliases, tags and further documents. Values are read as they are written: `16:00` is a time of day and `no` is a name
wherever a name belongs; only `true` and `false` are true and false.

For completion in an editor, save `budget-gate policy schema` as a file and name it in the first line of the policy:
`# yaml-language-server: $schema=budget-gate.schema.json`. `budget-gate policy check` finds everything that the schema finds, and also:
"""


def policy_reference() -> str:
    """Return the reference as Markdown, one section for each kind of mapping."""
    lines = [_OPENING, *(f"- {fault}" for fault in UNSEEN_BY_SCHEMA)]
    for record in _records(POLICY, {}):
        lines += ["", *_section(record)]
    return "\n".join(lines) + "\n"


def _records(kind: Kind, seen: dict[str, Record]) -> Iterator[Record]:
    """Yield each record once, where it is first mentioned."""
    if isinstance(kind, Listing):
        yield from _records(kind.item, seen)
    elif isinstance(kind, Table):
        yield from _records(kind.value, seen)
    elif isinstance(kind, Record) and kind.title not in seen:
        seen[kind.title] = kind
        yield kind
        for field in kind.fields:
            yield from _records(field.kind, seen)


def _section(record: Record) -> Iterator[str]:
    yield f"## {record.title}"
    yield ""
    yield record.about
    yield ""
    yield "| key | value | meaning | default |"
    yield "|---|---|---|---|"
    for field in record.fields:
        default = "**required**" if field.required else field.default
        if field.name in record.exactly_one:
            default = "one of these"
        elif field.name in record.at_least_one:
            default = "at least one of these"
        yield f"| `{field.name}` | {_kind_words(field.kind)} | {field.about} | {default} |"


def _kind_words(kind: Kind) -> str:
    if isinstance(kind, Record):
        return f"[{kind.title}](#{kind.title.lower().replace(' ', '-')})"
    if isinstance(kind, Listing):
        return f"list of: {_kind_words(kind.item)}"
    if isinstance(kind, WordOrList):
        return f"{_kind_words(kind.word)}, or a {_kind_words(kind.listing)}"
    if isinstance(kind, Table):
        return f"for each name of {kind.key}: {_kind_words(kind.value)}"
    return _leaf_words(kind)


def _leaf_words(kind: Leaf) -> str:
    if kind.choices:
        return ", ".join(f"`{word}`" for word in kind.choices)
    words = "text" if kind.what == TEXT.what else kind.what
    if kind.most is not None and str(kind.most) not in words:
        low = f"above {kind.above}" if kind.above is not None else f"from {kind.least}"
        words += f", {low} to {kind.most}"
    if kind.examples:
        words += " (" + ", ".join(f"`{example}`" for example in kind.examples) + ")"
    return words


if __name__ == "__main__":
    sys.stdout.write(policy_reference())
