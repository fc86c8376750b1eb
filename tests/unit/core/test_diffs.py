"""Reading diffs: what git and hostile authors write, one shape at a time."""

import time

import pytest

from budget_gate.core.diff_values import DiffLine, FileDiff, LineRange, valid_lines
from budget_gate.core.diffs import parse_diff


def only(text: str | bytes) -> FileDiff:
    """Return the one file of a diff."""
    (file,) = parse_diff(text)
    return file


def diff(*lines: str) -> str:
    """Return lines as a text that ends with a line feed."""
    return "\n".join(lines) + "\n"


MODIFIED = diff(
    "diff --git a/src/app.py b/src/app.py",
    "index 83db48f..bf2a2a1 100644",
    "--- a/src/app.py",
    "+++ b/src/app.py",
    "@@ -10,4 +10,4 @@ def main():",
    " first",
    "-old",
    "+new",
    " third",
    " fourth",
)


def test_a_modified_file_gives_numbered_lines() -> None:
    """Each line knows its kind, its number on either side and its text."""
    file = only(MODIFIED)
    assert (file.old_path, file.new_path, file.status, file.content) == ("src/app.py", "src/app.py", "modified", "text")
    (hunk,) = file.hunks
    assert (hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count, hunk.heading) == (10, 4, 10, 4, "def main():")
    assert hunk.lines == (
        DiffLine("context", 10, 10, "first"),
        DiffLine("removed", 11, 0, "old"),
        DiffLine("added", 0, 11, "new"),
        DiffLine("context", 12, 12, "third"),
        DiffLine("context", 13, 13, "fourth"),
    )
    assert not hunk.is_cut


def test_valid_lines_are_the_shown_ones() -> None:
    """A remark may stand on what a side shows, and nowhere else."""
    file = only(MODIFIED)
    assert valid_lines(file, "RIGHT") == (LineRange(10, 13),)
    assert valid_lines(file, "LEFT") == (LineRange(10, 13),)
    added = only(diff("diff --git a/n b/n", "new file mode 100644", "--- /dev/null", "+++ b/n", "@@ -0,0 +1,2 @@", "+a", "+b"))
    assert valid_lines(added, "RIGHT") == (LineRange(1, 2),)
    assert valid_lines(added, "LEFT") == ()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (("new file mode 100644", "index 0000000..e69de29"), ("", "f", "added", "text")),
        (("deleted file mode 100644", "index e69de29..0000000"), ("f", "", "deleted", "text")),
        (("old mode 100644", "new mode 100755"), ("f", "f", "mode_changed", "text")),
        (("index 1..2 100644", "Binary files a/f and b/f differ"), ("f", "f", "modified", "binary")),
        (("new file mode 100644", "index 0..2", "Binary files /dev/null and b/f differ"), ("", "f", "added", "binary")),
        (("index 1..2 100644", "GIT binary patch", "literal 3", "zc$", "", "literal 0", "Hc"), ("f", "f", "modified", "binary")),
        (("index 1..2 160000", "--- a/f", "+++ b/f", "@@ -1 +1 @@", "-Subproject commit 1", "+Subproject commit 2"), None),
    ],
)
def test_statuses(headers: tuple[str, ...], expected: tuple[str, ...] | None) -> None:
    """Headers say whether a file was added, deleted, is binary, a submodule, or only changed its mode."""
    file = only(diff("diff --git a/f b/f", *headers))
    assert (file.old_path, file.new_path, file.status, file.content) == (expected or ("f", "f", "modified", "submodule"))


@pytest.mark.parametrize(("verb", "status"), [("rename", "renamed"), ("copy", "copied")])
def test_renames_and_copies_name_both_paths(verb: str, status: str) -> None:
    """The two paths come from their own lines, not from cutting the first."""
    file = only(diff("diff --git a/x b/y b/z b/w", "similarity index 90%", f"{verb} from x b/y", f"{verb} to z b/w"))
    assert (file.old_path, file.new_path, file.status) == ("x b/y", "z b/w", status)


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ("a/with space.py b/with space.py", "with space.py"),
        ("a/x b/y.py b/x b/y.py", "x b/y.py"),
        (r'"a/\303\244.txt" "b/\303\244.txt"', "ä.txt"),
        (r'"a/a\tb\"c\\d.txt" "b/a\tb\"c\\d.txt"', 'a\tb"c\\d.txt'),
        (r'"a/\377.bin" "b/\377.bin"', "\ufffd.bin"),
        (r"a/C:\dir\file.py b/C:\dir\file.py", r"C:\dir\file.py"),
        ("src/no_prefix.py src/no_prefix.py", "src/no_prefix.py"),
        ("i/mnemonic.py w/mnemonic.py", "mnemonic.py"),
        ("a/b/b b/b/b", "b/b"),
    ],
)
def test_paths(header: str, path: str) -> None:
    """Spaces, `` b/``, quotes, octal escapes, Windows paths and other prefixes do not confuse a path."""
    file = only(diff(f"diff --git {header}", "index 1..2 100644", "--- ignored", "+++ ignored", "@@ -1 +1 @@", "-a", "+b"))
    assert (file.old_path, file.new_path) == (path, path)


def test_content_that_looks_like_headers_stays_content() -> None:
    """Hunks are read by their declared lengths, so a removed ``-- a/x`` opens no file."""
    text = diff(
        "diff --git a/q.sql b/q.sql",
        "--- a/q.sql",
        "+++ b/q.sql",
        "@@ -1,3 +1,4 @@",
        "--- a/x",
        "+++ b/x",
        " @@ -1,9 +1,9 @@",
        "-diff --git a/y b/y",
        "+diff --git a/z b/z",
        "+@@ -1 +1 @@",
        "diff --git a/next b/next",
        "old mode 100644",
        "new mode 100755",
    )
    first, second = parse_diff(text)
    assert [line.text for line in first.hunks[0].lines] == [
        *("-- a/x", "++ b/x", "@@ -1,9 +1,9 @@", "diff --git a/y b/y", "diff --git a/z b/z", "@@ -1 +1 @@"),
    ]
    assert not first.hunks[0].is_cut
    assert second.path == "next"


def test_no_newline_markers_belong_to_the_line_before() -> None:
    """Both sides may end without a line feed, and the marker is no line of its own."""
    text = diff(
        *("diff --git a/f b/f", "--- a/f", "+++ b/f", "@@ -1 +1 @@"), *("-a", "\\ No newline at end of file", "+b", "\\ nope")
    )
    assert [line.ends_file for line in only(text).hunks[0].lines] == [True, True]


def test_carriage_returns_and_odd_separators_stay_in_the_text() -> None:
    """Only a line feed ends a line: CR, form feed and U+2028 are content."""
    text = "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\r\n+b\x0c\u2028c\r\n"
    assert [line.text for line in only(text).hunks[0].lines] == ["a\r", "b\x0c\u2028c\r"]


def test_undecodable_bytes_are_replaced() -> None:
    """A Latin-1 file is still reviewed; lone surrogates in a text are replaced too."""
    raw = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+caf\xe9\n"
    assert only(raw).hunks[0].lines[1].text == "caf\ufffd"
    only(raw.decode("utf-8", "surrogateescape")).hunks[0].lines[1].text.encode()


@pytest.mark.parametrize("text", ["", "\n", "no diff at all\n@@ -1 +1 @@\n-a\n+b\n", b"\x00\xff"])
def test_what_is_no_diff_has_no_files(text: str | bytes) -> None:
    """Nothing is made up where there is no diff."""
    assert parse_diff(text) == ()


def test_a_combined_diff_is_set_aside_with_a_reason() -> None:
    """A merge's diff has several old sides; the files around it are read as usual."""
    first, second = parse_diff(
        "diff --cc a b.py\nindex 1,2..3\n--- a/a b.py\n+++ b/a b.py\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n" + MODIFIED
    )
    assert (first.path, first.content) == ("a b.py", "combined")
    assert first.problem
    assert second.path == "src/app.py"


def test_a_truncated_hunk_keeps_what_arrived() -> None:
    """A diff that was cut off is marked, and neither what came nor the next file is lost."""
    cut = MODIFIED.replace("+10,4", "+10,40").replace("-10,4", "-10,40")
    first, second = parse_diff(cut + MODIFIED.replace("app", "other"))
    assert first.hunks[0].is_cut
    assert len(first.hunks[0].lines) == 5
    assert second.path == "src/other.py"


@pytest.mark.parametrize(
    "header",
    [
        "@@ -1,99999999999999999999999 +1 @@",
        f"@@ -{'9' * 5000} +1 @@",
        "@@ -1 @@",
        "@@@ -1 +1 @@",
        "@@ -a +b @@",
        "@@ -1,-5 +1 @@",
    ],
)
def test_absurd_hunk_headers_are_set_aside(header: str) -> None:
    """A header that no git wrote makes its file unreadable, with a reason; the next file is read."""
    broken = f"diff --git a/f b/f\n--- a/f\n+++ b/f\n{header}\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    first, second = parse_diff(broken + MODIFIED)
    assert (first.path, first.content, bool(first.problem)) == ("f", "unreadable", True)
    assert second.path == "src/app.py"


def test_a_plain_diff_of_another_tool_is_read() -> None:
    """``diff -u`` writes no git header; timestamps are not part of the path."""
    changed = diff("--- a/x.c\t2024-01-01 00:00:00", "+++ b/x.c\t2024-01-02 00:00:00", "@@ -1 +1 @@", "-a", "+b")
    text = changed + diff("--- /dev/null", "+++ b/n.c", "@@ -0,0 +1 @@", "+x")
    first, second = parse_diff(text)
    assert (first.path, first.status, len(first.hunks[0].lines)) == ("x.c", "modified", 2)
    assert (second.path, second.status) == ("n.c", "added")


def test_fifty_thousand_lines_within_a_second() -> None:
    """Reading is linear: a large diff is read in well under a second, a megabyte-long line too."""
    many = "diff --git a/f b/f\n--- a/f\n+++ b/f\n" + "".join(
        f"@@ -{n},3 +{n},4 @@ x\n a\n-b\n+c\n+d\n e\n" for n in range(1, 10_001)
    )
    long = f"diff --git a/g b/g\n--- a/g\n+++ b/g\n@@ -0,0 +1 @@\n+{'x' * 1_000_000}\n"
    started = time.process_time()
    first, second = parse_diff(many + long)
    assert time.process_time() - started < 1.0
    assert sum(len(hunk.lines) for hunk in first.hunks) == 50_000
    assert len(second.hunks[0].lines[0].text) == 1_000_000


@pytest.mark.parametrize("line", ["Submodule libs/x 0123abc..4567def:", "Submodule libs/x contains untracked content"])
def test_a_submodule_log_is_a_submodule(line: str) -> None:
    """``diff.submodule=log`` writes a line of its own."""
    file = only(f"{line}\n  > a commit\n")
    assert (file.path, file.content) == ("libs/x", "submodule")
