"""A month counted again, from the text of the entries and the wall calendar alone: nothing of the code under test is asked."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from budget_gate.ledger.interface import Ledger

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Call(NamedTuple):
    """A reservation: when it was made, its labels, the scopes it is counted under, and what it came to in nano-dollars."""

    at: datetime
    labels: dict[str, str]
    scopes: frozenset[str]
    nano_usd: int


class Granted(NamedTuple):
    """An exemption that was approved."""

    name: str
    scope: str
    per: str
    nano_usd: int
    begins: datetime
    ends: datetime


class Recount:
    """What a ledger's entries say, by the clocks of a zone."""

    def __init__(self, ledger: Ledger, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self.entries: list[dict[str, Any]] = [json.loads(entry.text) for entry in ledger.entries()]
        self.calls = list(self._calls())

    def bounds(self, month: str) -> tuple[datetime, datetime]:
        """Return when a month begins and ends."""
        first = date(int(month[:4]), int(month[5:]), 1)
        return self._midnight(first), self._midnight((first + timedelta(days=31)).replace(day=1))

    def notes(self, kind: str, month: str) -> list[dict[str, Any]]:
        """Return the bodies of the notes of a kind that were written in a month."""
        begins, ends = self.bounds(month)
        return [each["body"] for each in self.entries if each["kind"] == kind and begins <= _instant(each) < ends]

    def spent(self, scope: str, begins: datetime, ends: datetime) -> int:
        """Return what was reserved between two instants, under a scope, came to."""
        return sum(call.nano_usd for call in self.calls if scope in call.scopes and begins <= call.at < ends)

    def ended(self, month: str) -> dict[str, str]:
        """Return how each pull request stands that came to its end in a month: ``merged``, ``closed`` or ``reverted``."""
        begins, ends = self.bounds(month)
        events = [each["body"] for each in self.entries if each["kind"] == "outcome"]
        known = [
            (each["labels"]["pr"], each["details"]["outcome"], _time(each["details"]["at"]), each["details"].get("by", ""))
            for each in events
            if _time(each["details"]["at"]) < ends
        ]
        reverts = {(pull, by): at for pull, outcome, at, by in known if outcome == "reverted"}

        def stands(revert: str) -> bool:
            return not any(stands(by) for pull, by in reverts if pull == revert)

        found: dict[str, str] = {}
        for pull in {each[0] for each in known}:
            mine = [(outcome, at) for name, outcome, at, _ in known if name == pull]
            reverted = [at for (name, by), at in reverts.items() if name == pull and stands(by)]
            merged = [at for outcome, at in mine if outcome == "merged"]
            closed = [at for outcome, at in mine if outcome == "closed"]
            for outcome, times in (("reverted", reverted), ("merged", merged), ("closed", closed)):
                if times:
                    when = min(times) if outcome == "reverted" else max(times)
                    if begins <= when < ends:
                        found[pull] = outcome
                    break
        return found

    def cost(self, pull: str, month: str) -> int:
        """Return what a pull request had cost when a month was over."""
        ends = self.bounds(month)[1]
        return sum(call.nano_usd for call in self.calls if call.labels.get("pr") == pull and call.at < ends)

    def granted(self, month: str) -> list[Granted]:
        """Return the exemptions in force at some time of a month, in the order of their approval."""
        asked, approved, revoked = (
            {each["body"]["details"]["name"]: each for each in self.entries if each["kind"] == f"exemption_{step}"}
            for step in ("requested", "approved", "revoked")
        )
        begins, ends = self.bounds(month)
        found = []
        for name, decision in approved.items():
            request, details = asked[name]["body"]["details"], decision["body"]["details"]
            until = _EPOCH + timedelta(microseconds=int(details["expires_at"]))
            if name in revoked:
                until = min(until, _instant(revoked[name]))
            since = _EPOCH + timedelta(microseconds=int(details["approved_at"]))
            if since < ends and until > begins and until > since:
                found.append(Granted(name, request["scope"], request["per"], int(request["nano_usd"]), since, until))
        return sorted(found, key=lambda each: (each.begins, each.name))

    def used(self, month: str, stop_lines: dict[tuple[str, str], int]) -> dict[str, int]:
        """Return the most that a period took of each exemption: what stood above a stop line, the first approved used first."""
        begins, ends = self.bounds(month)
        most: Counter[str] = Counter()
        shared: dict[tuple[str, str], list[Granted]] = defaultdict(list)
        for each in self.granted(month):
            shared[each.scope, each.per].append(each)
        for (scope, per), granted in shared.items():
            for since, until in self.periods(per, month):
                over = self.spent(scope, since, min(until, ends)) - stop_lines[scope, per]
                for each in granted:
                    if over > 0 and max(each.begins, since, begins) < min(each.ends, until, ends):
                        most[each.name] = max(most[each.name], min(over, each.nano_usd))
                        over -= min(over, each.nano_usd)
        return +most

    def periods(self, per: str, month: str) -> list[tuple[datetime, datetime]]:
        """Return the periods of a kind that have a day in a month."""
        begins, ends = self.bounds(month)
        found, day = set(), begins.astimezone(self._zone).date()
        while self._midnight(day) < ends:
            found.add(tuple(self._midnight(each) for each in _days_of(per, day)))
            day += timedelta(days=1)
        return sorted((first, last) for first, last in found)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self._zone).astimezone(UTC)

    def _calls(self) -> Iterator[Call]:
        reserves = {each["body"]["reservation"]: each for each in self.entries if each["kind"] == "reserve"}
        sums: Counter[str] = Counter()
        for each in self.entries:
            if each["kind"] in ("reserve", "post", "void", "hold", "expire"):
                sums[each["body"]["reservation"]] += each["delta"][0][0] + each["delta"][2][0]
        for name, each in reserves.items():
            scopes = frozenset(scope for scope, _, _ in each["body"]["counters"])
            yield Call(_instant(each), each["body"]["labels"], scopes, sums[name])


def _days_of(per: str, day: date) -> tuple[date, date]:
    """Return the first day of a period and the first day after it."""
    if per == "day":
        return day, day + timedelta(days=1)
    if per == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[per]
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return first, (first + timedelta(days=31 * months)).replace(day=1)


def _instant(entry: dict[str, Any]) -> datetime:
    return _EPOCH + timedelta(microseconds=entry["at"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
