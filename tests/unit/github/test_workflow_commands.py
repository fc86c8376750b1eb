"""Log lines: what we mean as a command, and text that must not become one."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.github.workflow_commands import annotation, mask_commands, safe_log_text

HOSTILE = [
    "::set-output name=verdict::pass",
    "  \t::add-mask::x",
    "harmless\n::error::forged",
    "progress\r::error::forged",
    "\u2028::error::forged",
    "\x85::error::forged",
    "\x0b::error::forged",
    "\u00a0::error::forged",
    "\u200b::error::forged",
    "\u00ad:\u200d:error::forged",
    "\x1b::error::forged",
    "\x00::error::forged",
    "\u0301::error::forged",
    "text ##[error]forged",
    "text #\u200b#[error]forged",
    "text #\u0301#\u0301[error]forged",
    "::stop-commands::pause",
]


def _commands(log: str) -> list[str]:
    """Return the lines that a runner may take for commands, generously: characters that show nothing are passed over."""
    found = []
    for line in re.split("[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]", log):
        seen = "".join(c for c in line if unicodedata.category(c)[0] not in "CM").strip()
        if seen.startswith("::") or "##[" in seen:
            found.append(line)
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_command(text: str) -> None:
    """Untrusted text never reads as a command, whatever stands before it or in it."""
    assert _commands(text)
    assert _commands(safe_log_text(text)) == []


@given(st.text(alphabet=st.sampled_from(":#[ \n\r\t\u200b\u0301\x85\u2028ax\x1b"), max_size=24))
def test_no_text_is_a_command(text: str) -> None:
    """However the dangerous characters are put together, no command comes out."""
    assert _commands(safe_log_text(text)) == []


def test_ordinary_text_is_left_alone() -> None:
    """Text without danger comes out as it went in."""
    text = "std::vector is fine\n\tindented äöü \N{PILE OF POO}\n# heading [link]\n"
    assert safe_log_text(text) == text


def test_annotations_escape_what_they_carry() -> None:
    """An annotation is one line, and neither its message nor a property can end it or add to it."""
    line = annotation("warning", "100%\n::error::x", title="a,b:c\r", file="x,line=9::y.py", line=3, end_line=4)
    assert line == "::warning file=x%2Cline=9%3A%3Ay.py,line=3,endLine=4,title=a%2Cb%3Ac%0D::100%25%0A::error::x\n"
    assert annotation("notice", "hello") == "::notice::hello\n"


def test_masks_are_single_lines() -> None:
    """A secret's line breaks of any kind cannot start a command."""
    for line in mask_commands("a\u2028::error::b\rc").splitlines():
        assert line.startswith("::add-mask::")
