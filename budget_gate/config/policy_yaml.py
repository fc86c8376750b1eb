"""YAML text to a tree of texts: every scalar as it was written, every node with its line.

No value is interpreted here, so none of YAML's surprises (``no`` as false, ``16:00`` as 960) can happen; what a text means is
decided by the field it stands in (``policy_kinds``). Built from parser events rather than by PyYAML's composer, so that nothing a
hostile file nests or repeats is ever built: anchors, aliases, tags, deep nesting and large files are refused as they appear.
"""

import re
from typing import NamedTuple

import yaml

from budget_gate.config.faults import FieldFault, FieldPath, shown

BYTES_MAX = 256 * 1024
NODES_MAX = 20_000
DEPTH_MAX = 20

_FAST_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_REFUSED_CHARACTERS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
"""Control characters, line breaks that only YAML knows, and marks that reverse the reading direction of a line."""


class ScalarNode(NamedTuple):
    """A single value as written. ``is_plain`` is false when it was quoted or a block of text."""

    text: str
    is_plain: bool
    line: int


class ListNode(NamedTuple):
    """A list."""

    items: "list[Node]"
    line: int


class MapNode(NamedTuple):
    """A mapping: each key with its line and its value, in the order of the file."""

    entries: "dict[str, tuple[int, Node]]"
    line: int


Node = ScalarNode | ListNode | MapNode


class _Open:
    """A list or mapping that is not closed yet. ``key`` is the latest one; ``awaits_value`` says that its value comes next."""

    __slots__ = ("awaits_value", "key", "key_line", "node")

    def __init__(self, node: ListNode | MapNode) -> None:
        self.node = node
        self.key = ""
        self.key_line = 0
        self.awaits_value = False


def read_tree(text: str) -> Node:
    """Return the one document in ``text``. Raises ``FieldFault``, with its line, for the first thing that is not allowed."""
    if len(text) > BYTES_MAX or len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        raise FieldFault((), f"the file is larger than {BYTES_MAX // 1024} KiB", "write a shorter policy", 1)
    _check_characters(text)
    try:
        root = _built(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_yaml(mark.line + 1 if mark else 1) from None
    except yaml.YAMLError:
        raise _not_yaml(1) from None
    if root is None or (isinstance(root, ScalarNode) and root.is_plain and root.text in ("", "~", "null")):
        raise FieldFault((), "the file is empty", "write a policy, or run `budget-gate init` for a starter", 1)
    return root


def line_of(root: Node, path: FieldPath) -> int:
    """Return the line of the field at ``path``: of its key, of its list item, or of the nearest thing above it that exists."""
    node, line = root, 1
    for part in path:
        if isinstance(node, MapNode) and isinstance(part, str) and part in node.entries:
            line, node = node.entries[part]
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            line = node.line
        else:
            break
    return line


def _not_yaml(line: int) -> FieldFault:
    return FieldFault((), "this is not YAML", "check the indentation, quotes and brackets here and just above", line)


def _check_characters(text: str) -> None:
    """Refuse characters that change how a file reads but cannot be seen, and tabs, which YAML parsers disagree about."""
    for number, line in enumerate(text.split("\n"), start=1):
        visible = line.removesuffix("\r")
        if visible.isprintable():
            continue
        if "\t" in visible:
            raise FieldFault((), "the line contains a tab", "write spaces", number)
        found = re.search(_REFUSED_CHARACTERS, visible)
        if found:
            code = f"U+{ord(found[0]):04X}"
            raise FieldFault((), f"the line contains the invisible character {code}", "remove it", number)


def _built(text: str) -> Node | None:
    """Return the root, or None when there is no document; raise a fault as soon as the file is known to be refused."""
    root: Node | None = None
    stack: list[_Open] = []
    nodes = documents = 0
    for event in yaml.parse(text, Loader=_FAST_PARSER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            _check_node(event, stack, nodes, line)
            node = _opened(event, line)
            if stack:
                _attach(stack, node, line)
            else:
                root = node
            if not isinstance(node, ScalarNode):
                stack.append(_Open(node))
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise FieldFault((), "a second document begins here", "keep one policy per file and remove `---`", line)
    return root


def _check_node(event: yaml.NodeEvent, stack: list[_Open], nodes: int, line: int) -> None:
    """Refuse a node that is an alias, carries an anchor or a tag, or is one too many or too deep."""
    if event.anchor is not None:
        sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
        problem = f"{shown(sign + event.anchor)} is an alias or anchor, which a policy may not use"
        raise FieldFault(_path(stack), problem, "write the value out", line)
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise FieldFault(_path(stack), f"{shown(tag)} is a tag, which a policy may not use", "remove it", line)
    if nodes > NODES_MAX:
        raise FieldFault((), f"the file has more than {NODES_MAX} values", "write a shorter policy", line)
    if len(stack) >= DEPTH_MAX:
        raise FieldFault((), f"this is nested more than {DEPTH_MAX} levels deep", "write less nesting", line)


def _opened(event: yaml.NodeEvent, line: int) -> Node:
    if isinstance(event, yaml.ScalarEvent):
        return ScalarNode(event.value, not event.style, line)  # plain is "" to the fast parser and None to the slow one
    return ListNode([], line) if isinstance(event, yaml.SequenceStartEvent) else MapNode({}, line)


def _attach(stack: list[_Open], node: Node, line: int) -> None:
    """Put a node into the innermost open list or mapping; in a mapping, keys and values take turns."""
    inner = stack[-1]
    if isinstance(inner.node, ListNode):
        inner.node.items.append(node)
    elif inner.awaits_value:
        inner.node.entries[inner.key] = (inner.key_line, node)
        inner.awaits_value = False
    elif not isinstance(node, ScalarNode):
        raise FieldFault(_path(stack), "a key is a list or a mapping", "write a name as the key", line)
    elif node.text in inner.node.entries:
        raise FieldFault((*_path(stack), node.text), "is written twice", "keep one of the two", line)
    else:
        inner.key, inner.key_line, inner.awaits_value = node.text, line, True


def _path(stack: list[_Open]) -> FieldPath:
    """Return the path of the node that comes next."""
    parts: list[str | int] = []
    for level in stack:
        is_innermost = level is stack[-1]
        if isinstance(level.node, ListNode):
            # The levels further in are attached already: there the latest item is meant, here the one after it.
            parts.append(len(level.node.items) - (not is_innermost))
        elif level.awaits_value or not is_innermost:
            parts.append(level.key)
    return tuple(parts)
