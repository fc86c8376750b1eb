"""Labels of pull requests: who put one on last, whether that person may, and taking it off. What a label means is ``runs.fork_review``."""

import re
from urllib.parse import quote

from budget_gate.core.errors import UsageError
from budget_gate.github.interface import LabelChange
from budget_gate.github.rest import Rest, child, pages, text

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")
"""A person's name; an app's ends with ``[bot]``."""

_WRITING = ("admin", "write")
"""GitHub names a role by the base role it amounts to here: maintain is write, triage is read, a role of one's own is what it grants."""

LABEL_CHARACTERS_MAX = 50
"""GitHub takes no longer name (docs.github.com, "Managing labels")."""

_NOT_FOUND = 404


def is_same_label(one: str, other: str) -> bool:
    """Return whether two names are one label. Case does not count to GitHub; it counts here where a letter only looks like ASCII."""
    return one == other or (one.isascii() and other.isascii() and one.lower() == other.lower())


def last_label_change(rest: Rest, repository: str, number: int, label: str) -> LabelChange | None:
    """Return how a label came to be, or not to be, on a pull request; None if it never was."""
    found = None
    for item in pages(rest, f"/repos/{repository}/issues/{number}/events"):
        kind = text(item, "event")
        if kind in ("labeled", "unlabeled") and is_same_label(text(child(item, "label"), "name"), label):
            found = LabelChange(text(child(item, "actor"), "login"), kind == "labeled")
    return found


def may_write(rest: Rest, repository: str, login: str) -> bool:
    """Return whether a person may write to the repository: the roles write, maintain and admin, and those that amount to them."""
    if not _LOGIN.fullmatch(login):
        return False  # no such person exists on GitHub, and a name with a slash would be another path
    reply = rest.send("GET", f"/repos/{repository}/collaborators/{login}/permission", returned=(_NOT_FOUND,))
    return reply.is_success and text(reply.data, "permission") in _WRITING


def take_label_off(rest: Rest, repository: str, number: int, label: str) -> bool:
    """Take a label off a pull request; False if it was not there. Raises ``ReadOnlyToken`` where the token may not.

    Of two runs that try this at once, one is told True. Raises ``UsageError`` for what can be no label.
    """
    if not label.strip(" .") or len(label) > LABEL_CHARACTERS_MAX or not label.isprintable():
        raise UsageError(f"{label[:60]!r} cannot be a label; name one as it stands on GitHub, such as 'budget-gate: run'")
    path = f"/repos/{repository}/issues/{number}/labels/{quote(label, safe='')}"
    return rest.send("DELETE", path, returned=(_NOT_FOUND,)).is_success
