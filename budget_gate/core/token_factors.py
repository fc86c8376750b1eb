"""Measured factors of ``core.token_pieces``, in hundredths of a token: what pieces of text weigh that are no known word.

Measured by us on 2026-11-28 with the public tokenizer of Claude 2 (``tokenizer.json`` in the ``anthropic`` 0.38.0 wheel on PyPI), over
pieces of real files, single characters of every script, and patterns made to deceive. How: docs/decisions/0006.
"""

SURPLUS_PERCENT = 102
"""On top of everything. Taken apart by known parts, a text has as many tokens as a tokenizer makes, or more; now and then one fewer."""

LONGEST_PART = 12
"""Letters of the longest known part that is looked for inside a run."""

PART = (0, 100, *(110 + 30 * max(letters - 3, 0) for letters in range(2, LONGEST_PART + 1)))
"""For a known part of a run that is not all of it, by its letters: a tokenizer may join its last ones with what follows, and the more of
them there are, the more parts are left."""

LONG_RUN = 24
PATTERN_SHARE = 8
TRIPLES_LEAST_SHARE = 2
"""A run longer than that repeats itself if a pair of characters makes up more than an eighth of it, or if no more than half of its
triples differ. Nothing in it is taken as joined, and the second of such a pair weighs its bytes."""

REPEATED_LEAST, REPEATED_SHARE = 32, 16
"""Weights of words hold on average. One that is more than a sixteenth of all pieces, and so many, weighs its bytes."""

DIGITS_PER_TOKEN = 2

RULES = "-=#*/_~.+"
RULE_FREE, RULE_PER_TOKEN = 3, 8
"""Signs that people draw lines with: a stretch of one weighs three tokens, and one more for every eight."""

SPACES_PER_TOKEN, TABS_PER_TOKEN, NEWLINES_PER_TOKEN, RETURNS_PER_TOKEN = 56, 8, 8, 2
"""How many of a blank, repeated, make a token."""
