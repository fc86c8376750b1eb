"""A review as SARIF 2.1.0, for code scanning and editors.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
Paths are relative to the repository; fingerprints do not move with the lines, so a finding that was dismissed stays dismissed.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from budget_gate.core.fingerprints import fingerprint
from budget_gate.core.money import usd_text
from budget_gate.core.pull_requests import Finding, Severity
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports.clean_text import TEXT_CHARACTERS, visible
from budget_gate.reports.outcome_view import gravest_first

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "budgetGateFinding/v1"
ROOT = "REPOSITORY"

_LEVELS: Mapping[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SECURITY_SCORES: Mapping[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.5"}
"""What GitHub sorts alerts of security rules by: the middle of its band for each word."""

_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


def render_sarif(outcome: ReviewOutcome, *, workflow: str, version: str) -> dict[str, Any]:
    """Return the SARIF log of one review: one run, a rule per category, a result per finding."""
    findings = gravest_first(outcome.findings)
    rules = {_rule_id(each): each for each in reversed(findings)}
    order = sorted(rules)
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        identity = fingerprint(workflow, finding)
        seen[identity] += 1
        results.append(_result(finding, order, f"{identity}:{seen[identity]}"))
    run = {
        "tool": {"driver": {"name": "budget-gate", "version": version, "rules": [_rule(each, rules[each]) for each in order]}},
        "automationDetails": {"id": f"budget-gate/{_slug(workflow)}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(outcome)],
        "results": results,
        "properties": {"verdict": outcome.verdict, "costUsd": usd_text(outcome.cost_nano_usd), "model": outcome.model},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, order: list[str], identity: str) -> dict[str, Any]:
    rule = _rule_id(finding)
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path), "uriBaseId": ROOT}}
    text = _plain(finding.text)
    if finding.side == "RIGHT":
        place["region"] = {"startLine": finding.line, "endLine": finding.end_line}
    else:  # a region would point into the new file, where those lines are gone
        text = f"Line {finding.line} before the change: {text}"
    return {
        "ruleId": rule,
        "ruleIndex": order.index(rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {FINGERPRINT: identity},
        "properties": {"severity": finding.severity},
    }


def _rule(rule: str, gravest: Finding) -> dict[str, Any]:
    """Return a category as a rule; one about security carries the score of its gravest finding."""
    name = _plain(gravest.category)
    properties: dict[str, Any] = {"tags": [rule]}
    if "security" in rule:
        properties["security-severity"] = _SECURITY_SCORES[gravest.severity]
    return {"id": rule, "name": name, "shortDescription": {"text": f"Review remarks on {name}"}, "properties": properties}


def _invocation(outcome: ReviewOutcome) -> dict[str, Any]:
    notes = [
        {"level": "warning", "message": {"text": _plain(f"{part.path}: not reviewed: {part.reason}")}}
        for part in outcome.not_reviewed
    ]
    failed = [{"level": "error", "message": {"text": _plain(outcome.failure)}}] if outcome.failure else []
    return {"executionSuccessful": not outcome.failure, "toolExecutionNotifications": [*failed, *notes]}


def _rule_id(finding: Finding) -> str:
    return _slug(finding.category)


def _slug(text: str) -> str:
    return _NOT_PLAIN.sub("-", text.lower()).strip("-")[:60] or "remark"


def _plain(text: str) -> str:
    """Return text that no viewer reads a link from: SARIF messages may embed ``[text](target)``, and escape brackets."""
    shown = " ".join(visible(text, TEXT_CHARACTERS, keep="\n\t").split())
    return shown.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]") or "(no text)"


def _uri(path: str) -> str:
    """Return a path as a relative reference: no scheme, no way out of the repository, everything unusual percent-encoded."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return "/".join(quote(part, safe="", errors="replace") for part in parts) or "unknown"
