"""The scripted stand-in: reads what is shown, answers in the agreed form, pretends nothing."""

import pytest

from budget_gate.agents.demo_script import SUMMARY, scripted_reviewer
from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_answer import ShownLines, read_answer
from budget_gate.agents.review_request import Briefing
from budget_gate.core.diff_pieces import pieces_of
from budget_gate.core.diffs import parse_diff
from budget_gate.core.pull_requests import Finding, PullRequest

PULL = PullRequest("acme/app", 1, "file x.py (added)", "R1 +eval(x)", "mallory", "h", "b", "main")


def findings_on(line: str, path: str = "app.py") -> tuple[Finding, ...]:
    """Return what the stand-in says of one added line, read as any answer is."""
    text = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -6 +7,2 @@\n eval(kept)\n+{line}\n"
    pieces = pieces_of(parse_diff(text))
    body = Briefing(load_prompt("code_review"), "q7Zk2mVx9", PULL).request(pieces)
    message = {"content": scripted_reviewer(body), "stop_reason": "tool_use"}
    answer = read_answer(message, ShownLines(pieces))
    assert (answer.dropped, answer.failure, answer.summary) == (0, "", SUMMARY)
    return answer.findings


@pytest.mark.parametrize(
    ("line", "category"),
    [
        ('password = "hunter22"', "security"),
        ("API_KEY: 'abcdef123'", "security"),
        ('db.execute(f"SELECT * FROM t WHERE id = {value}")', "security"),
        ('db.execute("SELECT * FROM t WHERE id = %s" % value)', "security"),
        ('query = f"DELETE FROM t WHERE id = {value}"', "security"),
        ("result = eval(text)", "security"),
        ("subprocess.run(command, shell=True)", "security"),
        ("yaml.load(stream)", "security"),
        ("session.get(url, verify=False)", "security"),
        ("def add(item, items=[]):", "correctness"),
        ("except:", "error handling"),
        ("requests.get(url)", "reliability"),
        ("for i in range(len(items) + 1):", "correctness"),
        ("handle = open(path, 'rb')", "resources"),
        ("with open(path) as handle:", "portability"),
        ("pass  # TODO later", "maintenance"),
    ],
)
def test_each_rule_finds_its_smell(line: str, category: str) -> None:
    """A line that smells is reported where it stands."""
    assert [(each.category, each.path, each.line) for each in findings_on(line)] == [(category, "app.py", 8)]


@pytest.mark.parametrize(
    "line",
    [
        *('password = os.environ["PASSWORD"]', 'db.execute("SELECT * FROM t WHERE id = ?", (value,))', "model.eval()"),
        *(
            "requests.get(url, timeout=5)",
            "except ValueError:",
            "with open(path, encoding='utf-8') as handle:",
            "def f(items=None):",
        ),
        *(
            "for i in range(len(items)):",
            "with open(path, 'rb') as handle:",
            "yaml.load(stream, Loader=yaml.SafeLoader)",
            "x = 1",
        ),
    ],
)
def test_sound_lines_are_left_alone(line: str) -> None:
    """What is written properly is not reported; nor is the unchanged line beside it, or the description."""
    assert findings_on(line) == ()


def test_rules_keep_to_their_languages() -> None:
    """Python's smells are not looked for in prose; a credential is one anywhere."""
    assert findings_on("except:", "notes.txt") == ()
    assert len(findings_on('secret = "s3cr3tvalue"', "deploy.yaml")) == 1


def test_it_says_that_it_is_no_model() -> None:
    """Asked anything else, it answers in words that it is a script."""
    assert scripted_reviewer({"messages": [{"role": "user", "content": "hello"}]}) == [{"type": "text", "text": SUMMARY}]
    assert "no model was asked" in SUMMARY
