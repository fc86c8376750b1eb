"""What the blocking and the asyncio shell of the Redis ledger do alike: word a call, judge a server, translate a failure."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from budget_gate.ledger.redis_calls import Argument, Call
from budget_gate.ledger.redis_problems import FORGETS, check_eviction, problem

if TYPE_CHECKING:
    from budget_gate.ledger.redis_connect import ServerHealth


def say_nothing(_text: str) -> None:
    """Stand in where nobody wants to be warned."""


def words_of(call: Call) -> tuple[Argument, ...]:
    """Return what follows a script's digest or text in a command."""
    return (len(call.keys), *call.keys, *call.arguments)


def judge_server(url: str, health: "ServerHealth", warn: Callable[[str], None]) -> None:
    """Refuse a server that may drop keys, warn of one that forgets at a restart. What it forbids to ask is not held against it."""
    check_eviction(url, health.eviction)
    if health.forgets_at_restart:
        warn(f"{url} {FORGETS}")


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn every failure of the client into ours. The cause stays, for ``--debug``; its text is not repeated unread."""
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import RedisClusterException, RedisError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, RedisClusterException, OSError) as error:
        raise problem(url, f"{type(error).__name__}: {error}", is_connection=True) from error
    except (RedisError, UnicodeError) as error:
        raise problem(url, f"{type(error).__name__}: {error}", is_connection=False) from error
