"""A process that reserves and settles until it kills itself at a given SQL statement. Run by the crash tests."""

import os
import signal
import sys

from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd

from budget_gate.core.scopes import ORG
from budget_gate.ledger.sqlite import SqliteLedger

CHARGES = (charge(ORG, "month", line(1_000_000)), charge(TEAM, "day", line(1_000_000)))


def main() -> None:
    """Die at the statement that the arguments name: path, name of this run, number of the statement."""
    path, name, statement = sys.argv[1], sys.argv[2], int(sys.argv[3])
    ledger = SqliteLedger(path)
    count = 0

    def die_in_time(_: str) -> None:
        nonlocal count
        count += 1
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger._handle.connection.set_trace_callback(die_in_time)
    for number in range(100):
        key = f"{name}-{number}"
        taken = admitted(ledger.reserve(request(key, usd(10), *CHARGES)))
        ledger.settle(key, taken.reservation, actual(usd(4)))


if __name__ == "__main__":
    main()
