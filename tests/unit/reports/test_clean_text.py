"""Cleaning: a Markdown renderer shows hostile text as it was written, and makes nothing of it but words and code."""

import html
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from budget_gate.reports.clean_text import clean_cell, clean_for_terminal, clean_text, code_block, code_cell, visible

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TAG = re.compile(r"</?([a-z0-9]+)[^>]*>")

ATTACKS = [
    *("@octocat", "@acme/finops", "@\u200boctocat", "&#64;octocat", "&commat;octocat", "\uff20octocat", "x@octocat.dev"),
    *("fixes #1", "Closes: acme/shop#12", "resolves GH-7", "fixes https://github.com/acme/shop/issues/1"),
    *("![x](http://evil.test/x.png)", "![x][y]\n\n[y]: http://evil.test", '<img src="http://evil.test">', "<b>bold</b>"),
    *(
        "<!-- budget-gate:ci_cd_review -->",
        "<!-- budget-gate-finding:00000000000000000000000000000000 -->",
        "--> <script>",
        "`<!-- x -->`",
    ),
    *("[x](javascript:alert(1))", "[x](data:text/html,1)", "<javascript:alert(1)>", "http://evil.test", "www.evil.test"),
    *("# heading", "- item", "1. item", "> quote", "    code", "```\nfence", "~~~\nfence", "title\n===", "title\n---", "***"),
    *(
        "a | b\n--|--\n1 | 2",
        ":-:",
        "a|b",
        "`a|b`",
        "`a\\`",
        "``a``",
        "`",
        "\\",
        "\\`x`",
        "$`x`$",
        "$x$",
        "[^1]: note",
        "- [ ] task",
    ),
    *(
        "\x1b[31mred\x1b[0m",
        "\x1b]8;;http://evil.test\x07link\x1b]8;;\x07",
        "\u202egnp.exe",
        "\x00\x07",
        "a\rb",
        "\u2028",
        "\ud800",
    ),
    *("\U000e0041\U000e0042", "a\u3164b", "`@octocat`", "`x` and `y`"),
]
hostile = st.lists(st.sampled_from(ATTACKS) | st.text(alphabet="`*_[]()<>!#@|\\&$~-+=.: \n\t12ab", max_size=8), max_size=8).map(
    "".join
)


def _rendered(markdown: str) -> tuple[set[str], str]:
    """Return the tags that a renderer makes of ``markdown``, and the text that a reader sees."""
    page = MARKDOWN.render(markdown)
    return {match[1] for match in TAG.finditer(page)}, html.unescape(TAG.sub("", page))


def _solid(text: str) -> str:
    """Return ``text`` without space and backticks: what both renderings of a code span have in common."""
    return re.sub(r"[\s`\u200b]", "", text)


def _assert_inert(page: str) -> None:
    """Assert that GitHub's filters, which read the rendered text outside code, find nothing to link or to notify."""
    outside_code = html.unescape(TAG.sub("", re.sub(r"<code>.*?</code>", " ", page)))
    assert not re.search("[@\uff20\ufe6b#](?!\u200b)", outside_code)
    assert not re.search(r"(?i)://|www\.|gh-[0-9]|javascript:(?!\u200b)", outside_code)


def _assert_shown_inert(text: str) -> None:
    """Assert that cleaned text renders as words and code only, and that all of what can be seen is there."""
    cleaned = clean_text(text)
    tags, seen = _rendered(cleaned)
    assert tags <= {"p", "code"}
    assert _solid(seen) == _solid(visible(text, 4_000, keep="\n\t").expandtabs(1))
    assert "<!--" not in cleaned
    _assert_inert(MARKDOWN.render(cleaned))


@pytest.mark.parametrize("text", ATTACKS)
def test_each_attack_alone(text: str) -> None:
    """Each known trick, at the beginning of a text and of a line, comes to nothing."""
    _assert_shown_inert(text)
    _assert_shown_inert(f"before\n{text}\nafter")


@given(hostile)
def test_text_is_shown_and_does_nothing(text: str) -> None:
    """Paragraphs and code spans are all that is left of any Markdown, and no word of what can be seen is lost."""
    _assert_shown_inert(text)


@given(hostile)
def test_a_cell_stays_a_cell(text: str) -> None:
    """No text gets out of its table cell, into the next one or onto the next line."""
    for cell in (clean_cell(text), code_cell(text)):
        page = MARKDOWN.render(f"| a | b |\n|---|---|\n| {cell} | last |\n")
        assert "\n" not in cell
        assert (page.count("<td>"), page.count("<td>last</td>")) == (2, 1)
        assert {match[1] for match in TAG.finditer(page)} <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
        _assert_inert(page)


@given(hostile)
def test_a_block_ends_where_it_should(text: str) -> None:
    """Code of any kind, fences in it included, is one block of code, and none of our markers is in it."""
    page = MARKDOWN.render(f"{code_block(text, 'suggestion')}\n\nafter\n")
    before, after = '<pre><code class="language-suggestion">', "</code></pre>\n<p>after</p>\n"
    assert page.startswith(before)
    assert page.endswith(after)
    inside = html.unescape(page[len(before) : -len(after)])
    assert "<!-- budget-gate" not in inside
    if "budget-gate" not in text:
        assert inside.strip("\n") == visible(text, 4_000, keep="\n\t").strip("\n")


def test_a_fence_is_longer_than_any_in_the_code() -> None:
    """A suggestion with a fence of four gets one of five; indentation and tabs stay."""
    assert code_block("\tif x:\n````\n") == "`````\n\tif x:\n````\n`````"


@given(st.text(alphabet=st.characters(), max_size=50) | hostile)
def test_a_terminal_gets_one_line_of_plain_text(text: str) -> None:
    """Nothing that a terminal acts on comes through: no control or format character, no line end."""
    cleaned = clean_for_terminal(text)
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in cleaned)
    assert cleaned == cleaned.strip()


def test_escape_sequences_go_as_a_whole() -> None:
    """Colours, titles and links of a terminal leave no remains behind."""
    hostile_text = "\x1b]0;title\x07a\x1b[1;31mb\x1b[0m\x9b2Jc\x1b]8;;http://evil.test\x1b\\d\x1b[c"
    assert clean_for_terminal(hostile_text) == "abcd"


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(min_value=1, max_value=60))
def test_length_is_bounded_before_escaping(text: str, limit: int) -> None:
    """No more than the limit is shown, a cut is marked, and a character never becomes more than a handful."""
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert len(clean_cell(text, limit)) <= 16 * limit
    assert len(clean_text(text, limit)) <= 16 * limit
    assert len(code_cell(text, limit)) <= 16 * limit
    if shown != visible(text, 10_000):
        assert shown.endswith("…")


def test_a_long_path_keeps_its_end() -> None:
    """Of a path that is too long, the file name and line are what readers need."""
    assert code_cell("deep/" * 100 + "name.py:12", 20) == "`…eep/deep/name.py:12`"


@pytest.mark.parametrize("text", ["@" * 1_000_000, "`" * 1_000_000, "\x1b]" * 500_000, "`a" * 500_000, "\x1b[" + "1" * 1_000_000])
def test_cleaning_is_quick(text: str) -> None:
    """A megabyte of anything costs no more than its beginning."""
    began = time.process_time()
    for clean in (clean_text, clean_cell, clean_for_terminal, code_block, code_cell):
        clean(text)
    assert time.process_time() - began < 2
