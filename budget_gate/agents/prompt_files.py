"""Prompts are text files with a header: a name, a version, and the envelope they promise to stay within."""

from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).with_name("prompts")


class Prompt(NamedTuple):
    """One prompt. ``fixed_tokens_most`` bounds a request of nothing but the prompt and its tool; a test keeps the promise."""

    name: str
    version: int
    fixed_tokens_most: int
    text: str


def load_prompt(name: str) -> Prompt:
    """Return the prompt ``prompts/NAME.md``. Raises ``ValueError`` when its header is not of the agreed form."""
    return parse_prompt((_FOLDER / f"{name}.md").read_text(encoding="utf-8"))


def parse_prompt(content: str) -> Prompt:
    """Return the prompt that a file's content holds; raises ``ValueError`` naming the field that is missing or wrong."""
    opening, _, rest = content.partition("---\n")
    header, closing, text = rest.partition("\n---\n")
    if opening or not closing:
        raise ValueError("a prompt opens with a header between two lines of three dashes")
    fields = dict(line.split(": ", 1) for line in header.splitlines() if ": " in line)
    for field in ("name", "version", "fixed_tokens_most"):
        if field not in fields:
            raise ValueError(f"the prompt's header lacks {field}")
    return Prompt(fields["name"], int(fields["version"]), int(fields["fixed_tokens_most"]), text.strip() + "\n")
