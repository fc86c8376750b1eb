"""Which reservation a message batch is of, kept in the ledger: whoever reads the results settles it, days later and elsewhere.

Two notes are written when the API has taken a batch, because each of the two names has to be found by the other. A batch whose
answer was lost has none: its reservation becomes a hold, and stays one until somebody settles or voids it by hand.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from budget_gate.core.reservations import Reservation
from budget_gate.ledger.interface import Ledger, NewNote

NOTE_KIND = "batch"

IDS_LABEL = "batch_ids"
"""On a batch's reservation: the ``core.batches.IdSum`` of its requests."""

HOUR_LABEL = "batch_hour_cache"
"""On a batch's reservation: a request asks for the one-hour cache."""


class UnreadBatch(NamedTuple):
    """A hold that is a batch's. ``batch`` is empty where the API's answer to its creation was lost."""

    reservation: Reservation
    batch: str


def notes_of(batch: str, reservation: str, labels: Mapping[str, str]) -> tuple[NewNote, ...]:
    """Return the notes that bind a batch to its reservation."""
    details = {"batch": batch, "reservation": reservation}
    return tuple(NewNote(key, NOTE_KIND, labels, details) for key in (_key_of_batch(batch), _key_of_reservation(reservation)))


def reservation_of(ledger: Ledger, batch: str) -> Reservation | None:
    """Return the reservation of a batch, None for a batch that this ledger does not know."""
    (note,) = ledger.notes([_key_of_batch(batch)])
    return None if note is None else ledger.show(note.parsed().body["details"]["reservation"])


def unread_batches(ledger: Ledger) -> tuple[UnreadBatch, ...]:
    """Return the batches that are held, oldest first: their time is over, and nobody has read their results to the end."""
    held = [each for each in ledger.open_reservations() if each.state == "held" and IDS_LABEL in each.labels]
    names = _batches_of(ledger, (each.reservation for each in held))
    return tuple(UnreadBatch(each, name) for each, name in zip(held, names, strict=True))


def _batches_of(ledger: Ledger, reservations: Iterable[str]) -> list[str]:
    keys = [_key_of_reservation(each) for each in reservations]
    return ["" if note is None else note.parsed().body["details"]["batch"] for note in (ledger.notes(keys) if keys else ())]


def _key_of_batch(batch: str) -> str:
    return f"batch/{batch}"


def _key_of_reservation(reservation: str) -> str:
    return f"batch-of/{reservation}"
