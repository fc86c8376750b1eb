"""Which changed source files go without a test in the same change: a mistake there is found by nobody else.

Judged by names, and by the words of the tests that the change touches; whether a test is any good is for a reviewer to say. The
words are the author's: naming a file in a test lowers its place among files of its own risk, and never below those.
"""

import re
from collections.abc import Iterable

from budget_gate.core.diff_risk import Risk, is_code, risk_of, subject_words, words_of
from budget_gate.core.diff_values import FileDiff

_NAMES = re.compile(r"[A-Za-z0-9_]{2,}")
_NAMELESS = frozenset(("__init__", "__main__", "index", "main", "mod", "lib", "init"))
"""Files that go by the name of their folder."""


def untested_paths(files: Iterable[FileDiff]) -> frozenset[str]:
    """Return the paths of source files that no test file of the same change is named after or mentions."""
    everything = tuple(files)
    tests = [file for file in everything if risk_of(file.path) is Risk.TESTS]
    named_after = {subject_words(_stem(file.path)) for file in tests}
    mentioned = {
        name
        for file in tests
        for hunk in file.hunks
        for line in hunk.lines
        if line.kind != "removed"
        for name in _NAMES.findall(line.text)
    }
    return frozenset(
        file.path
        for file in everything
        if is_code(file.path) and _stem(file.path) not in mentioned and words_of(_stem(file.path)) not in named_after
    )


def _stem(path: str) -> str:
    """Return a file's name without its endings, or its folder's where every folder has a file of that name."""
    *folders, name = path.replace("\\", "/").split("/")
    stem = name.partition(".")[0] if not name.startswith(".") else name
    return folders[-1] if stem in _NAMELESS and folders else stem
