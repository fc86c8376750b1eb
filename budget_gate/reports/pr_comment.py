"""The comment on a pull request, and the inline remarks: rendered here, posted by the ``github`` room.

The first line is a hidden marker by which the next run finds the comment; without it, nothing leaves this module.
"""

import re
from urllib.parse import unquote

from budget_gate.core.pull_requests import Finding
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports.clean_text import clean_cell, clean_text, code_block
from budget_gate.reports.outcome_view import view_of
from budget_gate.reports.templating import Room, fitted, render_template

COMMENT_BYTES_MAX = 65_000
"""GitHub takes 65 536 characters (https://github.com/orgs/community/discussions/41331); the rest is for what posting adds."""

_MARKER = re.compile(r"<!-- budget-gate:(?P<workflow>[^\s<>]*) -->")
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~/?=&%-]{0,400})?")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./")


def marker_of(workflow: str) -> str:
    """Return the hidden marker of a workflow's comment: ``<!-- budget-gate:ci_cd_review -->``.

    What could end the comment, or is no plain ASCII, is percent-encoded, so every name has a marker of its own that
    ``workflow_of`` reads back. A single hyphen between other characters stays as it is.
    """
    encoded, before = [], "-"
    for character in workflow:
        is_plain = character in _PLAIN or (character == "-" and before != "-")
        encoded.append(character if is_plain else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass")))
        before = character
    return f"<!-- budget-gate:{''.join(encoded)} -->"


def workflow_of(marker: str) -> str:
    """Return the workflow that a marker names; raises ``ValueError`` if it is none."""
    match = _MARKER.fullmatch(marker)
    if match is None:
        raise ValueError("not a marker of budget-gate")
    return unquote(match["workflow"], errors="surrogatepass")


def safe_address(url: str) -> str:
    """Return a web address that can stand in a link as it is, or empty text for any other."""
    return url if _WEB_ADDRESS.fullmatch(url) else ""


def render_pr_comment(
    outcome: ReviewOutcome,
    *,
    workflow: str,
    run_url: str,
    run_number: int,
    run_attempt: int,
    head_sha: str,
    zone: str = "UTC",
) -> str:
    """Return the comment as Markdown, marker first, at most ``COMMENT_BYTES_MAX`` long; long lists end in a count.

    Times are shown on the clocks of ``zone``. Raises ``ValueError`` rather than return a comment without its marker.
    """
    marker, view = marker_of(workflow), view_of(outcome, zone)

    def render(room: Room) -> str:
        return render_template(
            "pr_comment.md.j2",
            room,
            view=view,
            marker=_as_is(marker),
            workflow=workflow,
            run_url=safe_address(run_url),
            run_number=run_number,
            run_attempt=run_attempt,
            head_sha=head_sha,
        )

    comment = fitted(render, COMMENT_BYTES_MAX)
    if not comment.startswith(f"{marker}\n"):
        raise ValueError("the comment does not begin with its marker; a later run would not find it")
    return comment


def render_finding(finding: Finding) -> str:
    """Return a finding as an inline remark.

    Its suggestion can be committed with a click only if it is shown exactly as it is, and replaces lines of the new side.
    That leaves out lines that end in CRLF, for GitHub does not say which line ends it commits there, and lines with bytes
    that are no UTF-8, which the click would replace.
    """
    head = f"**{finding.severity}** · {clean_cell(finding.category)}"
    parts = [head, clean_text(finding.text)]
    if finding.suggestion.strip():
        block = code_block(finding.suggestion, "suggestion")
        # The block as GitHub would commit it, one line end at its end apart; blank first lines and hidden characters are lost in it.
        committed = block.partition("\n")[2].rpartition("\n")[0]
        is_shown = "\ufffd" not in committed and committed == finding.suggestion.removesuffix("\n")
        is_exact = finding.side == "RIGHT" and is_shown
        parts.append(block if is_exact else code_block(finding.suggestion))
    return "\n\n".join(part for part in parts if part) + "\n"


def _as_is(marker: str) -> str:
    """Return the marker for a template that escapes everything else: ``marker_of`` has encoded it."""
    from markupsafe import Markup

    return Markup(marker)  # noqa: S704 - only letters, digits and percent signs of the workflow's name are left in it
