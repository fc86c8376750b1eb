"""Annotations of a check run: remarks beside the lines of a commit, added in batches and never twice.

GitHub takes 50 in one request and adds those of each further request to what is there
(https://docs.github.com/en/rest/checks/runs#update-a-check-run); none can be taken back.
"""

from collections.abc import Sequence
from typing import Any

from budget_gate.github.interface import Annotation
from budget_gate.github.rest import Json, Rest, pages

ANNOTATIONS_PER_REQUEST = 50
MESSAGE_BYTES_MAX = 64 * 1024
TITLE_CHARACTERS_MAX = 255
_FIELDS = ("path", "start_line", "end_line", "annotation_level", "title", "message")


def annotation_payloads(annotations: Sequence[Annotation]) -> list[dict[str, Any]]:
    """Return what GitHub is sent of annotations, cut to what it accepts."""
    return [
        {
            "path": each.path,
            "start_line": each.line,
            "end_line": each.end_line,
            "annotation_level": each.level,
            "title": each.title[:TITLE_CHARACTERS_MAX],
            "message": each.message.encode("utf-8", "replace")[:MESSAGE_BYTES_MAX].decode("utf-8", "ignore"),
        }
        for each in annotations
    ]


def add_annotations(rest: Rest, repository: str, check_id: int, output: Json, wanted: Sequence[dict[str, Any]]) -> None:
    """Add those annotations that the check run does not have yet; ``output`` (title and summary) stays as it is.

    A re-run on the same commit finds its own there already. A request whose answer was lost and that was repeated can leave a
    remark twice: GitHub offers nothing to take one back with.
    """
    path = f"/repos/{repository}/check-runs/{check_id}"
    present = [{name: item.get(name) for name in _FIELDS} for item in pages(rest, f"{path}/annotations")]
    missing = [each for each in wanted if each not in present]
    for first in range(0, len(missing), ANNOTATIONS_PER_REQUEST):
        batch = missing[first : first + ANNOTATIONS_PER_REQUEST]
        rest.send("PATCH", path, body={"output": {**output, "annotations": batch}})
