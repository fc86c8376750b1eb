"""Hostile and unusual YAML: refused early, cheaply, and alike by both parsers."""

import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budget_gate.config import policy_yaml
from budget_gate.config.faults import FieldFault
from budget_gate.config.policy_yaml import (
    BYTES_MAX,
    DEPTH_MAX,
    NODES_MAX,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    line_of,
    read_tree,
)

PARSERS = {"fast": policy_yaml._FAST_PARSER, "slow": yaml.SafeLoader}


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test runs with libyaml's parser and with PyYAML's own."""
    monkeypatch.setattr(policy_yaml, "_FAST_PARSER", PARSERS[request.param])
    return str(request.param)


def fault_of(text: str) -> FieldFault:
    """Return the fault that reading ``text`` raises."""
    with pytest.raises(FieldFault) as caught:
        read_tree(text)
    return caught.value


def test_the_fast_parser_is_libyaml() -> None:
    """The environment these tests run in has the parser that users get."""
    assert policy_yaml._FAST_PARSER is yaml.CSafeLoader


def test_a_tree_keeps_texts_and_lines(parser: str) -> None:
    """Scalars stay as written, and every key, item and value knows its line."""
    root = read_tree("a: 0x10\nb:\n  - 'no'\n  - {c: ~, d: [1,\n    2]}\n")
    assert isinstance(root, MapNode)
    assert root.entries["a"] == (1, ScalarNode("0x10", is_plain=True, line=1))
    second = root.entries["b"][1]
    assert isinstance(second, ListNode)
    assert second.items[0] == ScalarNode("no", is_plain=False, line=3)
    assert line_of(root, ("b", 1, "c")) == 4
    assert line_of(root, ("b", 1, "d", 1)) == 5
    assert line_of(root, ("b", 1, "missing", "deeper")) == 4
    assert line_of(root, ()) == 1


@pytest.mark.parametrize(
    ("text", "line", "path", "problem"),
    [
        ("a: [1, {b: &x 1}]", 1, ("a", 1, "b"), "'&x' is an alias or anchor"),
        ("a: &x 1\nb: *x\n", 1, ("a",), "'&x' is an alias or anchor"),
        ("a:\n  - 1\n  - *x\n", 3, ("a", 1), "'*x' is an alias or anchor"),
        ("a: 1\nb: {c: 1, d: [], c: 2}\n", 2, ("b", "c"), "is written twice"),
        ("a: !!int 1\n", 1, ("a",), "is a tag"),
        ("a: ! 1\n", 1, ("a",), "is a tag"),
        ("--- 1\n--- 2\n", 2, (), "a second document"),
        ("a: {[b]: 1}\n", 1, ("a",), "a key is a list"),
        ("a: 1\n\tb: 1\n", 2, (), "contains a tab"),
        ("a: 1\r\nb: x\rc\r\n", 2, (), "U+000D"),
        ("a: 1\nb: \x85\n", 2, (), "U+0085"),
        ("~", 1, (), "is empty"),
        ("---\n", 1, (), "is empty"),
        ("a: 'x\n", 2, (), "not YAML"),
        ("%YAML 3.0\n---\na: 1\n", 1, (), "not YAML"),
    ],
)
def test_what_a_policy_may_not_use(parser: str, text: str, line: int, path: tuple[str | int, ...], problem: str) -> None:
    """Each construct is refused at its line and path."""
    fault = fault_of(text)
    assert (fault.line, fault.path) == (line, path)
    assert problem in fault.problem


def test_size_limits_hold_exactly(parser: str) -> None:
    """The last allowed node, level and byte are read; one more is refused."""
    read_tree("[" + "1," * (NODES_MAX - 2) + "1]")
    assert "values" in fault_of("[" + "1," * (NODES_MAX - 1) + "1]").problem
    read_tree("[" * DEPTH_MAX + "]" * DEPTH_MAX)
    assert "levels" in fault_of("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1)).problem
    read_tree("a: 1\n" + "#" * (BYTES_MAX - 5))
    assert "KiB" in fault_of("a: 1\n" + "#" * (BYTES_MAX - 4)).problem
    assert "KiB" in fault_of("a: 1\n#" + "é" * (BYTES_MAX // 2)).problem


@pytest.mark.parametrize("piece", ["[", "{", "{a: ", "- ", "? ", "a: {", "&a [", "'", '"', "a: |\n ", "- [\n"])
def test_bombs_cost_little(parser: str, piece: str) -> None:
    """A quarter of a megabyte of nesting, quotes or anchors is read or turned away in a moment."""
    start = time.process_time()
    _outcome(piece * (BYTES_MAX // len(piece)), PARSERS[parser])
    assert time.process_time() - start < 3


TOKENS = st.sampled_from(
    ["a", "b: ", "- ", "\n", "  ", "[", "]", "{", "}", ", ", "'", '"', "#", "|", ">", "1", ":", "? ", "&a ", "*a", "! "]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(TOKENS, max_size=30).map("".join))
def test_any_text_is_a_tree_or_a_fault(text: str) -> None:
    """Nothing but a fault ever comes out of a text, whichever parser reads it."""
    for candidate in PARSERS.values():
        assert isinstance(_outcome(text, candidate), (ScalarNode, ListNode, MapNode, FieldFault))


def _outcome(text: str, candidate: type) -> Node | FieldFault:
    before = policy_yaml._FAST_PARSER
    policy_yaml._FAST_PARSER = candidate
    try:
        return read_tree(text)
    except FieldFault as fault:
        return fault
    finally:
        policy_yaml._FAST_PARSER = before
