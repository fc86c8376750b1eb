"""Writes a SQLite ledger with millions of entries straight into its tables: a year of an organization, valid and chained by hash.

What reports, exports and ``ledger verify`` read is there (entries, counters, head); reservations and answers are not, so nothing can
be settled on it. One call in a hundred is held by a crash, and nine of ten such holds are settled an hour's worth of calls later; two
in a hundred are voided; one in two hundred is refused. Ten calls make a pull request; every call is a task
with a counter of its own.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import ZERO, Amount, CounterValue
from budget_gate.core.attribution import Attribution
from budget_gate.core.audit import GENESIS, chain_hash, entry_text
from budget_gate.core.prices import call_cost_nano_usd
from budget_gate.core.usage import Usage
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.sqlite_books import COUNTER_COLUMNS

TEAMS, USERS, PROJECTS = 8, 60, 5
WORKFLOWS = ("ci_cd_review", "qa_test_gen", "dev_assistant")
MODELS = {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6"}
LATER = 50
"""Calls that are made before a hold is settled."""

_BATCH = 50_000
_Row = tuple[int, str, str]
_Sum = tuple[Amount, Amount]


class LongLedger:
    """Makes the entries of one year that ends now, and what their counters come to."""

    def __init__(self, entries: int) -> None:
        self._wanted = entries
        # Entries a call: its reserve and end, and sometimes a refusal, a late bill, an outcome.
        self._step = timedelta(days=365) / (entries / 2.114)
        self._start = datetime.now(UTC) - timedelta(days=365)
        self._seq, self._hash = 0, GENESIS
        self._sums: dict[tuple[str, ...], _Sum] = {}
        self.tasks: list[tuple[Any, ...]] = []
        prices = load_prices()
        self._usages = [Usage(300 + 97 * at, 40 + 13 * at, 2_000 * (at % 3), 777 * (at % 2)) for at in range(64)]
        self._costs = {
            (tier, at): call_cost_nano_usd(usage, prices.price_of(model, self._start))
            for tier, model in MODELS.items()
            for at, usage in enumerate(self._usages)
        }

    def rows(self) -> Iterator[_Row]:
        """Yield the rows of the table of entries."""
        call = 0
        late: list[tuple[int, datetime]] = []
        while self._seq < self._wanted:
            now = self._start + self._step * call
            yield from self._call(call, now, late)
            if late and call - late[0][0] >= LATER:
                held, at = late.pop(0)
                yield self._post(held, at, now, was_held=True)
            if call % 10 == 9:
                yield self._outcome(call // 10, now)
            call += 1
        for held, at in late:
            self._add(held, at, ZERO, self._asked(held))

    def counters(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the table of counters, but for those of tasks, which ``tasks`` has."""
        found: dict[tuple[str, str, str], _Sum] = {}
        for (day, *scopes), (posted, held) in self._sums.items():
            for scope in scopes:
                for key in ((scope, "day", day), (scope, "month", day[:7])):
                    known = found.get(key, (ZERO, ZERO))
                    found[key] = (known[0].plus(posted), known[1].plus(held))
        for key, (posted, held) in found.items():
            yield (*key, *posted, *ZERO, *held)

    def head(self) -> tuple[int, str]:
        """Return the newest entry's number and hash."""
        return self._seq, self._hash

    def _call(self, call: int, now: datetime, late: list[tuple[int, datetime]]) -> Iterator[_Row]:
        account, tier = self._account(call)
        labels = {**account.labels(), "tier": tier, "model": MODELS[tier], "provider": "anthropic", "agent": "code_review"}
        if call % 200 == 77:
            refused = [["team/" + account.team, "month", "usd", "spent"]]
            body = {"key": f"refused{call}", "labels": labels, "asked": [9_000_000, 5_000, 1], "refused_by": refused}
            yield self._entry(now, "refuse", CounterValue(), body)
        day = f"{now:%Y-%m-%d}"
        scopes = [scope.text for scope in account.budget_scopes(tier)]
        counters = [[scope, per, label] for scope in scopes for per, label in (("day", day), ("month", day[:7]))]
        counters.append([f"task/{account.workflow}/{account.task}", "lifetime", "all"])
        asked = self._asked(call)
        body = {"reservation": f"res_{call:09d}", "key": f"key{call}", "labels": labels, "counters": counters}
        yield self._entry(now, "reserve", CounterValue(pending=asked), body)
        names = {"reservation": f"res_{call:09d}", "key": f"end{call}"}
        if call % 50 == 13:
            yield self._entry(now, "void", CounterValue(pending=ZERO.minus(asked)), {**names, "reason": "not sent"})
            self._add(call, now, ZERO, ZERO)
        elif call % 100 == 21:
            yield self._entry(now, "hold", CounterValue(pending=ZERO.minus(asked), held=asked), {**names, "reason": "killed"})
            if call % 1000 == 21:
                self._add(call, now, ZERO, asked)
            else:
                late.append((call, now))
        else:
            yield self._post(call, now, now)

    def _post(self, call: int, at: datetime, now: datetime, *, was_held: bool = False) -> _Row:
        account, tier = self._account(call)
        usage, cost = self._usages[call % 64], self._cost(call)
        asked = ZERO.minus(self._asked(call))
        delta = CounterValue(cost, ZERO, asked) if was_held else CounterValue(cost, asked)
        labels = {**account.labels(), "tier": tier, "model": MODELS[tier], "provider": "anthropic", "agent": "code_review"}
        details = {"model": MODELS[tier], "variant": "standard", "stop_reason": "end_turn"}
        body = {"reservation": f"res_{call:09d}", "key": f"end{call}", "labels": labels, "usage": usage._asdict()}
        self._add(call, at, cost, ZERO)
        return self._entry(now, "post", delta, body | {"details": details, "overrun": [0, 0, 0]})

    def _outcome(self, pull: int, now: datetime) -> _Row:
        ending = "closed" if pull % 10 == 3 else "merged"
        labels = {"project": f"acme/project{pull % PROJECTS}", "pr": str(pull)}
        details = {"outcome": ending, "at": now.isoformat(timespec="seconds")}
        return self._entry(now, "outcome", CounterValue(), {"key": f"outcome/{pull}", "labels": labels, "details": details})

    def _account(self, call: int) -> tuple[Attribution, str]:
        pull = call // 10
        account = Attribution(
            WORKFLOWS[call % len(WORKFLOWS)],
            team=f"team{pull % TEAMS}",
            project=f"acme/project{pull % PROJECTS}",
            user=f"user{pull % USERS}",
            task=str(call),
            pr=str(pull),
            run=str(call),
        )
        return account, "medium" if call % 4 == 1 else "small"

    def _cost(self, call: int) -> Amount:
        _, tier = self._account(call)
        return Amount(self._costs[tier, call % 64], self._usages[call % 64].total_tokens, 1)

    def _asked(self, call: int) -> Amount:
        cost = self._cost(call)
        return Amount(2 * cost.nano_usd, 2 * cost.tokens, 1)

    def _add(self, call: int, at: datetime, posted: Amount, held: Amount) -> None:
        account, tier = self._account(call)
        key = (f"{at:%Y-%m-%d}", *(scope.text for scope in account.budget_scopes(tier)))
        known = self._sums.get(key, (ZERO, ZERO))
        self._sums[key] = (known[0].plus(posted), known[1].plus(held))
        self.tasks.append((f"task/{account.workflow}/{account.task}", "lifetime", "all", *posted, *ZERO, *held))

    def _entry(self, now: datetime, kind: str, delta: CounterValue, body: dict[str, Any]) -> _Row:
        self._seq += 1
        text = entry_text(self._seq, now, kind, delta, body)
        self._hash = chain_hash(self._hash, text)
        return self._seq, text, self._hash


def write_long_ledger(path: Path, entries: int) -> None:
    """Write a ledger of that many entries, or some more."""
    SqliteLedger(str(path)).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    made = LongLedger(entries)
    rows = made.rows()
    insert = f"INSERT INTO counters (scope, per, label, {COUNTER_COLUMNS}) VALUES ({', '.join('?' * 12)})"
    connection.execute("BEGIN")
    while batch := list(islice(rows, _BATCH)):
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?)", batch)
        connection.executemany(insert, made.tasks)
        made.tasks.clear()
    connection.executemany(insert, made.tasks)
    connection.executemany(insert, made.counters())
    connection.execute("UPDATE head SET seq = ?, chain_hash = ?", made.head())
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
