"""Processes at one budget in Redis: law 1 holds on a fast line and on a slow one, where a naive client visibly breaks it."""

import time

import redis
from fakes.delay_proxy import delayed
from fakes.redis_race import LIMIT, PROCESSES, ROUNDS, admitted_together, check_then_add, reserve_calls
from fakes.redis_server import fresh_organization, shared_server


def test_exactly_the_limit_is_admitted_on_a_fast_line() -> None:
    """Eight processes asking for 160 calls at once get 100."""
    assert PROCESSES * ROUNDS > LIMIT
    assert admitted_together(reserve_calls, shared_server().url(), fresh_organization()) == LIMIT


def test_exactly_the_limit_is_admitted_on_a_slow_line() -> None:
    """Ten milliseconds between the processes and Redis let nobody past the limit."""
    with delayed(shared_server().port, 0.010) as port:
        assert admitted_together(reserve_calls, f"redis://127.0.0.1:{port}", fresh_organization()) == LIMIT


def test_the_slow_line_exposes_a_check_that_is_not_atomic() -> None:
    """A client that checks first and adds in a second step admits too many over the delayed line: the fake shows races."""
    with delayed(shared_server().port, 0.010) as port:
        assert admitted_together(check_then_add, f"redis://127.0.0.1:{port}", fresh_organization()) > LIMIT


def test_the_line_is_late_in_both_directions_and_ends_when_the_server_hangs_up() -> None:
    """A round trip takes at least twice the delay, and a connection that the server closes is closed for the client."""
    with delayed(shared_server().port, 0.010) as port:
        client = redis.Redis(port=port, protocol=2)
        client.ping()
        before = time.monotonic()
        client.ping()
        assert time.monotonic() - before >= 0.020
        assert client.execute_command("CLIENT", "KILL", "ID", client.client_id(), "SKIPME", "no") == 1
        assert client.ping()
        client.close()
