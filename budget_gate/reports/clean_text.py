"""Making other people's text safe to show: from models, pull requests and policies, in Markdown on GitHub and on a terminal.

What comes in is shown as it was written, but acts on nothing: no mention, reference, link, image or HTML, no hidden character,
no control sequence, no marker of ours. Only plain code spans keep their form. GitHub looks for mentions and references in the
rendered text, where escapes and entities are gone; so an invisible space is put behind ``@`` and ``#``, as Renovate does.
"""

import re
import unicodedata

CELL_CHARACTERS = 300
"""How much of a text a table cell or a line shows, at most, before escaping."""

TEXT_CHARACTERS = 4_000
"""How much of a text a comment or a block of code shows, at most, before escaping."""

_BREAK = "&#8203;"
_ESCAPE_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC, DCS and their kin: titles, links
    "|\x1b[ -/]*[0-~]?"
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Cn", "Co")
_HIDDEN_LETTER = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef]"
)
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_OUR_MARKER = re.compile(r"<!--(?=\s*budget-gate)", re.IGNORECASE)
_LOG_COMMAND = re.compile(r"(#[^ -~]*#[^ -~]*[a-z]{0,20})\[")
"""What a runner takes for a command anywhere on a line, ``##[error]`` and its kin; see ``github.workflow_commands``."""

_BACKTICKS = re.compile("`+")
_LINE_START = re.compile(r"^(?:(\d{1,9})([.)])|([-+=:]))")
_REFERENCE = re.compile(r"(?i)(gh-)(?=\d)")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(www)(?=\.)|((?:mailto|xmpp|javascript|data|vbscript):)")

_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "$": "&#36;",
    "|": "&#124;",
    "#": f"&#35;{_BREAK}",
    **{character: f"\\{character}" for character in "\\`*_[]~"},
    **{at: f"{at}{_BREAK}" for at in "@\uff20\ufe6b"},
}
_ESCAPED = str.maketrans(_ESCAPES)


def visible(text: str, limit: int, *, keep: str = "\n") -> str:
    """Return ``text`` without what cannot be seen, at most ``limit`` characters of it (an ellipsis marks a cut).

    Escape sequences go as a whole; control characters other than those in ``keep``, marks that change the reading direction, and
    characters without width go one by one. All line ends become line feeds.
    """
    # Four times the limit bounds the work; what hides more than three quarters of itself is cut early, and deserves it.
    head = _LINE_END.sub("\n", _ESCAPE_SEQUENCE.sub("", text[: limit * 4]))
    shown = _HIDDEN_LETTER.sub("", head)
    if not shown.isprintable():
        shown = "".join(each for each in shown if each in keep or unicodedata.category(each) not in _HIDDEN_CATEGORIES)
    return shown if len(shown) <= limit and len(text) <= limit * 4 else shown[: max(limit - 1, 0)] + "…"


def clean_text(text: str, limit: int = TEXT_CHARACTERS) -> str:
    """Return Markdown that shows ``text`` as paragraphs: its lines and its code spans, and nothing else of its form."""
    lines = [_clean_line(line.strip()) for line in visible(text, limit, keep="\n\t").expandtabs(1).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def clean_cell(text: str, limit: int = CELL_CHARACTERS) -> str:
    """Return Markdown that shows ``text`` on one line: in a table cell, a list item, or a sentence."""
    return _clean_line(" ".join(visible(text, limit, keep="\n\t").split()))


def clean_for_terminal(text: str, limit: int = TEXT_CHARACTERS) -> str:
    """Return ``text`` on one line without escape sequences or anything else that a terminal, or a CI runner's log, acts on."""
    return _LOG_COMMAND.sub(r"\1 [", " ".join(visible(text, limit, keep="\n\t").split()))


def code_cell(text: str, limit: int = CELL_CHARACTERS) -> str:
    """Return ``text`` as a code span on one line where it can be one, else escaped; a long path keeps its end."""
    one_line = " ".join(visible(text[-limit * 4 :], limit * 4, keep="\n\t").split())
    if len(one_line) > limit or len(text) > limit * 4:
        one_line = "…" + one_line[-limit + 1 :]
    return f"`{one_line}`" if _can_be_code(one_line) else _escaped(one_line)


def code_block(text: str, info: str = "", limit: int = TEXT_CHARACTERS) -> str:
    """Return ``text`` as a fenced block of code; the fence is longer than any run of backticks in it."""
    content = _OUR_MARKER.sub("<!- -", visible(text, limit, keep="\n\t")).strip("\n")
    longest = max((len(run) for run in _BACKTICKS.findall(content)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{info}\n{content}\n{fence}"


def _clean_line(line: str) -> str:
    """Return one line escaped, except for what stands in plain code spans."""
    parts, at = [], 0
    for span in _CODE_SPAN.finditer(line):
        if _can_be_code(span[1]):
            parts += [_escaped(line[at : span.start()]), span[0]]
            at = span.end()
    cleaned = "".join([*parts, _escaped(line[at:])])
    return _LINE_START.sub(lambda start: f"{start[1]}\\{start[2]}" if start[1] else f"\\{start[3]}", cleaned)


def _can_be_code(text: str) -> bool:
    """Return True if a code span shows ``text`` as it is, in a table cell too (a bar would end the cell)."""
    return (
        bool(text.strip())
        and text == text.strip()
        and not any(character in text for character in "`|\\\n")
        and "<!--" not in text
    )


def _escaped(text: str) -> str:
    """Return ``text`` with everything escaped that Markdown, HTML or GitHub's links would act on."""
    broken = _ADDRESS.sub(lambda match: match[0] + "\u200b", _REFERENCE.sub("\\1\u200b", text))
    return broken.translate(_ESCAPED).replace("\u200b", _BREAK)
