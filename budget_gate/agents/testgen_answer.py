"""Reads the model's answer to a test generation: data from outside, every field checked by hand, nothing raised for its content."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from budget_gate.agents.testgen_checkout import Checkout
from budget_gate.agents.testgen_request import TOOL_NAME
from budget_gate.agents.testgen_syntax import DoesNotParse, check_syntax
from budget_gate.agents.tool_answers import tool_input
from budget_gate.core.secrets_masking import MASK
from budget_gate.core.test_plans import PRIORITIES, PlannedCase, RejectedFile, WrittenFile

CASES_READ_MOST = 60
FILES_READ_MOST = 20
STEPS_READ_MOST = 30
TEXT_CHARACTERS_MOST = 1_000
CONTENT_CHARACTERS_MOST = 60_000
SUMMARY_CHARACTERS_MOST = 600

_CASE_NAME = re.compile(r"TC-[0-9]{1,4}")
_NAMED = re.compile(r"(?<![A-Za-z0-9])TC[-_ ]?([0-9]{1,4})(?![0-9])", re.IGNORECASE)
_REQUIREMENT_NAME = re.compile(r"R[0-9]{1,3}")


class PlanAnswer(NamedTuple):
    """What an answer says. ``failure`` is one line when something is wrong with it; it may be usable all the same.

    ``unparsed`` has the text of each rejected file that its language cannot read, by path: another call may mend those.
    """

    cases: tuple[PlannedCase, ...] = ()
    files: tuple[WrittenFile, ...] = ()
    rejected: tuple[RejectedFile, ...] = ()
    summary: str = ""
    failure: str = ""
    unparsed: Mapping[str, str] = MappingProxyType({})


def read_plan(
    message: Mapping[str, Any], checkout: Checkout, *, may_overwrite: bool = False, known_cases: Collection[str] = ()
) -> PlanAnswer:
    """Return the plan and the files of a Messages response, files that may not be written set aside with the reason.

    ``known_cases`` are names of an earlier answer that the files of this one may carry out as well.
    """
    reported = tool_input(message, TOOL_NAME)
    is_cut = message.get("stop_reason") == "max_tokens"
    if reported is None or not isinstance(reported.get("cases"), list):
        failure = "the model's answer was cut off" if is_cut else "the model's answer is not of the agreed form"
        return PlanAnswer(failure=failure)
    cases: dict[str, PlannedCase] = {}
    for item in reported["cases"][:CASES_READ_MOST]:
        case = _case(item)
        if case is not None:
            cases.setdefault(case.name, case)
    offered = reported.get("files")
    files: dict[str, WrittenFile] = {}
    rejected: list[RejectedFile] = []
    unparsed: dict[str, str] = {}
    for item in (offered if isinstance(offered, list) else [])[:FILES_READ_MOST]:
        try:
            file = _file(item, checkout, {*cases, *known_cases}, may_overwrite=may_overwrite)
        except DoesNotParse as error:
            path = item["path"]
            file = RejectedFile(path, str(error))
            unparsed.setdefault(path, item["content"])
        if isinstance(file, RejectedFile) or file.path in files:
            rejected.append(file if isinstance(file, RejectedFile) else RejectedFile(file.path, "it is there twice"))
        else:
            files[file.path] = file
    failure = "the model's answer was cut off at its longest length; cases or files may be missing" if is_cut else ""
    summary = reported.get("summary")
    shortened = summary.strip()[:SUMMARY_CHARACTERS_MOST] if isinstance(summary, str) else ""
    broken = {path: content for path, content in unparsed.items() if path not in files}
    return PlanAnswer(tuple(cases.values()), tuple(files.values()), tuple(rejected), shortened, failure, broken)


def _case(item: object) -> PlannedCase | None:
    if not isinstance(item, Mapping):
        return None
    name, title, expected = (_text(item.get(field)) for field in ("name", "title", "expected"))
    priority = _text(item.get("priority")).lower()
    if not _CASE_NAME.fullmatch(name) or not title or not expected or priority not in PRIORITIES:
        return None
    covers = tuple(dict.fromkeys(each for each in _texts(item.get("covers")) if _REQUIREMENT_NAME.fullmatch(each)))
    steps = tuple(each for each in _texts(item.get("steps")) if each)
    is_manual = item.get("manual") is True
    return PlannedCase(name, title, _text(item.get("preconditions")), steps, expected, priority, covers, is_manual)


def _file(item: object, checkout: Checkout, cases: set[str], *, may_overwrite: bool) -> WrittenFile | RejectedFile:
    """Return a file, or why it may not be written. Raises ``DoesNotParse`` for one that has nothing else against it."""
    path = item.get("path") if isinstance(item, Mapping) else None
    content = item.get("content") if isinstance(item, Mapping) else None
    if not isinstance(path, str) or not isinstance(content, str):
        return RejectedFile("(a file without a path)", "it is not of the agreed form")
    shown_path = path[:200]
    problem = checkout.problem_with(path, may_overwrite=may_overwrite)
    if not problem and len(content) > CONTENT_CHARACTERS_MOST:
        problem = f"it is longer than {CONTENT_CHARACTERS_MOST:,} characters"
    if not problem and MASK.search(content):
        problem = "it uses a masked secret as if it were a value"
    if problem:
        return RejectedFile(shown_path, problem)
    check = check_syntax(path, content)
    return WrittenFile(path, content, cases_named_in(content, cases), check)


def cases_named_in(text: str, cases: Collection[str]) -> tuple[str, ...]:
    """Return which of some cases a test's text names, in the text's order."""
    named = dict.fromkeys(f"TC-{match[1]}" for match in _NAMED.finditer(text))
    return tuple(name for name in named if name in cases)


def _text(value: object) -> str:
    return value.strip()[:TEXT_CHARACTERS_MOST] if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [_text(each) for each in value[:STEPS_READ_MOST]] if isinstance(value, list) else []
