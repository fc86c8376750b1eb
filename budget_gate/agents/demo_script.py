"""The scripted stand-in for a model in demos without a key: it really reads the shown lines, by a table of patterns.

It answers the forced tool call as a model would, deterministically. It is no reviewer, and says so in its summary.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from budget_gate.agents.review_request import TOOL_NAME
from budget_gate.agents.triage_request import TRIAGE_TOOL_NAME

SUMMARY = "Scripted stand-in, no model was asked: the shown lines were searched for a fixed list of patterns."

_ADDED = re.compile(r"R(\d{1,10}) \+(.*)")
_FILE = re.compile(r"file (.*) \([a-z_]+\)")
_HUNK = re.compile(r"hunk (\d{1,6}): (.*?) \([a-z_]+\).*")
_LINE_CHARACTERS_MOST = 500


class Rule(NamedTuple):
    """A pattern for one added line, what to say about it, and the endings of the paths it applies to (none: every path)."""

    pattern: re.Pattern[str]
    severity: str
    category: str
    text: str
    endings: tuple[str, ...] = (".py",)


def _rule(pattern: str, severity: str, category: str, text: str, *endings: str) -> Rule:
    return Rule(re.compile(pattern), severity, category, text, endings)


_PYTHON = (".py",)
_CODE = (".py", ".js", ".ts", ".jsx", ".tsx", ".mjs")
RULES = (
    _rule(
        r"(?i)(?:password|passwd|secret|api_?key|token)\w*\s*[:=]\s*['\"][^'\"\s$<{]{4,}['\"]",
        "critical",
        "security",
        "A credential is written into the source. Read it from the environment and rotate this one.",
    ),
    _rule(
        r"(?i)(?:execute|executemany|query|raw)\(\s*(?:[rb]?f['\"].*\{|['\"].*['\"]\s*(?:%|\+)|['\"].*\.format\()",
        "critical",
        "security",
        "SQL is put together from values, so a value can change the statement. Pass parameters.",
        *_CODE,
    ),
    _rule(
        r"(?i)f['\"]\s*(?:select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from)\b.*\{",
        "critical",
        "security",
        "SQL is put together from values, so a value can change the statement. Pass parameters.",
        *_PYTHON,
    ),
    _rule(
        r"(?<![\w.])(?:eval|exec)\(",
        "high",
        "security",
        "This runs text as code. If any of it comes from outside, so does the code. Parse it instead.",
        *_CODE,
    ),
    _rule(
        r"shell\s*=\s*True",
        "high",
        "security",
        "A shell reads this command, so a value can add commands of its own. Pass a list, without the shell.",
        *_PYTHON,
    ),
    _rule(
        r"\byaml\.load\((?!.*Safe)|\bpickle\.loads?\(",
        "high",
        "security",
        "Loading this can run code chosen by whoever wrote the data. Use a safe loader.",
        *_PYTHON,
    ),
    _rule(
        r"\bverify\s*=\s*False",
        "high",
        "security",
        "Certificates are not checked, so anybody on the way can answer. Leave verification on.",
        *_PYTHON,
    ),
    _rule(
        r"def \w+\(.*=\s*(?:\[\]|\{\}|set\(\))\s*[,)]",
        "medium",
        "correctness",
        "The default is made once and shared by all calls. Default to None and make a new one inside.",
        *_PYTHON,
    ),
    _rule(
        r"^\s*except\s*:",
        "medium",
        "error handling",
        "A bare except also swallows interrupts and typing errors. Name what can be handled here.",
        *_PYTHON,
    ),
    _rule(
        r"\brequests\.(?:get|post|put|patch|delete|head|request)\((?!.*timeout).*\)",
        "medium",
        "reliability",
        "Without a timeout this call can wait for ever. Pass one.",
        *_PYTHON,
    ),
    _rule(
        r"range\(\s*(?:1\s*,\s*len\(|len\([^)]*\)\s*\+\s*1)|<=\s*(?:len\(|\w+\.length\b)|\[len\(\w+\)\]",
        "medium",
        "correctness",
        "This looks off by one: indexes run from 0 to the length less one.",
        *_CODE,
    ),
    _rule(
        r"^(?!\s*(?:async\s+)?with\b)(?!.*\bwith\b).*(?<![\w.])open\(",
        "low",
        "resources",
        "The file is not closed when something raises in between. Open it in a with statement.",
        *_PYTHON,
    ),
    _rule(
        r"(?<![\w.])open\((?!.*encoding)(?!.*['\"][rwax+]*b[rwax+]*['\"]).*\)",
        "low",
        "portability",
        "Without an encoding the platform chooses one. Say encoding='utf-8'.",
        *_PYTHON,
    ),
    _rule(
        r"\b(?:TODO|FIXME|XXX)\b",
        "info",
        "maintenance",
        "A note of unfinished work is left behind. Finish it, or open an issue and name it here.",
    ),
)
"""What the stand-in looks for, the gravest first; of one category, a line meets one rule."""


def scripted_reviewer(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the content blocks that answer a review or triage request: one call of the forced tool, with what the rules found.

    A request that forces no tool gets a sentence instead.
    """
    if body.get("tool_choice", {}).get("name") == TRIAGE_TOOL_NAME:
        picks = {"picks": list(_picks(_user_text(body)))}
        return [{"type": "tool_use", "id": "toolu_scripted", "name": TRIAGE_TOOL_NAME, "input": picks}]
    if body.get("tool_choice", {}).get("name") != TOOL_NAME:
        return [{"type": "text", "text": SUMMARY}]
    reported = {"findings": list(_findings(_user_text(body))), "summary": SUMMARY}
    return [{"type": "tool_use", "id": "toolu_scripted", "name": TOOL_NAME, "input": reported}]


def _user_text(body: Mapping[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "\n".join(block.get("text", "") for block in content)


def _findings(text: str) -> Iterator[dict[str, Any]]:
    """Yield findings for the added lines inside the diff's tags; the title and description are not looked at."""
    path, in_diff = "", False
    for line in text.split("\n"):
        if line.startswith(("<diff-", "</diff-")):
            in_diff = not line.startswith("</")
        elif in_diff and (file := _FILE.fullmatch(line)):
            path = file[1]
        elif in_diff and path and (added := _ADDED.fullmatch(line)):
            yield from _findings_on(path, int(added[1]), added[2][:_LINE_CHARACTERS_MOST])


def _findings_on(path: str, line: int, text: str) -> Iterator[dict[str, Any]]:
    seen = set()
    for rule in RULES:
        if rule.category not in seen and (not rule.endings or path.endswith(rule.endings)) and rule.pattern.search(text):
            seen.add(rule.category)
            place = {"path": path, "line": line, "end_line": line, "side": "RIGHT"}
            yield {**place, "severity": rule.severity, "category": rule.category, "text": rule.text}


def _picks(text: str) -> Iterator[dict[str, Any]]:
    """Yield each listed hunk in which a rule finds something, once."""
    number, path, last = 0, "", 0
    for line in text.split("\n"):
        if hunk := _HUNK.fullmatch(line):
            number, path = int(hunk[1]), hunk[2]
        elif number > last and line.startswith("+") and (found := next(_findings_on(path, 0, line[1:]), None)):
            last = number
            yield {"hunk": number, "why": found["category"]}
