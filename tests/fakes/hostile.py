"""Names that try to break a report: markup of every kind, direction marks, formulas, control sequences, emoji, and plain noise."""

from hypothesis import strategies as st

PIECES = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "</td></tr></table>",
    "</style></head>",
    "--><!-- budget-gate-merged -->",
    "| a | b |\n|---|---|",
    "\n# Heading\n",
    "```\n",
    "`code`",
    "[link](javascript:alert(1))",
    "![image](https://evil.test/x.png)",
    "https://evil.test/",
    "www.evil.test",
    "@acme/finops",
    "#1",
    "<!channel>",
    "<https://evil.test|click>",
    "*bold* _it_ ~no~",
    "&lt;b&gt;",
    "{{ 7 * 7 }}{% raw %}",
    "=HYPERLINK(1)",
    "+1-1",
    "\u202eetirw\u202c",
    "\u05d0\u05d1\u05d2",
    "\U0001f525\U0001f468\u200d\U0001f469",
    "\x1b[31mred",
    "\x1b]8;;https://evil.test\x07x",
    "\r\n",
    "\t",
    "$x$",
    "'\"\\",
)


def hostile_names() -> st.SearchStrategy[str]:
    """Return names made of such pieces and of any other text that a ledger can store."""
    text = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    return st.lists(st.sampled_from(PIECES) | text, min_size=1, max_size=4).map("".join).filter(bool)
