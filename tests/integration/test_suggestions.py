"""Suggestions as people commit them with a click: each block, put in place of the lines it stands on, leaves the text that was meant."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.command_line import ACME, Ended, run
from fakes.diff_corpus import GIT, PLAIN
from fakes.github_parties import HEAD
from fakes.github_server import GitHubServer
from fakes.runner import on_runner
from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark")


class Case(NamedTuple):
    """A file before and after a change, what a model suggests for lines ``first`` to ``last``, and the file that is meant.

    ``is_offered``: whether a click may commit it.
    """

    before: bytes
    after: bytes
    first: int
    last: int
    suggestion: str
    meant: bytes
    is_offered: bool = True


PY = b"def f(x):\n    y = x\n    z = y\n    return z\n\n\ndef g():\n    pass\n"
CASES = {
    "one line": Case(PY, PY.replace(b"y = x", b"y = x + 1"), 2, 2, "    y = x + 2", PY.replace(b"y = x", b"y = x + 2")),
    "with a line feed at its end": Case(
        *(PY, PY.replace(b"y = x", b"y = x + 1"), 2, 2, "    y = x + 2\n", PY.replace(b"y = x", b"y = x + 2"))
    ),
    "one line by three": Case(
        *(PY, PY.replace(b"pass", b"return 1"), 8, 8, "    a = 1\n\n    return a"),
        PY.replace(b"    pass", b"    a = 1\n\n    return a"),
    ),
    "three lines by one": Case(
        *(PY, PY.replace(b"return z", b"return y"), 2, 4, "    return x", b"def f(x):\n    return x\n\n\ndef g():\n    pass\n")
    ),
    "lines of which only one was changed": Case(
        *(PY, PY.replace(b"z = y", b"z = y * 2"), 1, 3, "def f(x):\n    z = x * 2"),
        PY.replace(b"    y = x\n    z = y", b"    z = x * 2"),
    ),
    "tabs and trailing spaces": Case(b"a:\n\tb\n", b"a:\n\tb\n\tc\n", 3, 3, "\tc \t # done  ", b"a:\n\tb\n\tc \t # done  \n"),
    "a fence inside": Case(b"a\n", b"a\n```\n", 2, 2, "````\nx\n````", b"a\n````\nx\n````\n"),
    "markup": Case(
        b"a\n", b"a\n<b>\n", 2, 2, "<details> @octocat #1 | <!-- x --> `b`", b"a\n<details> @octocat #1 | <!-- x --> `b`\n"
    ),
    "other letters": Case(b"a\n", b"a\nb\n", 2, 2, "größe = '→ 日本 🎉'", "a\ngröße = '→ 日本 🎉'\n".encode()),
    "a new file": Case(b"", b"x = 1\ny = 2\n", 1, 1, "x = 3", b"x = 3\ny = 2\n"),
    "a last line without a line feed": Case(b"a\nb", b"a\nc", 2, 2, "d", b"a\nd"),
    "a last line that lost its line feed": Case(b"a\nb\n", b"a\nc", 1, 2, "d\ne", b"d\ne"),
    "a last line that got its line feed": Case(b"a\nb", b"a\nc\n", 2, 2, "d\n", b"a\nd\n"),
    "CRLF": Case(b"a\r\nb\r\n", b"a\r\nc\r\n", 2, 2, "d\ne", b"a\r\nd\r\ne\r\n", is_offered=False),
    "CRLF as the model wrote it": Case(b"a\r\nb\r\n", b"a\r\nc\r\n", 1, 2, "d\r\ne\r\n", b"d\r\ne\r\n", is_offered=False),
    "CRLF and LF mixed": Case(b"a\nb\r\n", b"a\nc\r\n", 1, 2, "d\ne", b"d\r\ne\r\n", is_offered=False),
    "LF that the model wrote as CRLF": Case(b"a\nb\n", b"a\nc\n", 2, 2, "d\r\ne\r\n", b"a\nd\ne\n"),
    "LF in a file that has CRLF elsewhere": Case(
        *(b"a\r\n" + b"x\n" * 9 + b"b\n", b"a\r\n" + b"x\n" * 9 + b"c\n", 11, 11, "d", b"a\r\n" + b"x\n" * 9 + b"d\n")
    ),
    "bytes that are no UTF-8": Case(b"a\nb\n", b"a\nb = '\xe9'\n", 2, 2, "b = '\ufffd!'", b"", is_offered=False),
    "a blank line at its end": Case(b"a\nb\n", b"a\nc\n", 2, 2, "d\n\n", b"a\nd\n\n", is_offered=False),
    "a hidden character": Case(b"a\nb\n", b"a\nc\n", 2, 2, "d\u200b", b"a\nd\xe2\x80\x8b\n", is_offered=False),
    "a form feed": Case(b"a\nb\n", b"a\nc\n", 2, 2, "d\x0c", b"a\nd\x0c\n", is_offered=False),
}


def diff_of(folder: Path, before: bytes, after: bytes) -> bytes:
    """Return git's diff of one file."""
    for name, content in (("a", before), ("b", after)):
        (folder / name).mkdir()
        if content:
            (folder / name / "file.txt").write_bytes(content)
    command = [*GIT, "diff", "--no-index", "--no-prefix", "a", "b"]
    done = subprocess.run(command, cwd=folder, env=PLAIN, capture_output=True, check=False)
    return done.stdout.replace(b"diff --git b/", b"diff --git a/")  # of a new file, --no-index names the new side twice


def put_in_place(file: bytes, first: int, last: int, suggestion: str) -> bytes:
    """Return a file with lines replaced, as a click does it: what stands between line feeds; the last line keeps its end."""
    lines = file.split(b"\n")
    lines[first - 1 : last] = suggestion.removesuffix("\n").encode().split(b"\n")
    return b"\n".join(lines)


def blocks(remark: str) -> list[str]:
    """Return the suggestions that a remark offers for a click, as GitHub's Markdown reads them."""
    return [each.content for each in MARKDOWN.parse(remark) if each.type == "fence" and each.info.strip() == "suggestion"]


class World:
    """A pull request that changes one file, and a model with one remark."""

    def __init__(self, github: GitHubServer, model: AnthropicServer, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.github, self.model, self.folder, self.patch = github, model, folder, patch

    def review(self, diff: bytes, first: int, last: int, suggestion: str, **options: Any) -> Ended:
        """Review a diff with a model that suggests ``suggestion`` for lines ``first`` to ``last``."""
        remark = {"path": "file.txt", "line": first, "end_line": last, "side": "RIGHT", "severity": "high"}
        remark |= {"category": "correctness", "text": "Wrong.", "suggestion": suggestion, **options}
        reported = {"findings": [remark], "summary": "One."}
        self.model.answer = lambda _: [{"type": "tool_use", "id": "toolu_1", "name": "report_findings", "input": reported}]
        self.github.state.pulls["7"] = {"head_sha": HEAD, "diff": diff, "author": "mona"}
        on_runner(self.patch, self.folder, self.github, "workflow_dispatch", model=self.model)
        ledger = f"sqlite:///{self.folder / 'ledger.db'}"
        return run("review", "--policy", ACME, "--ledger", ledger, "--workflow", "ci_cd_review", "--pr", "7", "--json")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world."""
    with GitHubServer() as github, AnthropicServer() as model:
        yield World(github, model, tmp_path, monkeypatch)


@pytest.mark.parametrize("name", list(CASES))
def test_every_offered_suggestion_applies_cleanly(name: str, world: World) -> None:
    """A click leaves the file that was meant; what a click might spoil is shown as code; the JSON's suggestion fits either way."""
    case = CASES[name]
    ended = world.review(diff_of(world.folder, case.before, case.after), case.first, case.last, case.suggestion)
    assert ended.code == 0, ended.err
    (remark,) = world.github.state.review_comments
    place = (remark["start_line"] or remark["line"], remark["line"], remark["side"])
    assert place == (case.first, case.last, "RIGHT")
    offered = blocks(remark["body"])
    assert len(offered) == case.is_offered
    if case.is_offered:
        assert put_in_place(case.after, case.first, case.last, offered[0]) == case.meant
    else:
        assert [each.info for each in MARKDOWN.parse(remark["body"]) if each.type == "fence"] == [""]
    (finding,) = json.loads(ended.out)["findings"]
    if case.meant:
        assert put_in_place(case.after, case.first, case.last, finding["suggestion"]) == case.meant


@pytest.mark.parametrize(
    ("first", "last", "suggestion", "options"),
    [
        (2, 2, "    y = x", {"side": "LEFT"}),
        (2, 2, "    y = x + 1", {}),
        (2, 2, "    y = x + 1\r\n", {}),
        (2, 99, "    y = 0", {}),
        (4, 4, "    y = 0", {"text": "`y = x + 1` is wrong."}),
    ],
)
def test_what_would_not_apply_is_a_remark_without_a_suggestion(
    world: World, first: int, last: int, suggestion: str, options: dict[str, Any]
) -> None:
    """For removed lines, with nothing changed, for lines beyond those shown, and for others than the code it quotes."""
    world.review(diff_of(world.folder, PY, PY.replace(b"y = x", b"y = x + 1")), first, last, suggestion, **options)
    (remark,) = world.github.state.review_comments
    assert blocks(remark["body"]) == []
    assert "Wrong." in remark["body"] or "is wrong." in remark["body"]
