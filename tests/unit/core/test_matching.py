"""Globs and keywords: what matches, and that hostile text cannot make matching slow."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.core.matching import first_word_found, glob_matches

MATCHING = [
    ("**/auth/**", "auth/x.py"),
    ("**/auth/**", "src/auth/login.py"),
    ("**/auth/**", "a/b/auth/c/d/e.py"),
    ("**/auth/**", "auth/auth/auth"),
    ("**/*secret*", "secret.py"),
    ("**/*secret*", "a/my_secret.txt"),
    ("**/*secret*", "a/b/c/secretssecret"),
    ("src/**/test_*.py", "src/test_x.py"),
    ("src/**/test_*.py", "src/a/b/test_x.py"),
    ("**/a/**/b/**/c.py", "a/b/a/x/b/c.py"),
    ("**/a/b/**", "a/a/b/c"),
    ("*.py", "x.py"),
    ("a?c", "abc"),
    ("*a*b*a", "xaxbxbxa"),
    ("**", "any/thing"),
    ("docs/*", "docs/a\nb.md"),
    ("weird[1].py", "weird[1].py"),
    ("a**b/c", "axxb/c"),
]
DIFFERENT = [
    ("**/auth/**", "auth"),
    ("**/auth/**", "src/authx/login.py"),
    ("**/auth/**", "src/auth.py"),
    ("**/*secret*", "secret/readme.md"),
    ("src/**/test_*.py", "lib/src/test_x.py"),
    ("src/*.py", "src/a/b.py"),
    ("*.py", "a/x.py"),
    ("*.py", "x.pyc"),
    ("a?c", "a/c"),
    ("Auth/**", "auth/x.py"),
    ("weird[1].py", "weird1.py"),
    ("a.c", "abc"),
    ("a**b/c", "a/b/c"),
]


@pytest.mark.parametrize(("glob", "path"), MATCHING)
def test_glob_matches_paths_it_describes(glob: str, path: str) -> None:
    """A glob matches every path it describes, at any depth ``**`` allows."""
    assert glob_matches(glob, path)


@pytest.mark.parametrize(("glob", "path"), DIFFERENT)
def test_glob_leaves_other_paths_alone(glob: str, path: str) -> None:
    """A glob does not match a path that differs by a level, a letter or an ending."""
    assert not glob_matches(glob, path)


def _by_definition(glob: str, path: str) -> bool:
    """Match by trying everything: slow, obviously right."""

    def levels(globs: list[str], names: list[str]) -> bool:
        if not globs:
            return not names
        if globs == ["**"]:
            return bool(names) and names != [""]
        if globs[0] == "**":
            return any(levels(globs[1:], names[skip:]) for skip in range(len(names) + 1))
        return bool(names) and marks(globs[0], names[0]) and levels(globs[1:], names[1:])

    def marks(glob: str, name: str) -> bool:
        if not glob:
            return not name
        if glob[0] == "*":
            return any(marks(glob[1:], name[skip:]) for skip in range(len(name) + 1))
        return bool(name) and glob[0] in ("?", name[0]) and marks(glob[1:], name[1:])

    return levels(glob.split("/"), path.split("/"))


_names = st.text(alphabet="ab", min_size=1, max_size=3)
_paths = st.lists(_names, min_size=1, max_size=5).map("/".join)
_globs = st.lists(st.just("**") | st.text(alphabet="ab*?", min_size=1, max_size=4), min_size=1, max_size=5).map("/".join)


@settings(deadline=None)
@given(glob=_globs, path=_paths)
def test_glob_agrees_with_the_definition(glob: str, path: str) -> None:
    """For any glob and path the fast matcher says what trying every possibility says."""
    collapsed = "/".join(level if level == "**" else level.replace("***", "*").replace("**", "*") for level in glob.split("/"))
    assert glob_matches(glob, path) == _by_definition(collapsed, path)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*a" * 40 + "b", "a" * 4000),
        ("**/" + "*a*/" * 10 + "**/x", "a/" * 2000),
        ("**/a/" * 20 + "x", "a/" * 2000),
        ("**/" * 20 + "x", "/".join("a" * 2000)),
        ("?*" * 30 + "b", "a" * 4000),
    ],
)
def test_hostile_paths_do_not_slow_matching(glob: str, path: str) -> None:
    """The globs that make backtracking matchers hang are answered at once."""
    started = time.process_time()
    assert not glob_matches(glob, path)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("security", "a SECURITY fix"),
        ("security", "Security"),
        ("straße", "in der STRASSE"),
        ("café", "the cafe\u0301 opens"),
        ("roadmap", "\uff52\uff4f\uff41\uff44\uff4d\uff41\uff50"),
        ("system design", "our system\n  design."),
        ("c++", "port it to C++, please"),
        ("İstanbul", "İSTANBUL"),
        ("设计", "请设计系统"),
        ("design", "(design)"),
        ("design", "redesign, then design"),
    ],
)
def test_keyword_is_found_as_a_whole_word(word: str, text: str) -> None:
    """A keyword is found in any letter case, width or composition, where a word may stand."""
    assert first_word_found((word,), text) == word


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("system", "systemic"),
        ("design", "redesigned"),
        ("design", "design_doc"),
        ("cafe", "cafe\u0301"),
        ("éta", "bétail"),
        ("c++", "c+ +"),
        ("", "anything"),
        ("  ", "any thing"),
    ],
)
def test_keyword_inside_another_word_is_not_found(word: str, text: str) -> None:
    """Part of a longer word, in any script that writes spaces, is not the keyword."""
    assert first_word_found((word,), text) is None


@settings(deadline=None)
@given(text=st.text(), word=st.text(min_size=1, max_size=5))
def test_any_text_can_be_searched(text: str, word: str) -> None:
    """No text or keyword makes the search fail, and a keyword set apart by spaces is found unless it is only space."""
    found = first_word_found((word,), f"{text} {word} {text}")
    assert found in (word, None)
    if word.isascii() and word.isalnum():
        assert found == word
