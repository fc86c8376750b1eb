"""Reading diffs: properties over invented files, and over what the git command really writes."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budget_gate.core.diff_values import DiffLine, FileDiff, valid_lines
from budget_gate.core.diffs import parse_diff

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false")
REPOSITORY = Path(__file__).parents[3]
MARKS = {"context": " ", "added": "+", "removed": "-"}

HOSTILE_LINES = st.sampled_from(
    [
        "",
        "-- a/x",
        "++ b/x",
        "@@ -1,5 +1,5 @@",
        "diff --git a/q b/q",
        "\\ No newline",
        "x\r",
        "\u2028",
        " ",
        "same",
        "Binary files",
    ]
)
CONTENT = st.lists(
    st.one_of(HOSTILE_LINES, st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=12))
)


def written(lines: Sequence[DiffLine]) -> str:
    """Return hunk lines as a diff writes them."""
    return "".join(
        f"{MARKS[line.kind]}{line.text}\n" + ("\\ No newline at end of file\n" if line.ends_file else "") for line in lines
    )


def git(folder: Path, *arguments: str) -> bytes:
    """Run git in a folder and return what it prints."""
    environment = {"HOME": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run((*GIT, *arguments), cwd=folder, env=environment, check=True, capture_output=True).stdout


def one_sided(file: FileDiff, kind: str) -> list[str]:
    """Return the texts of one side of a whole file, in order."""
    return [line.text for hunk in file.hunks for line in hunk.lines if line.kind in ("context", kind)]


@given(st.lists(st.tuples(st.sampled_from([" ", "+", "-"]), HOSTILE_LINES), min_size=1), st.integers(1, 10**8))
def test_any_hunk_body_is_read_back(body: list[tuple[str, str]], start: int) -> None:
    """Whatever the lines hold, each comes back once, numbered without a gap, and writing them gives the same text."""
    old = sum(mark != "+" for mark, _ in body)
    new = sum(mark != "-" for mark, _ in body)
    text = "".join(f"{mark}{line}\n" for mark, line in body)
    (file,) = parse_diff(f"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -{start},{old} +{start},{new} @@\n{text}")
    (hunk,) = file.hunks
    assert written(hunk.lines) == text
    assert [line.old_line for line in hunk.lines if line.old_line] == list(range(start, start + old))
    assert [line.new_line for line in hunk.lines if line.new_line] == list(range(start, start + new))
    assert not hunk.is_cut


@given(st.one_of(st.text(max_size=400), st.binary(max_size=400)))
def test_reading_never_raises(data: str | bytes) -> None:
    """Any text or bytes at all are read without an exception."""
    for file in parse_diff(data):
        assert file.path


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "diff --git a/x b/x",
                    'diff --git "a/\\3',
                    "diff --cc x",
                    "--- a/x",
                    "+++ b/x",
                    "@@ -1,3 +1,2 @@",
                    "@@ -1 +0,0 @@",
                ),
                *("@@", " a", "-b", "+c", "\\ No", "", "GIT binary patch", "rename from x", "rename to", "index 1..2 160000"),
            ]
        ),
        max_size=40,
    )
)
def test_any_order_of_diff_lines_is_survived(lines: list[str]) -> None:
    """Parts of diffs in any order never raise, and every line that is kept is numbered within what was shown."""
    for file in parse_diff("\n".join(lines)):
        shown = [*valid_lines(file, "RIGHT"), *valid_lines(file, "LEFT")]
        assert all(1 <= each.first <= each.last for each in shown)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=CONTENT, new=CONTENT, old_ends=st.booleans(), new_ends=st.booleans())
def test_what_git_writes_holds_both_files(
    tmp_path: Path, old: list[str], new: list[str], *, old_ends: bool, new_ends: bool
) -> None:
    """From git's own diff with full context, both versions of a file can be put together again."""
    texts = ["\n".join(lines) + ("\n" if ends and lines else "") for lines, ends in ((old, old_ends), (new, new_ends))]
    for name, text in zip(("old", "new"), texts, strict=True):
        (tmp_path / name).write_bytes(text.encode())
    command = (*GIT, "diff", "--no-index", "--text", "-U100000", "old", "new")
    output = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).stdout
    if texts[0] == texts[1]:
        assert output == b""
        return
    (file,) = parse_diff(output)
    for kind, text in (("removed", texts[0]), ("added", texts[1])):
        assert one_sided(file, kind) == (text.removesuffix("\n").split("\n") if text else [])


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository whose second commit does everything to files that git can tell."""
    git(tmp_path, "init", "-q")
    body = "".join(f"line {number}\n" for number in range(30))
    for name in ("plain.py", "with space.py", "ä.txt", 'quo"te.txt', "moved.py", "gone.py", "mode.sh", "tab\tname.txt"):
        (tmp_path / name).write_text(body)
    (tmp_path / "x b").mkdir()
    (tmp_path / "x b" / "y.py").write_text(body)
    (tmp_path / "image.bin").write_bytes(b"\0\1\2")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    for name in ("plain.py", "with space.py", "ä.txt", 'quo"te.txt', "tab\tname.txt", "x b/y.py"):
        (tmp_path / name).write_text(body.replace("line 20", "-- a/x"))
    (tmp_path / "moved.py").rename(tmp_path / "new name.py")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "mode.sh").chmod(0o755)
    (tmp_path / "image.bin").write_bytes(b"\0\3\2")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9s\r\n")
    (tmp_path / "added.py").write_text("no end")
    (tmp_path / "empty.py").write_text("")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "two")
    return tmp_path


@pytest.mark.parametrize("options", [(), ("--binary",), ("-c", "noprefix"), ("-c", "mnemonicPrefix")], ids=str)
def test_every_kind_of_change_git_writes(history: Path, options: tuple[str, ...]) -> None:
    """Paths, statuses and kinds agree with git's own machine-readable list, whatever the prefixes."""
    settings_ = ("-c", f"diff.{options[1]}=true") if options[:1] == ("-c",) else ()
    flags = options if options[:1] != ("-c",) else ()
    files = parse_diff(git(history, *settings_, "diff", "-M", *flags, "HEAD~1", "HEAD"))
    fields = git(history, "diff", "-M", "--name-status", "-z", "HEAD~1", "HEAD").decode().split("\0")
    assert sorted((file.status, file.old_path, file.new_path) for file in files) == sorted(_listed(fields))
    assert {file.path for file in files if file.content == "binary"} == {"image.bin"}
    changed = next(file for file in files if file.path == 'quo"te.txt')
    assert [line.text for hunk in changed.hunks for line in hunk.lines if line.kind == "added"] == ["-- a/x"]


def _listed(fields: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield status and paths from ``--name-status -z``; a mode change is listed as a modification there."""
    rest = iter(fields)
    for status in rest:
        if status.startswith("R"):
            yield "renamed", next(rest), next(rest)
        elif status:
            path = next(rest)
            name = "mode_changed" if path == "mode.sh" else {"A": "added", "D": "deleted", "M": "modified"}[status]
            yield name, "" if status == "A" else path, "" if status == "D" else path


def test_this_repository_is_read_as_git_counts_it() -> None:
    """Added and removed lines of this project's own commits are as many as ``--numstat`` says, and no hunk is cut."""
    commits = subprocess.run(
        (*GIT, "rev-list", "--max-count=5", "HEAD"), cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.split()
    assert commits
    for commit in commits:
        show = (*GIT, "show", "--format=", "-M", "--first-parent")
        patch = subprocess.run((*show, commit), cwd=REPOSITORY, check=True, capture_output=True).stdout
        numbers = subprocess.run((*show, "--numstat", commit), cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
        lines = [line for file in parse_diff(patch) for hunk in file.hunks for line in hunk.lines]
        rows = [row.split("\t") for row in numbers.splitlines() if row and not row.startswith("-")]
        assert sum(line.kind == "added" for line in lines) == sum(int(row[0]) for row in rows)
        assert sum(line.kind == "removed" for line in lines) == sum(int(row[1]) for row in rows)
        assert not any(hunk.is_cut for file in parse_diff(patch) for hunk in file.hunks)
