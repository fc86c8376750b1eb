"""Scopes: any name, never confused with another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.scopes import BOUND_KINDS, NAMED_KINDS, ORG, Scope, parse_scope, storable_name

HOSTILE = [
    "/",
    "//",
    "a/b",
    "../..",
    "org",
    "team/x",
    "*",
    "**",
    " ",
    "\n",
    "%2F",
    "a:b",
    "{a}",
    "\u00e9",
    "e\u0301",
    "\u202e",
    "😀",
    "'; DROP",
]
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=30)).filter(lambda name: "\0" not in name)
SCOPES = st.one_of(st.just(ORG), st.builds(Scope, st.sampled_from([*NAMED_KINDS, *BOUND_KINDS]), NAMES))


def is_writable(scope: Scope) -> bool:
    """True unless it is a project without an owner, which no text names."""
    return scope.kind != "project" or scope.name == "*" or "/" in scope.name


@given(SCOPES.filter(is_writable))
def test_texts_round_trip(scope: Scope) -> None:
    """The text of a scope, whatever its name, names that scope."""
    assert parse_scope(scope.text) == scope


@given(SCOPES, SCOPES)
def test_scopes_are_equal_exactly_when_their_texts_are(one: Scope, other: Scope) -> None:
    """No two scopes share a text, so no two share a counter."""
    assert (one == other) == (one.text == other.text)


def test_a_name_with_slashes_is_not_another_kind() -> None:
    """The first slash ends the kind; what follows cannot become a scope of its own."""
    assert parse_scope("user/team/payments") == Scope("user", "team/payments")
    assert parse_scope("project/acme/nightly") == Scope("project", "acme/nightly")
    assert parse_scope("team/org") != ORG
    assert Scope("user", "team/payments").text != Scope("team", "payments").text


@pytest.mark.parametrize(
    "text", ["", "ORG", "org/", "org/x", "team", "team/", "/x", "squad/x", "Team/x", " team/x", "project/x", "project/"]
)
def test_what_is_no_scope_is_refused(text: str) -> None:
    """A text that names no scope is refused with the shapes that do."""
    with pytest.raises(ValueError, match="write "):
        parse_scope(text)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x\udfff"])
def test_names_no_ledger_can_store_are_refused(name: str) -> None:
    """NUL and lone surrogates are refused before any ledger sees them."""
    with pytest.raises(ValueError, match="not text"):
        storable_name(name)
    with pytest.raises(ValueError, match="not text"):
        parse_scope(f"team/{name}")


def test_wildcards() -> None:
    """Only a name that is just a star stands for every name."""
    assert parse_scope("user/*").is_wildcard
    assert parse_scope("project/*").is_wildcard
    assert not parse_scope("user/**").is_wildcard
    assert not parse_scope("project/acme/*").is_wildcard
    assert not ORG.is_wildcard
