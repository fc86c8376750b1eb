"""The editor's schema and the loader say the same, because both come from one table; so does the reference."""

import copy
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budget_gate.config.policy_fields import POLICY
from budget_gate.config.policy_kinds import Kind, Leaf, Listing, Record, Table, WordOrList
from budget_gate.config.policy_leaf import is_text, natural_type, read_leaf
from budget_gate.config.policy_reader import read_values
from budget_gate.config.policy_reference import policy_reference
from budget_gate.config.policy_schema import kind_schema, policy_schema
from budget_gate.config.policy_yaml import ListNode, MapNode, Node, ScalarNode, read_tree

ACME = Path("examples/acme/budget-gate.yml")
BROKEN = sorted((Path(__file__).parent / "broken_policies").glob("*.yml"))


def _ecma_pattern(validator: Any, pattern: str, instance: object, schema: object) -> Iterator[jsonschema.ValidationError]:
    """Apply a pattern as ECMA 262 means it, where ``$`` is the very end; Python's also accepts a line feed after it."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError("does not match")


_extend: Any = jsonschema.validators.extend  # untyped in its stubs
Validator = _extend(jsonschema.Draft202012Validator, {"pattern": _ecma_pattern})
POLICY_VALIDATOR = Validator(policy_schema())


def as_json(node: Node) -> Any:
    """Return what an editor validates: the tree with scalars typed by YAML 1.2's core schema."""
    if isinstance(node, MapNode):
        return {key: as_json(value) for key, (_, value) in node.entries.items()}
    if isinstance(node, ListNode):
        return [as_json(item) for item in node.items]
    kind = natural_type(node.text, is_plain=node.is_plain)
    converted: dict[str, Any] = {"null": None, "boolean": node.text.lower() == "true"}
    if kind in converted:
        return converted[kind]
    if kind in ("integer", "number"):
        return json.loads(node.text) if len(node.text) < 4000 else 10**4000
    return float(node.text) if kind == "odd number" and node.text != ".nan" else node.text


def schema_accepts(data: object) -> bool:
    """True if the schema finds nothing wrong."""
    return bool(POLICY_VALIDATOR.is_valid(data))


def loader_accepts(text: str) -> bool:
    """True if the table of fields finds nothing wrong: what the loader checks value by value."""
    return not read_values(read_tree(text), POLICY)[1]


def test_the_schema_is_one() -> None:
    """The schema is valid itself, describes every field, and is small enough for an editor."""
    schema = policy_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert len(json.dumps(schema)) < 40_000
    assert all(field["description"] for field in schema["properties"].values())


def test_acme_passes_the_schema() -> None:
    """The example policy is right for editors too."""
    Validator(policy_schema()).validate(as_json(read_tree(ACME.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("path", BROKEN, ids=[path.stem for path in BROKEN])
def test_the_schema_sees_what_it_can(path: Path) -> None:
    """Each broken policy says in its second line whether a schema sees the fault; the others are the documented kinds."""
    sees = path.read_bytes().split(b"\n")[1].decode() == "# schema: see"
    if sees:
        assert not schema_accepts(as_json(read_tree(path.read_text(encoding="utf-8"))))
    else:
        assert path.stem in BLIND


BLIND = {
    # references
    "scope-of-an-unknown-model-tier", "timezone-hostile", "timezone-unknown", "workflow-answer-of-unknown-tier",
    "workflow-degrades-nowhere", "workflow-escalates-nowhere", "workflow-model-unknown", "workflow-without-models",
    "model-unlike-any", "model-without-price",
    # said twice, and in the wrong order
    "limit-twice", "scope-twice", "tiers-alert-above-stop", "tiers-warn-above-stop", "limit-stop-line-of-tokens",
    "limit-stop-line-over-nine-million", "workflow-answer-not-below-hard", "workflow-soft-over-hard", "price-date-that-is-none",
    # spelling of numbers
    "limit-in-scientific-notation", "limit-not-a-number", "limit-octal", "limit-too-fine",
    # YAML
    "yaml-alias", "yaml-alias-only", "yaml-deep", "yaml-empty", "yaml-escape-sequence", "yaml-indentation", "yaml-key-is-a-list",
    "yaml-key-twice", "yaml-not-utf-8", "yaml-right-to-left", "yaml-tab", "yaml-tag", "yaml-two-documents", "yaml-unclosed",
}  # fmt: skip
"""The broken policies that show what ``UNSEEN_BY_SCHEMA`` lists."""


def _leaves(kind: Kind) -> Iterator[Leaf]:
    if isinstance(kind, Leaf):
        yield kind
    elif isinstance(kind, Listing):
        yield from _leaves(kind.item)
    elif isinstance(kind, Table):
        yield from _leaves(kind.value)
    elif isinstance(kind, WordOrList):
        yield from (kind.word, *_leaves(kind.listing))
    else:
        for field in kind.fields:
            yield from _leaves(field.kind)


LEAVES = list({leaf.what + leaf.pattern + str(leaf.most): leaf for leaf in _leaves(POLICY)}.values())


def test_examples_are_right() -> None:
    """Every example in the schema is accepted by the loader and by the schema."""
    for leaf in LEAVES:
        for example in leaf.examples:
            read_leaf(ScalarNode(str(example), not isinstance(example, str), 1), leaf, ())
            Validator(kind_schema(leaf)).validate(example)


NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17).map(str),
    st.tuples(st.integers(-100, 10_000_000), st.integers(0, 9999)).map(lambda pair: f"{pair[0]}.{pair[1]:04d}"),
)
WORDS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[0-9.]{1,8}[%kKmM]", fullmatch=True),
    st.from_regex(r"(org|team|user|project|model)/[a-z*/ ]{0,6}", fullmatch=True),
    st.from_regex(r"@?[a-z_/-]{1,8}", fullmatch=True),
    st.from_regex(r"[0-9]{2}:[0-9]{2}", fullmatch=True),
    st.sampled_from(["", " x", "x ", "x\n", "a\nb", "é", "\u202e", "a" * 200, "a" * 201, "1000%", "1000.01%", "0%", "0k"]),
)


BOUNDARIES = sorted(
    {bound + step for leaf in LEAVES for bound in (leaf.least, leaf.above, leaf.most) if bound is not None for step in (-1, 0, 1)}
)


@given(
    st.sampled_from(LEAVES),
    st.one_of(
        st.one_of(NUMBERS, st.sampled_from(BOUNDARIES).map(str)).map(lambda text: (text, True)),
        WORDS.map(lambda text: (text, False)),
    ),
)
@settings(max_examples=1500, deadline=None)
def test_every_kind_of_value_is_judged_alike(leaf: Leaf, written: tuple[str, bool]) -> None:
    """For any number or quoted text, loader and schema agree on whether it is one of a kind's values."""
    node = ScalarNode(written[0], written[1], 1)
    try:
        read_leaf(node, leaf, ())
        accepted = True
    except ValueError:
        accepted = False
    value = as_json(node)
    agrees = Validator(kind_schema(leaf)).is_valid(value)
    is_another_spelling = isinstance(value, float) and (value.is_integer() or leaf.places < 4)
    assert accepted == agrees or (agrees and is_another_spelling)


@given(
    st.text(alphabet=st.characters(max_codepoint=127), max_size=20),
    st.sampled_from([leaf for leaf in LEAVES if leaf.ascii_pattern]),
)
def test_short_cuts_for_ascii_change_nothing(text: str, leaf: Leaf) -> None:
    """The quick pattern for plain ASCII gives the answer of the full one."""
    assert is_text(text, leaf) == is_text(text, leaf._replace(ascii_pattern=""))


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _paths(value, (*path, key))


ACME_DATA = as_json(read_tree(ACME.read_text(encoding="utf-8")))
PLACES = [path for path in _paths(ACME_DATA) if path]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**16),
    st.decimals(-1, 100, places=2).map(lambda value: float(value + Decimal("0.001"))),
    WORDS,
    st.sampled_from([[], {}, [1], {"usd": 1}, ["a"], {"a": 1}, ["warn", "warn"], "enforce", "80%", "10k"]),
)


def _taken(path: tuple[Any, ...]) -> tuple[Any, str]:
    """Return a copy of what stands at a place of the example policy, and the last key on the way there."""
    value: Any = ACME_DATA
    for key in path:
        value = value[key]
    return copy.deepcopy(value), next(key for key in reversed(path) if isinstance(key, str))


@st.composite
def mutations(draw: st.DrawFn) -> Any:
    """Return the example policy with one to three places changed, removed, renamed, doubled or swapped."""
    data = copy.deepcopy(ACME_DATA)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(PLACES))
        parent = data
        try:
            for key in way:
                parent = parent[key]
            old = parent[last]
        except (KeyError, IndexError, TypeError):
            continue
        how = draw(st.sampled_from(["change", "remove", "rename", "double", "swap", "graft"]))
        if how == "remove":
            del parent[last]
        elif how == "rename" and isinstance(parent, dict):
            parent[draw(WORDS)] = parent.pop(last)
        elif how == "double" and isinstance(parent, list):
            parent.append(old)
        elif how in ("swap", "graft"):
            other, name = _taken(draw(st.sampled_from(PLACES)))
            parent[name if how == "graft" and isinstance(parent, dict) else last] = other
        else:
            parent[last] = draw(JUNK)
    return data


@given(mutations())
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_loader_and_schema_agree_on_any_policy(data: Any) -> None:
    """A policy changed at random is accepted by both or refused by both (JSON is YAML, so it can be read as it is)."""
    text = re.sub(
        r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", _json(data)
    )
    assert loader_accepts(text) == schema_accepts(data)


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)


@pytest.mark.parametrize(
    ("written", "is_right"),
    [
        ("skip", True),
        ("review", True),
        ("[dependabot]", True),
        ('[renovate, "dependabot[bot]"]', True),
        ("dependabot", False),
        ("true", False),
        ("3", False),
        ("[]", False),
        ("{skip: review}", False),
        ("[skip, skip]", False),
        ("[a b]", False),
        ("[[dependabot]]", False),
        ("", False),
    ],
)
def test_a_word_or_a_list_is_judged_alike(written: str, is_right: bool) -> None:  # noqa: FBT001 - a column of the table
    """Where a word or a list may stand, loader and schema take the same ones."""
    text = ACME.read_text(encoding="utf-8").replace("agent: code_review", f"agent: code_review\n    bots: {written}")
    assert loader_accepts(text) == schema_accepts(as_json(read_tree(text))) == is_right


def test_the_reference_is_up_to_date() -> None:
    """``docs/policy-reference.md`` is what the table of fields says, and names each of its keys."""
    reference = Path("docs/policy-reference.md").read_text(encoding="utf-8")
    assert reference == policy_reference()
    for field in _fields(POLICY):
        assert f"| `{field}` |" in reference


def _fields(kind: Kind) -> Iterator[str]:
    if isinstance(kind, Record):
        for field in kind.fields:
            yield field.name
            yield from _fields(field.kind)
    elif isinstance(kind, Listing):
        yield from _fields(kind.item)
    elif isinstance(kind, Table):
        yield from _fields(kind.value)
