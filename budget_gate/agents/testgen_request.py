"""Builds the Messages request of a test generation: instructions, then ticket, requirements, code and tests, each between tags."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from budget_gate.agents.prompt_files import Prompt
from budget_gate.agents.review_request import shown
from budget_gate.agents.testgen_checkout import SourceFile
from budget_gate.core.secrets_masking import mask_text
from budget_gate.core.test_plans import PRIORITIES
from budget_gate.core.tickets import Requirement, Ticket

TOOL_NAME = "report_tests"
BODY_CHARACTERS_MOST = 12_000
FILE_CHARACTERS_MOST = 16_000

NARROW = (
    "This task has little left to spend: keep the answer short. At most 8 cases, those that matter most; steps in few words; one test "
    "file, without comments but the names of the cases."
)

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_CASE = {
    "name": _TEXT,
    "title": _TEXT,
    "preconditions": _TEXT,
    "steps": _TEXTS,
    "expected": _TEXT,
    "priority": {"type": "string", "enum": list(PRIORITIES)},
    "covers": _TEXTS,
}
TOOL: Mapping[str, Any] = {
    "name": TOOL_NAME,
    "description": "Report the test plan and the test files.",
    "input_schema": {
        "type": "object",
        "properties": {
            "cases": {"type": "array", "items": {"type": "object", "properties": _CASE, "required": list(_CASE)}},
            "files": {
                "type": "array",
                "items": {"type": "object", "properties": {"path": _TEXT, "content": _TEXT}, "required": ["path", "content"]},
            },
            "summary": _TEXT,
        },
        "required": ["cases", "files", "summary"],
    },
}
"""The structured answer; ``testgen_answer`` checks by hand what it says."""


class MaskedFile(NamedTuple):
    """A file as it is sent, cut to what one file may take, and how many secrets were taken out."""

    path: str
    text: str
    secrets: int


def masked_file(file: SourceFile) -> MaskedFile:
    """Return a file without its secrets; a long one keeps its beginning and says so."""
    masked = mask_text(file.text)
    text = masked.text
    if len(text) > FILE_CHARACTERS_MOST:
        text = text[:FILE_CHARACTERS_MOST] + "\n(the rest is not shown)"
    return MaskedFile(file.path, text, masked.secrets)


def masked_ticket(ticket: Ticket) -> tuple[Ticket, int]:
    """Return a ticket without its secrets, its body cut, and how many secrets were taken out."""
    title, body = mask_text(ticket.title), mask_text(ticket.body)
    return ticket._replace(title=title.text, body=body.text[:BODY_CHARACTERS_MOST]), title.secrets + body.secrets


class PlanBriefing(NamedTuple):
    """What a request is made of, but for the files. ``tag`` is drawn at random and occurs in nothing that is sent."""

    prompt: Prompt
    tag: str
    ticket: Ticket
    requirements: Sequence[Requirement]
    framework: str

    def request(self, code: Iterable[MaskedFile], tests: Iterable[MaskedFile], *, is_narrow: bool = False) -> dict[str, Any]:
        """Return the request, without ``model`` and ``max_tokens``. A narrow one asks for a short answer."""
        listed = "\n".join(f"{each.name}: {shown(each.text)}" for each in self.requirements)
        parts = [
            f"The random word is {self.tag}. The tests are written for {self.framework}.",
            *([NARROW] if is_narrow else []),
            self._fenced("ticket", f"{shown(self.ticket.title)}\n\n{_lines(self.ticket.body)}"),
            self._fenced("requirements", listed),
            *(self._fenced("code", _file(each)) for each in code),
            *(self._fenced("existing-test", _file(each)) for each in tests),
        ]
        return {
            "system": [{"type": "text", "text": self.prompt.text}],
            "tools": [TOOL],
            "tool_choice": {"type": "tool", "name": TOOL_NAME},
            "messages": [{"role": "user", "content": [{"type": "text", "text": "\n".join(parts)}]}],
        }

    def _fenced(self, name: str, data: str) -> str:
        return f"<{name}-{self.tag}>\n{data}\n</{name}-{self.tag}>"


def _file(file: MaskedFile) -> str:
    return f"file {shown(file.path)}\n{_lines(file.text)}"


def _lines(text: str) -> str:
    return "\n".join(shown(line) for line in text.split("\n"))
