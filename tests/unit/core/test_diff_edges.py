"""Diffs at their edges, as the git command writes them: each is read, or set aside with a reason, and packing loses none of it."""

import os
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from budget_gate.core.diff_pieces import Piece, pieces_of
from budget_gate.core.diff_selection import Selection, select
from budget_gate.core.diffs import parse_diff
from budget_gate.core.packing import PACK_TOKENS_MOST, Plan, Price, Priced, Room, plan

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false")
CALL = Price(2_000, 20_000)
ROOM = Room(tokens=12_000, nano_usd=10**9, steps=5)


def git(folder: Path, *arguments: str) -> bytes:
    """Run git in a folder, without anybody's settings, and return what it prints."""
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run((*GIT, *arguments), cwd=folder, env=environment, check=True, capture_output=True).stdout


def written_by_git(folder: Path, before: Callable[[Path], None], after: Callable[[Path], None]) -> Selection:
    """Return what is selected of the diff between two states of a folder."""
    git(folder, "init", "--quiet")
    for change in (before, after):
        change(folder)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")
    return select(parse_diff(git(folder, "diff", "-M", "HEAD~1", "HEAD")))


def price(piece: Piece) -> Price:
    """Price a piece at a token for three characters."""
    tokens = 5 + sum(len(line.text) // 3 + 4 for line in piece.lines)
    return Price(tokens, tokens * 10)


def planned(selection: Selection, room: Room = ROOM) -> Plan:
    """Plan a selection and check that nothing of it is lost, doubled or past its bound."""
    pieces = pieces_of(selection.files)
    result = plan([Priced(each, price(each)) for each in pieces], call=CALL, room=room, price=price)
    placed = [each.piece for pack in result.packs for each in pack.pieces] + [each.priced.piece for each in result.left_out]
    wanted = Counter((each.order[0], line) for each in pieces for line in each.lines)
    assert Counter((each.order[0], line) for each in placed for line in each.lines) == wanted
    assert sum(pack.price.tokens for pack in result.packs) <= (room.tokens or 10**9)
    assert all(pack.price.tokens - CALL.tokens <= PACK_TOKENS_MOST for pack in result.packs)
    return result


@pytest.mark.parametrize("count", [1, 2, 3, 199, 2_000, 50_000])
@pytest.mark.parametrize("room", [ROOM, Room()], ids=["bounded", "unbounded"])
def test_one_hunk_of_any_length(count: int, room: Room) -> None:
    """From one line to fifty thousand in a single hunk: cut where it must be, and every line is still there once."""
    body = "".join(f"+value_{number} = {number}\n" for number in range(count))
    selection = select(
        parse_diff(f"diff --git a/f.py b/f.py\nnew file mode 100644\n--- /dev/null\n+++ b/f.py\n@@ -0,0 +1,{count} @@\n{body}")
    )
    result = planned(selection, room)
    assert result.packs
    assert bool(result.left_out) == (room.tokens is not None and count >= 2_000)


@pytest.mark.parametrize("count", [1, 2_000, 50_000])
def test_hunks_of_any_number(count: int) -> None:
    """So many hunks of a line each, over many files, are packed or left out by name."""
    text = "".join(
        f"diff --git a/src/f{number % 97}_{number}.py b/src/f{number % 97}_{number}.py\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
        for number in range(count // 2 or 1)
    )
    planned(select(parse_diff(text)))


def test_what_git_does_to_symbolic_links_and_types(tmp_path: Path) -> None:
    """A link's target is text to review; a file that becomes a link is a deletion and a new file, and the deletion has a reason."""

    def before(folder: Path) -> None:
        (folder / "link").symlink_to("old-target")
        (folder / "file.py").write_text("x = 1\n")

    def after(folder: Path) -> None:
        (folder / "link").unlink()
        (folder / "link").symlink_to("../../etc/passwd")
        (folder / "file.py").unlink()
        (folder / "file.py").symlink_to("link")

    selection = written_by_git(tmp_path, before, after)
    texts = {
        (file.path, line.text) for file in selection.files for hunk in file.hunks for line in hunk.lines if line.kind == "added"
    }
    assert texts == {("link", "../../etc/passwd"), ("file.py", "link")}
    assert [(each.path, each.reason) for each in selection.set_aside] == [("file.py", "deleted: nothing left to review")]
    assert [line.ends_file for file in selection.files for hunk in file.hunks for line in hunk.lines] == [True] * 3
    planned(selection)


def test_submodules_are_set_aside_however_they_change(tmp_path: Path) -> None:
    """A submodule that appears, moves on or goes is named with its reason, never read as text."""
    commits = ["1" * 40, "2" * 40]

    def index(folder: Path, path: str, commit: str) -> None:
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")

    git(tmp_path, "init", "--quiet")
    for path in ("stays", "goes"):
        index(tmp_path, path, commits[0])
    git(tmp_path, "commit", "--quiet", "--message", "one")
    index(tmp_path, "stays", commits[1])
    index(tmp_path, "comes", commits[1])
    git(tmp_path, "update-index", "--force-remove", "goes")
    git(tmp_path, "commit", "--quiet", "--message", "two")
    for options in ((), ("--submodule=log",)):
        selection = select(parse_diff(git(tmp_path, "diff", *options, "HEAD~1", "HEAD")))
        assert selection.files == ()
        assert sorted(each.path for each in selection.set_aside) == ["comes", "goes", "stays"]
        assert all(each.reason.startswith("submodule") for each in selection.set_aside)


def test_renames_with_and_without_changes(tmp_path: Path) -> None:
    """A pure rename is set aside, one with a change is reviewed under its new name, a renamed binary is binary."""
    body = "".join(f"line {number}\n" for number in range(40))

    def before(folder: Path) -> None:
        (folder / "pure.py").write_text(body)
        (folder / "changed.py").write_text(body.replace("line", "row"))
        (folder / "image.bin").write_bytes(bytes(range(256)) * 20)

    def after(folder: Path) -> None:
        (folder / "pure.py").rename(folder / "pure_moved.py")
        (folder / "changed.py").rename(folder / "changed_moved.py")
        (folder / "changed_moved.py").write_text(body.replace("line", "row").replace("row 7\n", "row seven\n"))
        (folder / "changed_moved.py").chmod(0o755)
        (folder / "image.bin").rename(folder / "moved.bin")
        (folder / "moved.bin").write_bytes(bytes(range(256)) * 20 + b"\0")

    selection = written_by_git(tmp_path, before, after)
    assert [(file.old_path, file.new_path, file.new_mode) for file in selection.files] == [
        ("changed.py", "changed_moved.py", "100755")
    ]
    reasons = {each.path: each.reason for each in selection.set_aside}
    assert reasons == {"pure_moved.py": "renamed without a change", "moved.bin": "binary"}
    planned(selection)


@pytest.mark.parametrize(
    "name", [r"dir\file.py", r"C:\Users\mona\app.py", "com1 aux.py", "caf\u00e9 \u4f60.py", "-n.py", 'q"uote\ttab.py']
)
def test_odd_names_as_git_quotes_them(tmp_path: Path, name: str) -> None:
    """Backslashes of Windows, spaces, quotes and letters outside ASCII come back as they were, whatever git makes of them."""

    def before(folder: Path) -> None:
        (folder / name).write_text("a\n")

    def after(folder: Path) -> None:
        (folder / name).write_text("b\n")

    selection = written_by_git(tmp_path, before, after)
    assert [file.path for file in selection.files] == [name]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a", b"b"),
        (b"a\n", b"a"),
        (b"", b"only\n"),
        (b"caf\xe9\n", b"caf\xe9s \xff\xfe\n"),
        (b"x" * 1_000_000 + b"\n", b"y" * 1_000_000 + b"\nz\n"),
        (b"\r\r\n\x0c\x0b\n", "\u2028\u0085\n".encode()),
    ],
    ids=["crlf", "to-crlf", "no-newline", "newline-gone", "was-empty", "latin-1", "huge-line", "odd-breaks"],
)
def test_odd_contents_as_git_writes_them(tmp_path: Path, old: bytes, new: bytes) -> None:
    """Line ends, missing ones, other encodings and lines of a megabyte keep their text and number, and packing loses none."""

    def before(folder: Path) -> None:
        (folder / "f.txt").write_bytes(old)

    def after(folder: Path) -> None:
        (folder / "f.txt").write_bytes(new)

    selection = written_by_git(tmp_path, before, after)
    (file,) = selection.files
    lines = [line for hunk in file.hunks for line in hunk.lines]
    for content, kind in ((old, "removed"), (new, "added")):
        rows = content.decode("utf-8", "replace").removesuffix("\n").split("\n") if content else []
        shown = [
            (line.old_line if kind == "removed" else line.new_line, line.text) for line in lines if line.kind in {"context", kind}
        ]
        assert shown == list(enumerate(rows, start=1))
    result = planned(selection)
    assert [each.cause for each in result.left_out] == (["line", "line"] if len(old) > 100_000 else [])
