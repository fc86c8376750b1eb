"""Matching what people write in a policy, path globs and keywords, against what a pull request says.

Both run over hostile text (a pull request may have thousands of long paths), so both take time in proportion to the text times
the pattern, whatever either contains. What a match means is ``core.routing``.
"""

import re
from functools import lru_cache


def glob_matches(glob: str, path: str) -> bool:
    """Return whether ``glob`` matches the whole of ``path`` (``a/b.py``; letter case counts, as it does in git).

    ``*`` is any run of characters within one folder level and ``?`` one of them; ``**`` as a whole level is any number of
    levels, at the end at least one. Everything else stands for itself. This is what GitHub's path filters and gitignore agree on
    (https://git-scm.com/docs/gitignore, "PATTERN FORMAT"); unlike gitignore, a glob without a slash only matches the top level.
    """
    return _compiled(glob).match(path) is not None


@lru_cache(maxsize=256)
def _compiled(glob: str) -> re.Pattern[str]:
    """Return the glob as a pattern that cannot backtrack into what it has matched.

    Between two ``**`` the first place that fits is as good as any later one, because the second ``**`` takes up the difference;
    so each stretch is an atomic group, and only the last one, which is tied to the end, is tried at every level.
    """
    stretches: list[list[str]] = [[]]
    for level in glob.split("/"):
        if level == "**":
            stretches.append([])
        else:
            stretches[-1].append(_level(level))
    if len(stretches) == 1:
        return re.compile("/".join(stretches[0]) + r"\Z", re.DOTALL)
    first, *middle, last = stretches
    parts = [level + "/" for level in first]
    parts += [f"(?>(?:[^/]*/)*?{''.join(level + '/' for level in levels)})" for levels in middle if levels]
    parts.append("(?:.*/)?" + "/".join(last) if last else ".+")
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def _level(level: str) -> str:
    """Return one folder level, atomic: the pieces between stars are found leftmost, the last one at the level's end."""
    pieces = ["".join("[^/]" if mark == "?" else re.escape(mark) for mark in piece) for piece in re.split(r"\*+", level)]
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    between = "".join(f"(?>[^/]*?{piece})" for piece in middle)
    return f"(?>{first}{between}[^/]*{last}(?=/|\\Z))"


def first_word_found(words: tuple[str, ...], text: str) -> str | None:
    """Return the first of ``words`` that stands in ``text`` as a whole word, or None.

    Letter case, width and composition of characters do not count, nor how much white space is between the words of a phrase.
    Where a script writes without spaces (Chinese, Japanese, Thai and their neighbours), a word may stand anywhere.
    """
    if not words:
        return None
    plain = _folded(text)
    return next((word for word in words if _stands_in(_folded(word), plain)), None)


def _folded(text: str) -> str:
    """Return ``text`` in the form in which equal-looking words are equal (Unicode's compatibility caseless match)."""
    import unicodedata

    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text.casefold()).casefold())
    return " ".join(folded.split())


def _stands_in(word: str, text: str) -> bool:
    if not word:
        return False
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not _joined(text[at - 1 : at], word[0]) and not _joined(word[-1], text[end : end + 1]):
            return True
        at = text.find(word, at + 1)
    return False


def _joined(left: str, right: str) -> bool:
    """Return whether two neighbouring characters belong to one word; empty text is the edge of the whole."""
    return _is_word(left) and _is_word(right) and not (_writes_without_spaces(left) or _writes_without_spaces(right))


def _is_word(character: str) -> bool:
    import unicodedata

    return character.isalnum() or character == "_" or (character != "" and unicodedata.category(character)[0] == "M")


@lru_cache(maxsize=1)
def _without_spaces() -> re.Pattern[str]:
    """Return a class of Thai and Lao, Burmese, Khmer, kana and Han, by block (https://www.unicode.org/Public/UNIDATA/Blocks.txt).

    Compiled when first needed: it takes two milliseconds, and `check` never asks.
    """
    return re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def _writes_without_spaces(character: str) -> bool:
    return _without_spaces().match(character) is not None
