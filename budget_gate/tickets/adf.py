"""Jira's document format as plain text: paragraphs, lists and code keep their lines, everything else its words.

The format: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from collections.abc import Iterator

DEPTH_MOST = 40
CHARACTERS_MOST = 200_000

_LISTS = frozenset(("bulletList", "orderedList", "taskList", "decisionList"))
_WORDS = frozenset(("mention", "emoji", "status", "date", "inlineCard", "blockCard"))
_BLOCKS = frozenset(("paragraph", "heading", "blockquote", "panel", "tableRow", "mediaSingle", "expand", "decisionItem"))


def adf_text(document: object) -> str:
    """Return the text of a document; what is no document reads as nothing, and a plain text as itself."""
    if isinstance(document, str):
        return document[:CHARACTERS_MOST]
    text = "".join(_parts(document, 0, ""))[:CHARACTERS_MOST]
    lines = [line.rstrip() for line in text.split("\n")]
    kept = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    return "\n".join(kept).strip("\n")


def _parts(node: object, depth: int, indent: str) -> Iterator[str]:
    if not isinstance(node, dict) or depth > DEPTH_MOST:
        return
    kind = node.get("type")
    inner = _children(node)
    if kind == "text":
        yield _string(node.get("text"))
    elif kind == "hardBreak":
        yield "\n"
    elif kind in _WORDS:
        yield _named(node.get("attrs"))
    elif kind in _LISTS:
        yield from _list(inner, depth, indent, is_ordered=kind == "orderedList")
    else:
        fence = "\n```\n" if kind == "codeBlock" else ""
        yield fence
        for child in inner:
            yield from _parts(child, depth + 1, indent)
            yield " | " if kind == "tableRow" else ""
        yield fence or ("\n" if kind in _BLOCKS else "")


def _list(items: list[dict[str, object]], depth: int, indent: str, *, is_ordered: bool) -> Iterator[str]:
    for number, item in enumerate(items, start=1):
        words = "".join(part for child in _children(item) for part in _parts(child, depth + 1, indent + "  "))
        yield f"\n{indent}{f'{number}.' if is_ordered else '-'} {words.strip(chr(10))}"
    yield "\n"


def _children(node: dict[str, object]) -> list[dict[str, object]]:
    content = node.get("content")
    return [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _named(attributes: object) -> str:
    """Return what a mention, an emoji, a status or a link shows."""
    if not isinstance(attributes, dict):
        return ""
    return next((text for name in ("text", "shortName", "url", "timestamp") if (text := _string(attributes.get(name)))), "")
