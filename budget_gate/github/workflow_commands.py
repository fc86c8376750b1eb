r"""What a runner reads from a job's log: commands we mean (masks, annotations), and text that must not become one.

A runner takes any line that begins with ``::`` after white space, and ``##[`` anywhere in a line, for a command; see
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands and ``ActionCommand.cs`` in actions/runner.
"""

import re
import unicodedata
from typing import Literal

AnnotationLevel = Literal["notice", "warning", "error"]
_OLD_COMMAND = re.compile(r"(#[^ -~]*#[^ -~]*)\[")
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def safe_log_text(text: str) -> str:
    """Return untrusted text that no runner takes a command from, and that shows what it says.

    Every kind of line break becomes a newline; other control characters, and those that show nothing, go; a line that would begin
    with ``::`` gets a bar in front.
    """
    return "\n".join(_safe_line(line) for line in text.splitlines()) + ("\n" if text.endswith("\n") else "")


def _safe_line(line: str) -> str:
    shown = "".join(c for c in line if c == "\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    # .NET may compare by culture there, passing over characters that show nothing, so those protect no line either
    shown = _OLD_COMMAND.sub(r"\1 [", shown)
    visible = (c for c in shown if not c.isspace() and unicodedata.category(c)[0] not in "CZM")
    return f"| {shown}" if next(visible, "") == ":" else shown


def mask_commands(secret: str) -> str:
    """Return the lines that make a runner hide a secret: one for each of its lines, for logs come by lines. Empty for blanks."""
    return "".join(f"::add-mask::{_escaped(line, _DATA)}\n" for line in secret.splitlines() if line.strip())


def annotation(level: AnnotationLevel, message: str, *, title: str = "", file: str = "", line: int = 0, end_line: int = 0) -> str:
    """Return the line that shows a message on the run's page, and beside a line of a file where one is given."""
    properties = {"file": file, "line": str(line or ""), "endLine": str(end_line or ""), "title": title}
    given = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties.items() if value)
    return f"::{level}{' ' if given else ''}{given}::{_escaped(message, _DATA)}\n"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(c, c) for c in text)
