"""Which prompts a model's cache takes: the shortest cacheable prefix, per model family. Pure.

Sources, read on 2026-11-24: the table "Cache limitations" of https://platform.claude.com/docs/en/build-with-claude/prompt-caching as
quoted in https://github.com/anthropics/anthropic-sdk-python/issues/1194 (4 096 for Opus 4.5 and 4.6 and Haiku 4.5; 2 048 for Haiku
3 and 3.5; 1 024 for the others); that issue itself, which saw nothing cached below 2 048 on Sonnet 4.6; and for Opus 4.8 and the
models of generation 5 a reading of the same table at https://dev.to/creeta/claudes-prompt-cache-fails-silently-below-1024-tokens-1ch1.
Where sources differ, the longer prefix is taken. A shorter one is not cached and not refused: a mark would only raise the worst case.
"""

from budget_gate.core.tokens import bound_surplus_percent

_LEAST_TOKENS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("claude-opus-4-8", "claude-opus-4-1", "claude-opus-4-0", "claude-opus-4-2"), 1_024),
    (("claude-sonnet-4-5", "claude-sonnet-4-0", "claude-sonnet-4-2", "claude-3-7-sonnet"), 1_024),
    (("claude-sonnet-4-6", "claude-3-5-haiku", "claude-3-haiku"), 2_048),
)
_BY_WHOLE_NAME = {"claude-sonnet-5": 1_024, "claude-opus-5": 1_024}
"""Names that others begin with (``claude-sonnet-5-5``), of which nothing is known."""

UNKNOWN_LEAST_TOKENS = 4_096
"""For models that are not listed: the longest that any model asks for, as Opus 4.5 to 4.7 and Haiku 4.5 do."""


def least_cacheable_tokens(model: str) -> int:
    """Return the shortest prefix, in tokens, that a model's cache takes."""
    by_family = next((tokens for prefixes, tokens in _LEAST_TOKENS if model.startswith(prefixes)), UNKNOWN_LEAST_TOKENS)
    return _BY_WHOLE_NAME.get(model, by_family)


def is_surely_cacheable(model: str, bound_tokens: int) -> bool:
    """True if a prefix is long enough for the cache even if it has as few tokens as its upper bound allows."""
    return bound_tokens * 100 >= least_cacheable_tokens(model) * bound_surplus_percent(model)
