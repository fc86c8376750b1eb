"""Which changed source has no test in the same change, and what that does to the order of review."""

import pytest

from budget_gate.core.diff_pieces import pieces_of
from budget_gate.core.diff_tests import untested_paths
from budget_gate.core.diffs import parse_diff
from budget_gate.core.packing import Price, Priced, Room, plan


def changed(path: str, text: str = "x = 1", lines: int = 1) -> str:
    """Return the diff of one modified file."""
    body = f"+{text}\n" * lines
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1,{lines + 1} @@\n y\n{body}"


@pytest.mark.parametrize(
    "test",
    [
        changed("tests/test_user_login.py"),
        changed("web/UserLogin.spec.ts"),
        changed("src/UserLoginTest.java"),
        changed("pkg/user_login_test.go"),
        changed("tests/test_everything.py", "from app.user_login import check"),
    ],
)
def test_a_test_named_after_a_file_or_mentioning_it_covers_it(test: str) -> None:
    """Names are compared word by word, in any style; a whole name in a test's lines counts too."""
    assert untested_paths(parse_diff(changed("src/user_login.py") + test)) == frozenset()


@pytest.mark.parametrize(
    "other",
    ["", changed("tests/test_logout.py"), changed("tests/test_x.py", "user_login_page = 1"), changed("docs/user_login.md")],
)
def test_source_without_its_test_is_untested(other: str) -> None:
    """Another file's test, a longer name or a document cover nothing."""
    assert untested_paths(parse_diff(changed("src/user_login.py") + other)) == {"src/user_login.py"}


def test_only_code_can_be_untested() -> None:
    """Configuration, documents and tests need no tests; a file that every folder has goes by its folder's name."""
    text = changed("ci.yml") + changed(".github/workflows/ci.yml") + changed("README.md") + changed("tests/test_a.py")
    assert untested_paths(parse_diff(text)) == frozenset()
    package = changed("src/billing_rules/__init__.py")
    assert untested_paths(parse_diff(package)) == {"src/billing_rules/__init__.py"}
    assert untested_paths(parse_diff(package + changed("tests/test_billing_rules.py"))) == frozenset()


def test_untested_source_is_read_before_tested_source_of_its_risk() -> None:
    """Risk first, then missing tests, then the smaller file, then the place in the diff."""
    text = "".join(
        (
            *(changed("src/covered.py"), changed("src/open_large.py", lines=30), changed("src/open_small.py")),
            *(changed("tests/test_covered.py"), changed("src/auth_covered.py"), changed("tests/test_auth_covered.py")),
        )
    )
    pieces = [Priced(each, Price(10 * len(each.lines), 0)) for each in pieces_of(parse_diff(text))]
    (pack,) = plan(pieces, call=Price(1, 0), room=Room(), price=lambda _: Price(10, 0)).packs
    assert [each.piece.path for each in pack.pieces] == [
        *("src/auth_covered.py", "src/open_small.py", "src/open_large.py", "src/covered.py"),
        *("tests/test_covered.py", "tests/test_auth_covered.py"),
    ]
