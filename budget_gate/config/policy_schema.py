"""The JSON Schema of the policy file, for editors, made from the table of fields that the loader reads by.

A schema sees one value at a time; what only the loader sees is listed in ``policy_rules.UNSEEN_BY_SCHEMA``.
"""

from typing import Any

from budget_gate.config.policy_fields import POLICY
from budget_gate.config.policy_kinds import TEXT, TEXT_MAX, Kind, Leaf, Listing, Record, Table, WordOrList
from budget_gate.config.policy_rules import UNSEEN_BY_SCHEMA

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_Schema = dict[str, Any]


def policy_schema() -> _Schema:
    """Return the JSON Schema (draft 2020-12) of the policy file."""
    unseen = "; ".join(UNSEEN_BY_SCHEMA)
    comment = f"`budget-gate policy check` also finds what no schema can: {unseen}."
    return {"$schema": DIALECT, "title": "budget-gate policy", "$comment": comment, **kind_schema(POLICY)}


def kind_schema(kind: Kind) -> _Schema:
    """Return the schema of one kind of value."""
    if isinstance(kind, Leaf):
        return _leaf_schema(kind)
    if isinstance(kind, Listing):
        items: _Schema = {"type": "array", "items": kind_schema(kind.item)}
        if kind.least:
            items["minItems"] = kind.least
        return {**items, "uniqueItems": True} if kind.is_unique else items
    if isinstance(kind, Table):
        names = {"pattern": TEXT.pattern, "maxLength": TEXT_MAX}
        return {"type": "object", "propertyNames": names, "additionalProperties": kind_schema(kind.value)}
    if isinstance(kind, WordOrList):
        return {"anyOf": [kind_schema(kind.word), kind_schema(kind.listing)]}
    return _record_schema(kind)


def _record_schema(kind: Record) -> _Schema:
    properties = {}
    for field in kind.fields:
        about = field.about + (f" Default: {field.default}." if field.default else "")
        properties[field.name] = {**kind_schema(field.kind), "description": about}
    schema: _Schema = {"description": kind.about, "type": "object", "properties": properties, "additionalProperties": False}
    required = [field.name for field in kind.fields if field.required]
    if required:
        schema["required"] = required
    if kind.exactly_one:
        schema["oneOf"] = [{"required": [name]} for name in kind.exactly_one]
    if kind.at_least_one:
        schema["anyOf"] = [{"required": [name]} for name in kind.at_least_one]
    return schema


def _leaf_schema(kind: Leaf) -> _Schema:
    if kind.choices:
        return {"enum": [kind.convert(word) for word in kind.choices]}
    schema: _Schema = {"type": kind.types[0] if len(kind.types) == 1 else list(kind.types)}
    if "string" in kind.types:
        schema["maxLength"] = TEXT_MAX
        if kind.pattern:
            schema["pattern"] = kind.pattern
    bounds = {"minimum": kind.least, "exclusiveMinimum": kind.above, "maximum": kind.most}
    schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if kind.examples:
        schema["examples"] = list(kind.examples)
    return schema
