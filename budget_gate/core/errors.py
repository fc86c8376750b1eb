"""The whole exception tree. Inside, refusals are values, never exceptions: what is raised here is a failure.

The one exception to that stands at the public edge: callers of an SDK's client can handle nothing else (docs/decisions/0016).

::

    BudgetGateError                      1   a bug, or a failure without a better name
    |-- UsageError                       2   wrong usage, policy or event; the text says what to write instead
    |   |-- PolicyError                  2   names file, line and field
    |   |-- UnknownModel                 2   a model without a price, with the nearest priced ids
    |   +-- UnsupportedUsage             2   a usage key, or a content kind, whose price is not known
    |-- BudgetRefused                    3   a drop-in client's request that a budget refused
    |-- ServiceError                     4   an outside service failed after retries
    |   |-- ProviderError                4   the model's API
    |   |-- GitHubError                  4   the GitHub API
    |   |   +-- ReadOnlyToken            4   the token may not write (a fork's pull request): an expected path
    |   |-- NotifyError                  4   a message could not be delivered
    |   +-- TicketError                  4   a tracker of tickets
    +-- LedgerError                      5   the ledger cannot do what was asked
        |-- LedgerUnavailable            5   it cannot be reached
        |-- LedgerReadOnly               5   it may be read but not written (a fork's pull request): an expected path
        |-- LedgerTooNew                 5   written by a newer version of this program
        |-- KeyReused                    2   an operation key came back with other arguments
        +-- UnknownReservation           2   no reservation has that id
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budget_gate.core.reservations import Refused


class BudgetGateError(Exception):
    """Base of everything this program raises on purpose. ``exit_code`` is what the command line exits with."""

    exit_code = 1


class UsageError(BudgetGateError):
    """The caller asked for something that cannot be; the message says what to write instead."""

    exit_code = 2


class PolicyError(UsageError):
    """The policy file is wrong. One line: file, line, field, the fault, and what to write instead."""

    def __init__(self, file: str, line: int, field: str, problem: str, instead: str) -> None:
        self.file = file
        self.line = line
        self.field = field
        self.problem = problem
        self.instead = instead
        place = f"{file}:{line}" if line else file
        where = f"{field}: " if field else ""
        super().__init__(f"{place}: {where}{problem}; {instead}")


class UnknownModel(UsageError):
    """A model that has no price. ``nearest`` are the priced ids that look most like it."""

    def __init__(self, model: str, nearest: tuple[str, ...]) -> None:
        self.model = model
        self.nearest = nearest
        hint = f"did you mean {', '.join(nearest)}?" if nearest else "see `budget-gate prices list`"
        super().__init__(f"model {model!r} has no price; {hint} Or give it one under `prices:` in the policy")


class UnsupportedUsage(UsageError):
    """A usage key or content kind whose price is unknown: refused, because a guess is not a price."""


class BudgetRefused(BudgetGateError):
    """A budget refused a request of a drop-in client: nothing was sent. The text names every limit, ``refused`` holds them."""

    exit_code = 3

    def __init__(self, text: str, refused: "Refused") -> None:
        super().__init__(text, refused)
        self.refused = refused

    def __str__(self) -> str:
        return str(self.args[0])


class ServiceError(BudgetGateError):
    """A service outside this program failed, after the retries that were due."""

    exit_code = 4


class ProviderError(ServiceError):
    """The model's API failed, or answered something that is not an answer."""


class GitHubError(ServiceError):
    """The GitHub API failed or refused."""


class ReadOnlyToken(GitHubError):
    """The token may read but not write, as in a pull request from a fork. Expected; callers have a path for it."""


class NotifyError(ServiceError):
    """A message could not be delivered; it stays in the outbox. ``retry_after_seconds`` is what the service asked for, 0 if nothing."""

    def __init__(self, text: str, retry_after_seconds: float = 0.0) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(text)


class TicketError(ServiceError):
    """A tracker of tickets, such as Jira, failed, refused, or answered something that is not a ticket."""


class LedgerError(BudgetGateError):
    """The ledger cannot do what was asked."""

    exit_code = 5


class LedgerUnavailable(LedgerError):
    """The ledger cannot be reached. Whether that blocks is the policy's ``ledger: {on_outage: ...}``."""


class LedgerReadOnly(LedgerError):
    """The token may read the ledger but not write to it, as in a pull request from a fork. Nothing can be reserved, so nothing is spent."""


class LedgerTooNew(LedgerError):
    """The ledger was written by a newer version; this one refuses to touch it."""


class KeyReused(LedgerError):
    """An operation key came back with different arguments, so it cannot be a retry."""

    exit_code = 2


class UnknownReservation(LedgerError):
    """No reservation in this ledger has that id."""

    exit_code = 2
