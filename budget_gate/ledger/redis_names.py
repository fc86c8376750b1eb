"""Names of keys. All of one organization share a hash tag, and no text of a user can pass for another part of a name.

A key is ``budget-gate:{ORGANIZATION}:WORD:...``. The organization is percent-encoded, so it cannot close its braces; words,
periods and labels contain no colon; and free text (a scope, an operation key) always comes last, as it is.
"""

from urllib.parse import quote

from budget_gate.core.periods import Per

_OWN = ("head", "entries", "deadlines", "open", "outbox", "counters")
"""The keys that every script is given first, in the order in which ``lua/shared.lua`` names them."""


class Names:
    """The key names of one organization's ledger."""

    def __init__(self, organization: str) -> None:
        # A cluster hashes the whole key when the braces are empty; a lone % is what no encoded text can be.
        self._prefix = f"budget-gate:{{{quote(organization, safe='') or '%'}}}:"
        self.own = tuple(self._prefix + word for word in _OWN)
        self.head, self.entries = self.own[0], self.own[1]
        self.never = self._prefix + "never"
        """A key that never exists. Declared by scripts that meet undeclared keys, it makes a cluster that is moving the slot put them
        off (TRYAGAIN) rather than stop them half-way, at the first key that is not there any more or not there yet."""

    def operation(self, kind: str, key: str) -> str:
        """Return where the answer to an operation is kept; keys of two kinds are apart."""
        return f"{self._prefix}operation:{kind}:{key}"

    def reservation(self, reservation: str) -> str:
        """Return where a reservation is kept."""
        return f"{self._prefix}reservation:{reservation}"

    def waiter(self, reservation: str) -> str:
        """Return where a waiting request is kept, named by the reservation it wants to become."""
        return f"{self._prefix}waiter:{reservation}"

    def delivery(self, delivery: str) -> str:
        """Return where a message of the outbox is kept."""
        return f"{self._prefix}delivery:{delivery}"

    def counter(self, suffix: str) -> str:
        """Return where a counter is kept."""
        return f"{self._prefix}counter:{suffix}"


def counter_suffix(scope: str, per: Per, label: str) -> str:
    """Return the part of a counter's key that names the counter: the scope, which may contain anything, at the end."""
    return f"{per}:{label}:{scope}"


def counter_parts(suffix: str) -> tuple[str, str, str]:
    """Return the scope, the kind of period and the label that ``counter_suffix`` joined."""
    per, label, scope = suffix.split(":", 2)
    return scope, per, label
