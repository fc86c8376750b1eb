"""Takes secrets out of what a review sends: out of the diff's lines and headings, and out of the author's own words."""

from collections.abc import Iterable
from typing import NamedTuple

from budget_gate.core.diff_pieces import Piece
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.secrets_masking import mask_lines, mask_text


class MaskedChange(NamedTuple):
    """A change without its secrets, and how many were taken out."""

    pieces: tuple[Piece, ...]
    pull: PullRequest | None
    secrets: int


def masked_change(pieces: Iterable[Piece], pull: PullRequest | None) -> MaskedChange:
    """Return the change as it may be sent. Paths stay: a finding has to name them, and git would show them anyway."""
    masked = [_masked_piece(piece) for piece in pieces]
    secrets = sum(count for _, count in masked)
    if pull is not None:
        title, body = mask_text(pull.title), mask_text(pull.body)
        pull = pull._replace(title=title.text, body=body.text)
        secrets += title.secrets + body.secrets
    return MaskedChange(tuple(piece for piece, _ in masked), pull, secrets)


def _masked_piece(piece: Piece) -> tuple[Piece, int]:
    heading = mask_text(piece.heading)
    texts = mask_lines(line.text for line in piece.lines)
    lines = tuple(line._replace(text=text) for line, text in zip(piece.lines, texts.lines, strict=True))
    return piece._replace(heading=heading.text, lines=lines), texts.secrets + heading.secrets
