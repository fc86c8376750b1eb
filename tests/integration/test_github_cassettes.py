"""Recorded exchanges: they replay to the same answers, carry no secret, and are what recording would give today."""

from pathlib import Path

import pytest
from fakes.github_server import GitHubServer

from budget_gate.github.client import GitHubClient
from scripts.record_github_cassettes import DIFF, FIRST_LINE, FOLDER, HEAD, REPLAY_URL, SCENARIOS, record, recorder


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_cassette_replays_to_the_same_answers(name: str) -> None:
    """Without any server, the client gives the answers that it gives with the fake, and uses the whole recording."""
    token, scenario = SCENARIOS[name]
    with (
        GitHubServer({"pulls": {"7": {"head_sha": HEAD, "diff": DIFF}}}) as server,
        GitHubClient(token, server.url, "acme/shop") as live,
    ):
        expected = scenario(live)
    with (
        recorder().use_cassette(str(FOLDER / f"{name}.yaml"), record_mode="none") as cassette,
        GitHubClient(token, REPLAY_URL, "acme/shop", sleep=lambda _: None) as replayed,
    ):
        assert scenario(replayed) == expected
        assert cassette.all_played


def test_cassettes_are_what_recording_gives_today(tmp_path: Path) -> None:
    """Recording again changes nothing; else client, fake and cassettes have drifted apart."""
    record(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        path.name: path.read_text() for path in FOLDER.iterdir()
    }


def test_cassettes_carry_no_secret_and_say_what_they_are() -> None:
    """No token, no header that carries one, no address of the recording machine; the first line tells the truth."""
    paths = sorted(FOLDER.iterdir())
    assert [path.stem for path in paths] == sorted(SCENARIOS)
    for path in paths:
        text = path.read_text("utf-8")
        assert text.startswith(FIRST_LINE)
        assert not [word for word in ("ghs_", "ghp_", "uthorization", "127.0.0.1", "User-Agent") if word in text]
