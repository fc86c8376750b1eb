"""Moving a ledger between any two backends: everything arrives, nothing is counted twice, and the ledger goes on where it was."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.ledgers import BACKENDS, Backend, Store
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd

from budget_gate.core.errors import KeyReused, LedgerError, LedgerUnavailable
from budget_gate.core.reservations import Refused
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger import moving, redis_moving
from budget_gate.ledger.comparing import compare, repair
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.moving import copy_ledger
from budget_gate.ledger.verify import verify

NEAR = [backend for backend in BACKENDS if not backend.name.startswith("redis-")]  # what is far or awaited stores the same
PAIRS = [(one, other) for one in NEAR for other in NEAR]
ODD = Scope("user", 'ann:"{}/\n% é')
CHARGES = (charge(ORG, "month", line(100)), charge(TEAM, "day", line(1000), line(50, "requests")), charge(ODD, "lifetime"))


def nobody(_: int) -> None:
    """Take no notice of progress."""


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two fresh stores, of every two backends."""
    opened = []
    for place, backend in enumerate(request.param):
        folder = tmp_path / str(place)
        folder.mkdir()
        opened.append(backend.open(folder))
    yield opened[0], opened[1]
    for store in opened:
        store.close()


def fill(ledger: Ledger) -> dict[str, str]:
    """Bring a ledger into every state there is; return reservations by name."""
    made = {}
    for name, amount in (("posted", 40), ("held", 20), ("voided", 5), ("pending", 10), ("late", 3)):
        ttl = 1 if name == "late" else 900
        made[name] = admitted(ledger.reserve(request(name, usd(amount, 7, 1), *CHARGES, ttl_seconds=ttl))).reservation
    ledger.settle("s", made["posted"], actual(usd(45, 9, 1), {"model": "small"}))
    ledger.hold("h", made["held"], "cut off")
    ledger.void("v", made["voided"], "not sent")
    ledger.void("v again", made["voided"], "not sent")
    assert isinstance(ledger.reserve(request("refused", usd(99), *CHARGES)), Refused)
    ledger.record("n", "outcome", {"pr": "7"}, {"merged": "yes"})
    claimed = ledger.claim_deliveries("me", 1, 60)
    assert ledger.acknowledge(claimed[0].delivery, "me")
    return made


def everything(ledger: Ledger) -> object:
    """Return all that a ledger shows, for comparison."""
    return (
        list(ledger.entries()),
        ledger.head(),
        sorted(ledger.counters()),
        list(ledger.open_reservations()),
        [(state.posted, state.pending, state.held, state.tier) for state in ledger.read(CHARGES, "UTC")],
    )


def test_a_copy_has_everything_and_goes_on_where_the_ledger_was(pair: tuple[Store, Store]) -> None:
    """Entries with their chain, counters, reservations, answers, crossings and messages; the copy then works like the original."""
    source, target = pair[0].ledger, pair[1].ledger
    made = fill(source)
    told: list[int] = []
    copied = copy_ledger(source, target, told.append)
    assert copied.entries == source.head()
    assert everything(target) == everything(source)
    assert [target.show(each) for each in made.values()] == [source.show(each) for each in made.values()]
    assert admitted(target.reserve(request("posted", usd(40, 7, 1), *CHARGES))).replayed
    assert target.settle("s", made["posted"], actual(usd(45, 9, 1), {"model": "small"})).replayed
    assert target.hold("h", made["held"], "again").replayed
    assert target.record("n", "outcome", {"pr": "7"}, {"merged": "yes"}) == source.record(
        "n", "outcome", {"pr": "7"}, {"merged": "yes"}
    )
    before, after = source.reserve(request("refused", usd(99), *CHARGES)), target.reserve(request("refused", usd(99), *CHARGES))
    assert isinstance(after, Refused)
    assert after == before
    with pytest.raises(KeyReused):
        target.reserve(request("posted", usd(41), *CHARGES))
    waiting = [each.payload for each in source.claim_deliveries("you", 10, 60)]
    assert [each.payload for each in target.claim_deliveries("you", 10, 60)] == waiting
    assert (
        target.settle("s2", made["held"], actual(usd(30, 0, 1))).crossed
        == source.settle("s2", made["held"], actual(usd(30, 0, 1))).crossed
    )
    pair[1].set_time(datetime.now(UTC) + timedelta(seconds=30))
    assert pair[1].ledger.sweep(10) == 1
    assert verify(pair[1].ledger).ok


def test_a_tier_that_was_crossed_is_not_announced_again_by_the_copy(pair: tuple[Store, Store]) -> None:
    """Delivered messages stay delivered, and their tiers crossed."""
    source, target = pair[0].ledger, pair[1].ledger
    taken = admitted(source.reserve(request("one", usd(90), *CHARGES)))
    source.settle("s", taken.reservation, actual(usd(90)))
    for each in source.claim_deliveries("me", 10, 60):
        source.acknowledge(each.delivery, "me")
    copy_ledger(source, target, nobody)
    assert target.claim_deliveries("me", 10, 60) == ()
    more = admitted(target.reserve(request("two", usd(5), *CHARGES)))
    assert target.settle("s2", more.reservation, actual(usd(5))).crossed == ()


def test_only_an_empty_ledger_is_filled(pair: tuple[Store, Store]) -> None:
    """A ledger that has entries is left as it is, and the line says so."""
    source, target = pair[0].ledger, pair[1].ledger
    fill(source)
    target.record("mine", "outcome", {}, {})
    before = everything(target)
    with pytest.raises(LedgerError, match="empty"):
        copy_ledger(source, target, nobody)
    with pytest.raises(LedgerError, match="not 0"):
        target.load(iter([]))  # type: ignore[attr-defined]
    assert everything(target) == before


def test_a_copy_of_an_empty_ledger_is_an_empty_ledger(pair: tuple[Store, Store]) -> None:
    """Nothing to move is no failure, and the copy can be used at once."""
    assert copy_ledger(pair[0].ledger, pair[1].ledger, nobody).entries == 0
    admitted(pair[1].ledger.reserve(request("one", usd(1), *CHARGES)))


def test_a_ledger_that_lost_its_tail_gets_it_back(pair: tuple[Store, Store]) -> None:
    """What is missing is named in entries and dollars; ``repair`` brings the ledger to where the copy is, messages sent once."""
    ledger, copy = pair[0].ledger, pair[1].ledger
    first = admitted(ledger.reserve(request("first", usd(30), *CHARGES)))
    copy_ledger(ledger, copy, nobody)  # from here on `copy` is what lives on; `ledger` is the replica that lagged
    copy.settle("s", first.reservation, actual(usd(35)))
    second = admitted(copy.reserve(request("second", usd(50, 0, 1), *CHARGES)))
    copy.hold("h", second.reservation, "cut off")
    found = compare(ledger, copy)
    assert (found.common, found.missing_count, found.added_count) == (1, 3, 0)
    assert (found.lost.nano_usd, found.lost_open.nano_usd) == (35, 20)
    assert [each.kind for each in found.missing] == ["post", "reserve", "hold"]
    assert repair(ledger, copy, found, nobody).entries == 3
    assert everything(ledger) == everything(copy)
    assert compare(ledger, copy).is_whole
    assert [each.payload for each in ledger.claim_deliveries("me", 9, 60)] == [
        each.payload for each in copy.claim_deliveries("me", 9, 60)
    ]


def test_ledgers_that_parted_are_not_mixed(pair: tuple[Store, Store]) -> None:
    """A ledger that went on writing after its loss keeps what it has; the loss is reported, nothing is put back."""
    ledger, copy = pair[0].ledger, pair[1].ledger
    copy_ledger(ledger, copy, nobody)
    copy.settle("s", admitted(copy.reserve(request("theirs", usd(8), *CHARGES))).reservation, actual(usd(8)))
    ledger.reserve(request("ours", usd(3), *CHARGES))
    found = compare(ledger, copy)
    assert (found.common, found.missing_count, found.added_count, found.lost.nano_usd) == (0, 2, 1, 8)
    before = everything(ledger)
    with pytest.raises(LedgerError, match="parted"):
        repair(ledger, copy, found, nobody)
    assert everything(ledger) == before


@pytest.mark.parametrize("backend", NEAR, ids=lambda backend: backend.name)
def test_a_ledger_in_use_is_not_copied_half(backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that is written while the copy runs is noticed, and nothing of the copy is kept."""
    monkeypatch.setattr(moving, "PROGRESS_EVERY", 1)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    source, target = backend.open(tmp_path / "one"), NEAR[1].open(tmp_path / "two")
    fill(source.ledger)
    with pytest.raises(LedgerError, match="written to while it was copied"):
        copy_ledger(source.ledger, target.ledger, lambda count: write_note(source.ledger, count))
    assert (target.ledger.head(), list(target.ledger.entries()), list(target.ledger.counters())) == (0, [], [])
    source.close()
    target.close()


def write_note(ledger: Ledger, count: int) -> None:
    """Write to a ledger that is being copied, once."""
    if count == 3:
        ledger.record("meanwhile", "outcome", {}, {})


def test_a_redis_ledger_that_is_half_filled_is_closed_until_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that was cut off leaves nothing to be read or written by mistake; running it again completes it."""
    monkeypatch.setattr(moving, "PROGRESS_EVERY", 5)
    monkeypatch.setattr(redis_moving, "LOAD_PAGE", 2)
    (tmp_path / "source").mkdir()
    source, target = NEAR[1].open(tmp_path / "source"), NEAR[2].open(tmp_path)
    fill(source.ledger)
    with pytest.raises(KeyboardInterrupt):
        copy_ledger(source.ledger, target.ledger, interrupt)
    for operation in (lambda: target.ledger.read(CHARGES, "UTC"), lambda: target.ledger.reserve(request("x", usd(1), *CHARGES))):
        with pytest.raises(LedgerUnavailable, match="run it again"):
            operation()
    copy_ledger(source.ledger, target.ledger, nobody)
    assert everything(target.ledger) == everything(source.ledger)
    source.close()
    target.close()


def interrupt(_: int) -> None:
    """Press control and C."""
    raise KeyboardInterrupt
