"""Broken and unusual events: each gives one clear line, or a defined default (both stand in ``broken_events``)."""

import json
import os
from pathlib import Path

import pytest

from budget_gate.core.errors import UsageError
from budget_gate.github.events import FILE_BYTES_MAX, read_event

FOLDER = Path(__file__).parent / "broken_events"
TABLE = json.loads((FOLDER / "expected.json").read_text("utf-8"))
SHA = "d" * 40
TAIL = "GITHUB_EVENT_PATH must name the event file that the runner wrote"


def _line(name: str, path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_event(name, str(path), "acme/shop", SHA)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_every_file_has_an_expectation() -> None:
    """The table names every event file, and nothing else."""
    assert sorted(TABLE) == sorted(path.name for path in FOLDER.iterdir() if path.name != "expected.json")
    assert len(TABLE) >= 20


@pytest.mark.parametrize("file", [name for name, row in TABLE.items() if "line" in row])
def test_broken_event_gives_its_line(file: str) -> None:
    """A broken event is refused with exactly the expected line, which names file, field and fault."""
    assert _line(TABLE[file]["event"], FOLDER / file) == f"{FOLDER}/{TABLE[file]['line']}"


@pytest.mark.parametrize("file", [name for name, row in TABLE.items() if "fields" in row])
def test_unusual_event_gets_its_defaults(file: str) -> None:
    """An event that lacks what may rightly be absent is read with the defined defaults."""
    event = read_event(TABLE[file]["event"], str(FOLDER / file), "acme/shop", SHA)._asdict()
    event["labels"] = list(event["labels"])
    event["author"] = event["author"].replace("\N{REPLACEMENT CHARACTER}", "?")
    assert {name: event[name] for name in TABLE[file]["fields"]} == TABLE[file]["fields"]


def test_missing_file(tmp_path: Path) -> None:
    """A path to nothing is refused in one line that names it."""
    assert (
        _line("pull_request", tmp_path / "none.json")
        == f"{tmp_path}/none.json: cannot be read (No such file or directory); {TAIL}"
    )


def test_huge_file(tmp_path: Path) -> None:
    """A file beyond any event's size is refused without being parsed."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    assert _line("pull_request", path) == f"{path}: is larger than 32 MiB; {TAIL}"


def test_file_that_never_ends(tmp_path: Path) -> None:
    """A pipe is refused rather than waited for."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert _line("pull_request", path) == f"{path}: is not a regular file; {TAIL}"
    assert _line("pull_request", tmp_path) == f"{tmp_path}: is not a regular file; {TAIL}"


def test_deeply_nested_file(tmp_path: Path) -> None:
    """Nesting that exhausts the parser is a line, not a crash."""
    path = tmp_path / "deep.json"
    path.write_bytes(b'{"a":' * 100_000)
    assert _line("pull_request", path) == f"{path}: is nested too deeply; {TAIL}"


def test_path_that_is_none() -> None:
    """A path with characters that no path has is refused in one line."""
    assert "cannot be read (not a path)" in _line("pull_request", Path("a\0b"))


def test_merge_group_names_its_pull_request(tmp_path: Path) -> None:
    """A merge queue's event reports on the queue's commit and is about the pull request in its branch name."""
    path = tmp_path / "event.json"
    group = {"head_sha": "e" * 40, "head_ref": f"refs/heads/gh-readonly-queue/main/pr-41-{'e' * 40}"}
    path.write_text(json.dumps({"merge_group": group}))
    event = read_event("merge_group", str(path), "acme/shop", SHA)
    assert (event.head_sha, event.pr_number) == ("e" * 40, 41)


def test_pull_request_reports_on_its_head_not_on_the_merge_commit(tmp_path: Path) -> None:
    """For pull_request and pull_request_target alike, the head commit counts and GITHUB_SHA does not."""
    path = tmp_path / "event.json"
    pull = {"number": 3, "merged": True, "head": {"sha": "f" * 40, "repo": {"full_name": "Acme/Shop"}}}
    path.write_text(json.dumps({"action": "closed", "pull_request": pull}))
    for name in ("pull_request", "pull_request_target"):
        event = read_event(name, str(path), "acme/shop", SHA)
        assert (event.head_sha, event.is_fork, event.is_merged, event.action) == ("f" * 40, False, True, "closed")
