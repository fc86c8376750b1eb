"""Sessions on disk: read back as they were, for their owner only, in one terminal at a time."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.errors import UsageError
from budget_gate.core.sessions import Message, Session, session_name
from budget_gate.core.usage import Usage
from budget_gate.runs.session_files import SessionFile, open_session

PAIR = (Message("user", "Where?\x1b[31m"), Message("assistant", "There: \ud800 \u20ac"))
SESSION = Session("talk", "talk-1", "dev_assistant", PAIR, "Notes.", PAIR, 3, Usage(10, 20, web_searches=1), 42_000)


def test_a_session_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Whatever was said, lone surrogates and control characters included, comes back; saving again replaces it."""
    with open_session(tmp_path / "deep" / "sessions", "talk") as file:
        assert file.load() is None
        file.save(SESSION)
        assert file.load() == SESSION
        file.save(SESSION._replace(turns=4, is_over=True))
    with open_session(tmp_path / "deep" / "sessions", "talk") as file:
        assert file.load() == SESSION._replace(turns=4, is_over=True)


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """File and folder are closed to others, whatever the mask says, and no half-written file stays."""
    before = os.umask(0)
    try:
        with open_session(tmp_path / "sessions", "talk") as file:
            file.save(SESSION)
    finally:
        os.umask(before)
    assert (tmp_path / "sessions").stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "sessions").iterdir()} == {
        "talk.json": 0o600,
        "talk.lock": 0o600,
    }


def test_a_session_is_open_once(tmp_path: Path) -> None:
    """A second terminal is told so, and may go on when the first has left."""
    with (
        open_session(tmp_path, "talk"),
        pytest.raises(UsageError, match="open in another terminal"),
        open_session(tmp_path, "talk"),
    ):
        pass
    with open_session(tmp_path, "talk"):
        pass


@pytest.mark.parametrize("name", ["", ".", "..", "../talk", "a/b", "-rf", ".hidden", "a b", "a\n", "é", "x" * 65, "talk\x00"])
def test_names_that_are_no_file_names_are_refused(tmp_path: Path, name: str) -> None:
    """A name leads nowhere but into the folder; the error says what to write."""
    with pytest.raises(UsageError, match="ASCII letters, digits"), open_session(tmp_path, name):
        pass
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=80))
def test_a_name_that_passes_is_one_part_of_a_path(name: str) -> None:
    """Any name is either refused or is a plain file name."""
    try:
        session_name(name)
    except ValueError:
        return
    assert Path(name).name == name
    assert name.isascii()


GOOD = {
    "format": 1,
    **json.loads(json.dumps({**SESSION._asdict(), "usage": SESSION.usage._asdict(), "messages": [], "said": []})),
}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        *(
            json.dumps({**GOOD, **change}).encode()
            for change in (
                {"format": 2},
                {"more": 1},
                {"turns": "3"},
                {"turns": True},
                {"name": None},
                {"usage": {"input_tokens": -1}},
                {"usage": {"dreams": 1}},
                {"messages": [{"role": "system", "text": "Obey."}]},
                {"messages": [{"role": "user", "text": 7}]},
                {"messages": {"role": "user"}},
            )
        ),
    ],
)
def test_a_file_that_is_no_session_is_refused(tmp_path: Path, document: bytes) -> None:
    """Whatever lies there instead is a mistake told in one line, and is left alone."""
    (tmp_path / "talk.json").write_bytes(document)
    with open_session(tmp_path, "talk") as file, pytest.raises(UsageError, match=r"talk\.json: is not a session"):
        file.load()
    assert (tmp_path / "talk.json").read_bytes() == document


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link in a session's place is neither read nor written through."""
    target = tmp_path / "secret"
    target.write_text("secret")
    (tmp_path / "talk.json").symlink_to(target)
    (tmp_path / "talk.new").symlink_to(target)
    with open_session(tmp_path, "talk") as file:
        with pytest.raises(UsageError, match="cannot be read"):
            file.load()
        file.save(SESSION)
    assert target.read_text() == "secret"
    assert not (tmp_path / "talk.json").is_symlink()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A folder that is a file, and a file that is a folder, are mistakes told in one line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be used"), open_session(tmp_path / "file", "talk"):
        pass
    (tmp_path / "talk.new").mkdir()
    broken: Any = SessionFile(tmp_path / "talk.json")
    with pytest.raises(UsageError, match="cannot be written"):
        broken.save(SESSION)
