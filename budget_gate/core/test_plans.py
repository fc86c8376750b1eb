"""Test plans as values: what the test-generation agent produces and reports render."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.tickets import Requirement, Ticket

Priority = Literal["high", "medium", "low"]
PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")
FileCheck = Literal["parsed", "plausible", "unchecked"]
"""How sure we are that a file can be read by its language: by its own parser, by its brackets, or not at all."""


class PlannedCase(NamedTuple):
    """One test case. ``covers`` names requirements of the ticket."""

    name: str
    title: str
    preconditions: str
    steps: tuple[str, ...]
    expected: str
    priority: Priority
    covers: tuple[str, ...]


class WrittenFile(NamedTuple):
    """One test file, relative to the repository's root with forward slashes. ``cases`` are those that its text names."""

    path: str
    content: str
    cases: tuple[str, ...]
    check: FileCheck


def file_text(file: WrittenFile) -> str:
    """Return a file's text as it is written: it ends with a line feed, as text files do."""
    return file.content if file.content.endswith("\n") else f"{file.content}\n"


class RejectedFile(NamedTuple):
    """A file that the model offered and that is not written, with the reason."""

    path: str
    reason: str


class UnreadFile(NamedTuple):
    """A file that the ticket concerns and that the model was not shown, with the bound that kept it out, in words."""

    path: str
    reason: str


class PlanOutcome(NamedTuple):
    """A run of the agent. ``run`` has its verdict, cost and budgets; ``shown`` the files it was given to read, ``unread`` the others."""

    ticket: Ticket
    run: ReviewOutcome
    requirements: tuple[Requirement, ...] = ()
    cases: tuple[PlannedCase, ...] = ()
    files: tuple[WrittenFile, ...] = ()
    rejected: tuple[RejectedFile, ...] = ()
    gaps: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    unread: tuple[UnreadFile, ...] = ()


def trace_gaps(
    requirements: Sequence[Requirement], cases: Sequence[PlannedCase], files: Sequence[WrittenFile]
) -> tuple[str, ...]:
    """Return what breaks the line from requirement to case to file, in words; nothing when every link holds."""
    known = {each.name for each in requirements}
    covered = {name for case in cases for name in case.covers}
    written = {name for file in files for name in file.cases}
    gaps = [f"requirement {each.name} has no test case: {each.text}" for each in requirements if each.name not in covered]
    for case in cases:
        unknown = [name for name in case.covers if name not in known]
        if unknown:
            gaps.append(f"case {case.name} covers {', '.join(unknown)}, which the ticket does not have")
        if not case.covers:
            gaps.append(f"case {case.name} covers no requirement")
        if case.name not in written:
            gaps.append(f"case {case.name} is in no test file")
    gaps += [f"file {each.path} names no case of the plan" for each in files if not each.cases]
    return tuple(gaps)
