"""The one correction that a faulty answer is asked for: what is wrong with it, how to ask, and what of the new answer counts.

Nothing becomes worse: a file that was right is replaced only by one that parses and names at least its cases, and a case keeps
everything but the requirements it covers.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from budget_gate.agents.review_request import unused_tag
from budget_gate.agents.testgen_answer import CASES_READ_MOST, CONTENT_CHARACTERS_MOST, PlanAnswer, cases_named_in
from budget_gate.agents.testgen_checkout import SourceFile
from budget_gate.agents.testgen_report import counted
from budget_gate.agents.testgen_request import MaskedFile, PlanBriefing, masked_file
from budget_gate.core.test_plans import WrittenFile, trace_gaps
from budget_gate.core.tickets import Requirement


class Faults(NamedTuple):
    """What another call may mend: files to be corrected by path, and what is wrong in words, a line each."""

    files: tuple[SourceFile, ...]
    words: tuple[str, ...]
    has_gaps: bool


def faults_of(answer: PlanAnswer, requirements: Sequence[Requirement]) -> Faults:
    """Return the faults of an answer; none where there is no plan to begin with.

    A file that does not parse is taken to carry out its cases until it is corrected. Where a case is in no file, any file may be
    the one that forgot its name.
    """
    if not answer.cases:
        return Faults((), (), has_gaps=False)
    broken = [SourceFile(path, text) for path, text in answer.unparsed.items()]
    names = {each.name for each in answer.cases}
    assumed = [WrittenFile(each.path, each.text, cases_named_in(each.text, names), "unchecked") for each in broken]
    gaps = trace_gaps(requirements, answer.cases, (*answer.files, *assumed))
    carried_out = {name for file in (*answer.files, *assumed) for name in file.cases}
    is_one_without_file = any(case.name not in carried_out and not case.is_manual for case in answer.cases)
    suspects = [each for each in answer.files if is_one_without_file or not each.cases]
    reasons = {each.path: each.reason for each in answer.rejected}
    words = (*(f"file {each.path}: {reasons[each.path]}" for each in broken), *gaps)
    return Faults((*broken, *(SourceFile(each.path, each.content) for each in suspects)), words, bool(gaps))


def correction_request(briefing: PlanBriefing, answer: PlanAnswer, faults: Faults, code: Sequence[MaskedFile]) -> dict[str, Any]:
    """Return the request. What the model has written is data as well: the fence is one that occurs in none of it."""
    plan = "\n".join(f"{each.name} covers {', '.join(each.covers) or 'nothing'}: {each.title}" for each in answer.cases)
    files = [masked_file(each, characters_most=CONTENT_CHARACTERS_MOST) for each in faults.files]
    texts = (plan, *faults.words, *(f"{each.path}\n{each.text}" for each in (*files, *code)))
    fenced = briefing._replace(tag=unused_tag(briefing.tag, texts))
    return fenced.correction(plan, faults.words, files, code)


def mended(answer: PlanAnswer, correction: PlanAnswer, faults: Faults, requirements: Sequence[Requirement]) -> PlanAnswer:
    """Return the answer with what the correction makes better."""
    known = {each.name for each in requirements}
    cases = {each.name: each for each in answer.cases}
    for case in correction.cases:
        before = cases.get(case.name)
        if before is None and len(cases) < CASES_READ_MOST:
            cases[case.name] = case
        elif before is not None and not (before.covers and set(before.covers) <= known):
            cases[case.name] = before._replace(covers=case.covers)
    files = {each.path: each for each in answer.files}
    mendable = {each.path for each in faults.files}
    for file in correction.files:
        before_file = files.get(file.path)
        is_better = file.path in mendable and (before_file is None or set(file.cases) > set(before_file.cases))
        is_new = before_file is None and faults.has_gaps and bool(file.cases)
        if is_better or is_new:
            files[file.path] = file
    again = {each.path: each.reason for each in correction.rejected}
    still = (
        each._replace(reason=f"{again.get(each.path, each.reason)}, after one correction")
        if each.path in answer.unparsed
        else each
        for each in answer.rejected
        if each.path not in files
    )
    return answer._replace(cases=tuple(cases.values()), files=tuple(files.values()), rejected=tuple(still), unparsed={})


def left_out(answer: PlanAnswer, why: str) -> PlanAnswer:
    """Return the answer where no correction came: its files that do not parse are left out, with the reason."""
    rejected = (
        each._replace(reason=f"{each.reason}; {why}") if each.path in answer.unparsed else each for each in answer.rejected
    )
    return answer._replace(rejected=tuple(rejected))


def repair_words(before: PlanAnswer, after: PlanAnswer, requirements: Sequence[Requirement]) -> str:
    """Return what one correction came to, in words."""
    faults = len(before.unparsed) + len(trace_gaps(requirements, before.cases, before.files))
    left = len([each for each in after.rejected if each.path in before.unparsed])
    left += len(trace_gaps(requirements, after.cases, after.files))
    mended_faults = f"{max(faults - left, 0)} of {counted(faults, 'fault')} mended" if left else "every fault is mended"
    return f"one correction was asked for: {mended_faults}"
