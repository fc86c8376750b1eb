"""Identity and patience: what makes a retry a retry, and how long the waiting loop sleeps."""

import pytest
from fakes.ledger_requests import actual, charge, line, request, usd

from budget_gate.core.reservations import ReserveRequest
from budget_gate.core.scopes import ORG
from budget_gate.core.usage import Usage
from budget_gate.ledger import identity
from budget_gate.ledger.admitting import PATIENCE
from budget_gate.ledger.identity import labels_json, note_digest, reservation_id, resolve_digest, scopes_json, settle_digest

MONTH = charge(ORG, "month", line(100))


def reserve_digest(asked: ReserveRequest) -> str:
    """Return the digest of a request, as every ledger puts it together."""
    return identity.reserve_digest(asked, scopes_json(asked.charges), labels_json(asked.labels))


def test_ids_follow_from_keys() -> None:
    """The same key gives the same id in every process and version, so that a lost answer can be looked up."""
    assert reservation_id("k") == "res_8254c329a92850f6d539dd376f4816ee"
    assert reservation_id("k") != reservation_id("K")


def test_digests_tell_arguments_apart() -> None:
    """Digests differ where arguments do, and do not depend on the order in which labels were given."""
    one = request("k", usd(1), MONTH, labels={"a": "1", "b": "2"})
    assert reserve_digest(one) == reserve_digest(one._replace(labels={"b": "2", "a": "1"}, may_wait=True))
    assert reserve_digest(one) != reserve_digest(one._replace(minimum=usd(0)))
    paid = actual(usd(1), {"model": "m"})
    assert settle_digest("r", paid) != settle_digest("r", paid._replace(usage=Usage()))
    assert settle_digest("r", paid) != settle_digest("s", paid)
    assert resolve_digest("r", "void") != resolve_digest("r", "hold")
    assert note_digest("outcome", {"a": "b"}, {}) != note_digest("outcome", {}, {"a": "b"})


@pytest.mark.parametrize(("ahead", "most"), [(0, 0.03), (1, 0.05), (10, 0.2), (1000, 0.25)])
def test_the_first_in_the_queue_asks_most_often(ahead: int, most: float) -> None:
    """Whoever is next asks within hundredths of a second; nobody sleeps longer than a quarter of one."""
    assert 0 < PATIENCE.retry_seconds(ahead) <= most
