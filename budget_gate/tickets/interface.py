"""What the rest of the program needs from a tracker of tickets, and no more."""

from typing import Protocol

from budget_gate.core.tickets import Ticket


class TicketSource(Protocol):
    """One tracker. Implementations raise ``TicketError``, and ``UsageError`` for a key that cannot be one."""

    def ticket(self, key: str) -> Ticket:
        """Return one ticket."""
        ...
