"""What one call used, every token in exactly one bucket.

Anthropic's ``input_tokens`` leaves cached tokens out, so the buckets add up without overlap
(source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching, "Tracking cache performance").
"""

from typing import NamedTuple


class Usage(NamedTuple):
    """Token counts of one call by kind, and the server-side web searches it made. All at least zero."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0

    @property
    def prompt_tokens(self) -> int:
        """Everything the model read: what a long-prompt price tier is measured against."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def total_tokens(self) -> int:
        """Everything read and written: what a limit in tokens counts."""
        return self.prompt_tokens + self.output_tokens

    def plus(self, other: "Usage") -> "Usage":
        """Return the sum, kind by kind."""
        return Usage(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def checked(self) -> "Usage":
        """Return this usage, or raise ``ValueError`` naming the first count below zero."""
        for name, count in zip(self._fields, self, strict=True):
            if count < 0:
                raise ValueError(f"{name} is {count}; a count cannot be below zero")
        return self
