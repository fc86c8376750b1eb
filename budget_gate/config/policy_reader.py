"""A tree of texts to plain values, by the table of fields: known keys, lists, and the values themselves (``policy_leaf``).

Collects every fault instead of stopping at the first. What values mean together is ``policy_rules``.
"""

from typing import Any

from budget_gate.config.faults import FieldFault, FieldPath, nearest, pick, shown
from budget_gate.config.policy_kinds import TEXT, Field, Kind, Leaf, Listing, Record, Table, WordOrList
from budget_gate.config.policy_leaf import describe, is_text, read_leaf
from budget_gate.config.policy_yaml import ListNode, MapNode, Node


def read_values(root: Node, kind: Kind) -> tuple[Any, list[FieldFault]]:
    """Return the values of a tree and the faults in it. With faults the values are incomplete and must not be used."""
    faults: list[FieldFault] = []
    return _read(root, kind, (), faults), faults


def _read(node: Node, kind: Kind, path: FieldPath, faults: list[FieldFault]) -> Any:
    if isinstance(kind, WordOrList):
        kind = kind.listing if isinstance(node, ListNode) else kind.word
    if isinstance(kind, Leaf):
        try:
            return read_leaf(node, kind, path)
        except FieldFault as fault:
            faults.append(fault)
            return None
    if isinstance(kind, Listing):
        return _read_list(node, kind, path, faults)
    if not isinstance(node, MapNode):
        first = kind.fields[0].name if isinstance(kind, Record) else f"the name of {kind.key}"
        faults.append(FieldFault(path, f"{describe(node)} where a mapping belongs", f"write {first}: and its value"))
        return None
    if isinstance(kind, Record):
        return _read_record(node, kind, path, faults)
    return _read_table(node, kind, path, faults)


def _read_record(node: MapNode, kind: Record, path: FieldPath, faults: list[FieldFault]) -> dict[str, Any]:
    fields = {field.name: field for field in kind.fields}
    values: dict[str, Any] = {}
    for name, (_, value) in node.entries.items():
        if name in fields:
            values[name] = _read(value, fields[name].kind, (*path, name), faults)
        else:
            faults.append(FieldFault((*path, name), "is not a known key", pick(name, list(fields))))
    # A misspelled key is one fault, not two: what it was meant to be is not called missing as well.
    meant = {nearest(name, list(fields)) for name in node.entries if name not in fields}
    missing = [field for field in kind.fields if field.required and field.name not in {*node.entries, *meant}]
    faults.extend(FieldFault((*path, field.name), "is missing", _what_is_missing(field)) for field in missing)
    for names, most in ((kind.exactly_one, 1), (kind.at_least_one, len(kind.at_least_one))):
        present = [name for name in names if name in node.entries]
        if names and not present and not meant.intersection(names):
            faults.append(FieldFault(path, f"has none of {', '.join(names)}", "write one of them"))
        elif len(present) > most:
            faults.append(FieldFault(path, f"{' and '.join(present)} are written together", "write each in an item of its own"))
    return values


def _what_is_missing(field: Field) -> str:
    if isinstance(field.kind, Leaf | WordOrList):
        return (field.kind if isinstance(field.kind, Leaf) else field.kind.word).write
    return f"write {field.name}: and below it a {'list' if isinstance(field.kind, Listing) else 'mapping'}"


def _read_list(node: Node, kind: Listing, path: FieldPath, faults: list[FieldFault]) -> list[Any]:
    if not isinstance(node, ListNode):
        faults.append(FieldFault(path, f"{describe(node)} where a list belongs", "put it in brackets: [ ... ]"))
        return []
    if len(node.items) < kind.least:
        faults.append(FieldFault(path, "is an empty list", "write at least one item"))
    values = [_read(item, kind.item, (*path, index), faults) for index, item in enumerate(node.items)]
    if kind.is_unique:
        for index, value in enumerate(values):
            if value is not None and value in values[:index]:
                faults.append(FieldFault((*path, index), f"{shown(str(value))} is written twice", "keep one of the two"))
    return values


def _read_table(node: MapNode, kind: Table, path: FieldPath, faults: list[FieldFault]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, (_, value) in node.entries.items():
        if not is_text(name, TEXT):
            faults.append(FieldFault((*path, name), f"the key is not {TEXT.what}", f"write a plain name of {kind.key}"))
        values[name] = _read(value, kind.value, (*path, name), faults)
    return values
