"""What the blocking and the asyncio shell of the Redis ledger do alike, which is all but sending: run an operation, judge a server."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from budget_gate.core.errors import LedgerError
from budget_gate.ledger.redis_calls import Operation
from budget_gate.ledger.redis_problems import FORGETS, check_eviction, problem
from budget_gate.ledger.redis_wire import Command

if TYPE_CHECKING:
    from budget_gate.ledger.redis_connect import ServerHealth

Answer = TypeVar("Answer")


def say_nothing(_text: str) -> None:
    """Stand in where nobody wants to be warned."""


class Running(Generic[Answer]):
    """An operation under way: send ``command`` and hand back its reply or failure, until there is none; then ``answer`` is there."""

    def __init__(self, url: str, operation: Operation[Answer]) -> None:
        self._url = url
        self._operation = operation
        self.command: Command | None = None
        self.answer: Answer
        self.take(None)  # what starts a generator

    def take(self, reply: Any) -> None:
        """Take the reply to the command: nested lists of text and integers, or one text."""
        try:
            self.command = Command(self._operation.send(reply))
        except StopIteration as done:
            self.command = None
            self.answer = done.value

    def fail(self, error: Exception) -> None:
        """Take a failure of the command: send the script's text to a server that does not know it, or raise what it means."""
        from redis.exceptions import NoScriptError

        if isinstance(error, NoScriptError) and self.command is not None and not self.command.by_text:
            self.command = self.command._replace(by_text=True)
            return
        raise translated(self._url, error) from error


def judge_server(url: str, health: "ServerHealth", warn: Callable[[str], None]) -> None:
    """Refuse a server that may drop keys, warn of one that forgets at a restart. What it forbids to ask is not held against it."""
    check_eviction(url, health.eviction)
    if health.forgets_at_restart:
        warn(f"{url} {FORGETS}")


def failures() -> tuple[type[Exception], ...]:
    """Return what sending a command may raise: for an ``except`` clause, which asks only when something was raised."""
    from redis.exceptions import RedisClusterException, RedisError

    return (RedisError, RedisClusterException, OSError, UnicodeError)


def translated(url: str, error: Exception) -> LedgerError:
    """Return our error for one of the client's ``failures``. The client's own text is not repeated unread."""
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import RedisClusterException
    from redis.exceptions import TimeoutError as RedisTimeoutError

    is_connection = isinstance(error, RedisConnectionError | RedisTimeoutError | RedisClusterException | OSError)
    return problem(url, f"{type(error).__name__}: {error}", is_connection=is_connection)
