"""The primitive operations on the command line: documents, exit codes, and refusals as scripts see them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fakes.command_line import ACME, Ended, run


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """The URL of a fresh SQLite ledger."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def reserve(ledger: str, key: str, *more: str) -> Ended:
    """Reserve a small call for Acme's review workflow."""
    call = ["--workflow", "ci_cd_review", "--model", "small", "--input-tokens", "1000", "--max-output-tokens", "1000"]
    return run("ledger", "reserve", "--key", key, *call, "--policy", ACME, "--ledger", ledger, "--json", *more)


def settle(ledger: str, key: str, reservation: str, *more: str) -> Ended:
    """Settle a reservation at 500 tokens in and 100 out."""
    usage = ["--input-tokens", "500", "--output-tokens", "100"]
    return run(
        "ledger",
        "settle",
        "--key",
        key,
        "--reservation",
        reservation,
        *usage,
        "--policy",
        ACME,
        "--ledger",
        ledger,
        "--json",
        *more,
    )


def test_reserve_answers_the_worst_case_in_exact_dollars(ledger: str) -> None:
    """1000 tokens in at 1 dollar and 1000 out at 5 dollars a million reserve 0.006 dollars."""
    ended = reserve(ledger, "one")
    document = ended.document()
    assert ended.code == 0
    assert (document["decision"], document["reserved_usd"]) == ("admitted", "0.006")
    assert {
        "scope",
        "per",
        "unit",
        "mode",
        "limit",
        "stop",
        "posted",
        "pending",
        "held",
        "used_percent",
        "tier",
        "resets_at",
    } <= set(document["budgets"][0])


def test_settle_answers_the_cost_and_releases_the_rest(ledger: str) -> None:
    """500 tokens in and 100 out cost 0.001 dollars; nothing stays pending."""
    reservation = reserve(ledger, "one").document()["reservation"]
    document = settle(ledger, "one", reservation).document()
    assert (document["state"], document["cost_usd"], document["overrun_usd"]) == ("posted", "0.001", "0.00")
    assert {budget["pending"] for budget in document["budgets"] if budget["unit"] == "usd"} == {"0.00"}


def test_a_repeated_key_answers_the_same_and_counts_once(ledger: str) -> None:
    """Reserving and settling twice with the same keys leaves one reservation and one cost."""
    first = reserve(ledger, "one").document()
    again = reserve(ledger, "one").document()
    assert again["reservation"] == first["reservation"]
    settle(ledger, "one", first["reservation"])
    assert settle(ledger, "one", first["reservation"]).document()["cost_usd"] == "0.001"
    status = run("status", "--policy", ACME, "--ledger", ledger, "--json").document()
    assert next(budget for budget in status["budgets"] if budget["scope"] == "org")["posted"] == "0.001"


def test_a_key_with_other_arguments_is_wrong_usage(ledger: str) -> None:
    """The same key for another amount cannot be a retry: exit 2, one line."""
    reserve(ledger, "one")
    ended = reserve(ledger, "one", "--usd", "0.5")
    assert ended.code == 2
    assert ended.err.count("\n") == 1


def test_a_refusal_names_the_budget_and_exits_with_3(ledger: str) -> None:
    """A call larger than the day's budget is refused, naming scope, period, reason, what was needed and left, and the reset."""
    ended = reserve(ledger, "big", "--usd", "7.01")
    document = ended.document()
    assert (ended.code, document["decision"]) == (3, "refused")
    refusal = next(each for each in document["refused_by"] if each["per"] == "day")
    assert (refusal["scope"], refusal["reason"], refusal["needed"], refusal["left"]) == (
        "workflow/ci_cd_review",
        "spent",
        "7.01",
        "7.00",
    )
    assert refusal["resets_at"].endswith("+00:00")


def test_an_unpriced_model_is_refused_under_enforce(ledger: str) -> None:
    """A model without a price is refused with the reason unpriced, whatever the budget."""
    call = ["--workflow", "ci_cd_review", "--model", "claude-nobody-9", "--input-tokens", "1", "--max-output-tokens", "1"]
    ended = run("ledger", "reserve", "--key", "x", *call, "--policy", ACME, "--ledger", ledger, "--json")
    assert ended.code == 3
    assert {each["reason"] for each in ended.document()["refused_by"]} == {"unpriced"}


def test_void_releases_and_hold_keeps(ledger: str) -> None:
    """A voided reservation costs nothing; a held one stays counted at what was reserved."""
    first, second = (reserve(ledger, key).document()["reservation"] for key in ("one", "two"))
    common = ["--policy", ACME, "--ledger", ledger, "--json"]
    voided = run("ledger", "void", "--key", "one", "--reservation", first, "--reason", "refused connection", *common).document()
    held = run("ledger", "hold", "--key", "two", "--reservation", second, "--reason", "cut", *common).document()
    assert (voided["state"], held["state"]) == ("voided", "held")
    assert next(budget for budget in held["budgets"] if budget["unit"] == "usd")["held"] == "0.006"
    open_now = run("ledger", "show", *common).document()["open"]
    assert [each["reservation"] for each in open_now] == [second]


def test_verify_reads_a_whole_ledger(ledger: str) -> None:
    """After a few operations the chain is whole and the sums equal the counters."""
    settle(ledger, "one", reserve(ledger, "one").document()["reservation"])
    ended = run("ledger", "verify", "--policy", ACME, "--ledger", ledger, "--json")
    assert ended.code == 0
    assert ended.document() == {"ok": True, "entries": 2, "first_bad": None, "difference_usd": "0.00", "problem": None}


def test_an_unknown_reservation_is_one_line(ledger: str) -> None:
    """Settling what was never reserved exits 2 with one line, and in --json with a document."""
    ended = settle(ledger, "one", "res_nobody")
    assert ended.code == 2
    assert "res_nobody" in ended.document()["error"]


def test_an_unreachable_ledger_exits_with_5() -> None:
    """A Redis that does not answer is a ledger outage: exit 5, and no password in the line."""
    ended = reserve("redis://user:hunter2@127.0.0.1:1/0", "one")
    assert ended.code == 5
    assert "hunter2" not in ended.err + ended.out


@pytest.mark.parametrize("url", ["ledger.db", "mysql://host/db", "sqlite://", "sqlite:///"])
def test_a_ledger_url_of_no_known_form_says_what_to_write(url: str) -> None:
    """A URL of another kind exits 2 and lists the forms."""
    ended = reserve(url, "one")
    assert ended.code == 2
    assert "sqlite:///PATH" in ended.err


def test_verify_names_the_first_wrong_entry_as_an_object(ledger: str) -> None:
    """A ledger whose entry was edited exits 3; ``first_bad`` is an object with the entry's number and what is wrong with it."""
    reserve(ledger, "one")
    with closing(sqlite3.connect(ledger.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER entries_are_not_edited")
        connection.execute("UPDATE entries SET text = replace(text, 'small', 'large')")
    ended = run("ledger", "verify", "--policy", ACME, "--ledger", ledger, "--json")
    document = ended.document()
    assert (ended.code, document["ok"], document["difference_usd"]) == (3, False, "0.00")
    assert (document["first_bad"]["seq"], document["first_bad"]["counter"]) == (1, None)
    assert "edited" in document["first_bad"]["problem"]


@pytest.mark.parametrize("amount", ["-1", "1e-10", "ten", "nan", "inf"])
def test_an_amount_that_is_none_is_wrong_usage(ledger: str, amount: str) -> None:
    """--usd takes a decimal amount, and says so."""
    ended = reserve(ledger, "one", f"--usd={amount}")
    assert ended.code == 2
    assert "--usd" in ended.err


def test_a_shorter_answer_is_offered_to_who_accepts_one(ledger: str) -> None:
    """With --min-output-tokens, a call that does not fit whole is admitted with the longest answer that does."""
    reserve(ledger, "most", "--usd", "6.996")
    document = reserve(ledger, "rest", "--min-output-tokens", "10").document()
    assert document["decision"] == "admitted"
    assert document["max_output_tokens"] == 600
    assert document["reserved_usd"] == "0.004"
