"""Script calls as bytes of the Redis protocol: what never changes of them is packed once, which is most of a reserve.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ (a command is an array of bulk strings). Sans-IO.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from budget_gate.ledger.redis_scripts import Script

Word = str | int


class Packed(NamedTuple):
    """Words of a command, and the same as bytes."""

    words: tuple[Word, ...]
    content: bytes


def pack(words: Iterable[Word]) -> Packed:
    """Return words with their bytes. Raises ``UnicodeEncodeError`` for text that is none."""
    kept = tuple(words)
    return Packed(kept, _bulk(kept))


def _bulk(words: Iterable[Word]) -> bytes:
    parts = []
    for word in words:
        content = word.encode() if isinstance(word, str) else b"%d" % word
        parts.append(b"$%d\r\n%b\r\n" % (len(content), content))
    return b"".join(parts)


NO_WORDS = Packed((), b"")


class Call(NamedTuple):
    """One script to run: the words that follow its name are ``front``, ``middle`` and ``tail``.

    The reply is a JSON text, or nested lists of text and integers whose first item says what kind it is.
    """

    script: Script
    front: Packed
    middle: Sequence[Word]
    tail: Packed = NO_WORDS


class Command(NamedTuple):
    """A call by the digest of its script or, for a server that does not know it, by its text."""

    call: Call
    by_text: bool = False

    def words(self) -> tuple[Word, ...]:
        """Return the command for a client that packs words itself."""
        script, front, middle, tail = self.call
        name = ("EVAL", script.text) if self.by_text else ("EVALSHA", script.sha)
        return (*name, *front.words, *middle, *tail.words)

    def packed(self) -> bytes:
        """Return the command as it is sent."""
        script, front, middle, tail = self.call
        name = _bulk(("EVAL", script.text)) if self.by_text else script.named
        count = 2 + len(front.words) + len(middle) + len(tail.words)
        return b"*%d\r\n%b%b%b%b" % (count, name, front.content, _bulk(middle), tail.content)
