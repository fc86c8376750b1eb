"""The check run ``budget-gate`` of a commit: one verdict, whichever runs write it. Success or failure, never anything between.

Check runs cannot be deleted. Should two runs create one each at the same moment, both are made to say what the newest run says.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from budget_gate.core.errors import GitHubError, UsageError
from budget_gate.github.check_annotations import add_annotations, annotation_payloads
from budget_gate.github.interface import CHECK_NAME, Annotation, Conclusion
from budget_gate.github.rest import UNSURE, Json, Rest, child, integer, pages, text

TITLE_CHARACTERS_MAX = 255
SUMMARY_BYTES_MAX = 65_535
"""docs.github.com/en/rest/checks/runs: "Maximum length: 65535 characters". Counted in bytes here, which is never too many."""

ROUNDS = 4
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_EXTERNAL_ID = re.compile(r"budget-gate:(\d{1,18})\.(\d{1,9})")

Run = tuple[int, int]
"""Run id and attempt."""


class CheckVerdict(NamedTuple):
    """What the check run says, and which run says so."""

    conclusion: Conclusion
    title: str
    summary: str
    run_id: int
    run_attempt: int
    details_url: str = ""
    annotations: tuple[Annotation, ...] = ()


class _Existing(NamedTuple):
    """A check run of ours as it stands."""

    run: Run
    id: int
    data: Json


def put_check_run(rest: Rest, repository: str, head_sha: str, verdict: CheckVerdict) -> str:
    """Create or update the check run of a commit and return its URL; a newer run's verdict is left standing.

    Raises ``UsageError`` when ``head_sha`` is no commit, ``ReadOnlyToken`` or ``GitHubError`` as GitHub answers.
    """
    if not _SHA.fullmatch(head_sha):
        raise UsageError(f"{head_sha[:80]!r} is not a commit; give the full hexadecimal id of the head commit")
    content = _content(verdict)
    for number_of_round in range(ROUNDS):
        if number_of_round:
            rest.pause(0.5 * number_of_round)
        existing = _listed(rest, repository, head_sha)
        if existing:
            return _agree(rest, repository, existing, content, verdict.annotations)
        body = {"name": CHECK_NAME, "head_sha": head_sha, **content}
        reply = rest.send("POST", f"/repos/{repository}/check-runs", body=body, returned=UNSURE)
        if reply.is_success:
            created = _Existing(_run_of(reply.data) or (0, 0), integer(reply.data, "id"), reply.data)
            others = [each for each in _listed(rest, repository, head_sha) if each.id != created.id]
            return _agree(rest, repository, sorted([created, *others], key=_order), content, verdict.annotations)
    raise GitHubError(f"the check run of {head_sha[:12]} could not be created: GitHub did not answer")


def check_summary(rest: Rest, repository: str, head_sha: str, run: Run) -> str:
    """Return what the check run that ``run`` wrote on a commit says; empty text where there is none, or a newer run took it over."""
    if not _SHA.fullmatch(head_sha):
        return ""
    texts = [text(child(each.data, "output"), "summary") for each in _listed(rest, repository, head_sha) if each.run == run]
    return texts[-1] if texts else ""


def _agree(
    rest: Rest, repository: str, existing: Sequence[_Existing], content: dict[str, Any], annotations: Sequence[Annotation]
) -> str:
    """Make all check runs of ours say what the newest run says, and return the URL of the last one, which GitHub shows.

    Annotations go to that one, and only from the newest run.
    """
    run = _run_of(content) or (0, 0)
    newest = max(existing, key=_order)
    wanted = content if run >= newest.run else _copied(newest.data)
    url = ""
    for each in existing:
        data = each.data
        if not _says(data, wanted):
            data = rest.send("PATCH", f"/repos/{repository}/check-runs/{each.id}", body=wanted).data
        url = text(data, "html_url")
    if annotations and run >= newest.run:
        add_annotations(rest, repository, existing[-1].id, content["output"], annotation_payloads(annotations))
    return url


def _order(existing: _Existing) -> tuple[Run, int]:
    return existing.run, existing.id


def _says(data: Json, wanted: dict[str, Any]) -> bool:
    """Return whether a check run already shows the wanted content."""
    return _copied(data) == wanted


def _listed(rest: Rest, repository: str, head_sha: str) -> list[_Existing]:
    """Return our check runs of a commit, the last created at the end.

    Ours are those whose external id we wrote: a *job* called ``budget-gate`` makes a check run of that name, by the same app.
    """
    path = f"/repos/{repository}/commits/{head_sha}/check-runs"
    items = pages(rest, path, {"check_name": CHECK_NAME, "filter": "all"}, key="check_runs")
    ours = [_Existing(run, integer(item, "id"), item) for item in items if (run := _run_of(item))]
    return sorted(ours, key=lambda each: each.id)


def _run_of(data: object) -> Run | None:
    match = _EXTERNAL_ID.fullmatch(text(data, "external_id"))
    return (int(match[1]), int(match[2])) if match else None


def _content(verdict: CheckVerdict) -> dict[str, Any]:
    """Return the fields that carry a verdict, cut to what GitHub accepts."""
    title = verdict.title[:TITLE_CHARACTERS_MAX] or CHECK_NAME
    content: dict[str, Any] = {
        "status": "completed",
        "conclusion": verdict.conclusion,
        "external_id": f"budget-gate:{verdict.run_id}.{verdict.run_attempt}",
        "output": {"title": title, "summary": fitted(verdict.summary, SUMMARY_BYTES_MAX)},
    }
    return {**content, "details_url": verdict.details_url} if verdict.details_url else content


def _copied(data: Json) -> dict[str, Any]:
    """Return the fields of an existing check run that carry its verdict."""
    output = child(data, "output")
    content: dict[str, Any] = {name: text(data, name) for name in ("status", "conclusion", "external_id")}
    content["output"] = {"title": text(output, "title"), "summary": text(output, "summary")}
    return {**content, "details_url": text(data, "details_url")} if text(data, "details_url") else content


def fitted(markdown: str, bytes_max: int) -> str:
    """Return text that is at most ``bytes_max`` bytes of UTF-8, saying so at its end where it had to be cut."""
    encoded = markdown.encode("utf-8", "replace")
    if len(encoded) <= bytes_max:
        return markdown
    note = "\n\n*Shortened.*\n"
    return encoded[: bytes_max - len(note)].decode("utf-8", "ignore") + note
