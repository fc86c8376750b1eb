"""The test-generation agent: what it reads, what it accepts, and whether every requirement reaches a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.gate_service import TaskGate

from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.test_generation import TestGenerationAgent
from budget_gate.agents.testgen_answer import read_plan
from budget_gate.agents.testgen_checkout import Checkout
from budget_gate.agents.testgen_request import NARROW, TOOL, TOOL_NAME
from budget_gate.agents.testgen_syntax import DoesNotParse, check_syntax
from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Bounds, Workflow
from budget_gate.core.tasks import Task
from budget_gate.core.test_plans import PlanOutcome, UnreadFile
from budget_gate.core.tickets import Ticket, requirements_of
from budget_gate.core.tokens import input_tokens_bound
from budget_gate.providers.interface import Failed

TAG = "q7Zk2mVx9"
TICKET = Ticket("#12", "Refunds", "See shop/cart.py.\n\n- [ ] refund within 30 days\n- [ ] refuse after that\n")
TEST_TEXT = '"""TC-1"""\n\n\ndef test_refund() -> None:\n    """TC-1: within 30 days."""\n    assert True\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a small project with tests in pytest's style."""
    files = {
        "shop/cart.py": "def refund(order):\n    return order\n",
        "shop/tax.py": "RATE = 19\n",
        "tests/test_cart.py": "def test_cart() -> None:\n    assert True\n",
        "tests/test_tax.py": "def test_tax() -> None:\n    assert True\n",
        "node_modules/x/cart.test.js": "test()",
        ".hidden/cart.py": "x",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def case(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a case as a model reports it."""
    made = {"name": f"TC-{number}", "title": "Refund", "preconditions": "An order.", "steps": ["Ask."], "expected": "Money."}
    return {**made, "priority": "high", "covers": ["R1"], **fields}


def reported(cases: list[Any], files: list[Any], **message: Any) -> dict[str, Any]:
    """Return a Messages response with a plan."""
    block = {"type": "tool_use", "id": "t", "name": TOOL_NAME, "input": {"cases": cases, "files": files, "summary": "Two ways."}}
    return {"content": [block], "stop_reason": "tool_use", **message}


def gate_for(reply: Any, hard_tokens: int = 40_000, soft_tokens: int | None = None, **workflow: Any) -> TaskGate:
    """Return a gate for a task of test generation."""
    bounds = Bounds(soft_tokens=soft_tokens, hard_tokens=hard_tokens, steps=10)
    made = Workflow("qa_test_gen", "test_generation", "small", task=bounds, **workflow)
    return TaskGate(Task(Attribution("qa_test_gen", task="t"), made), lambda _body: reply)


def plan(root: Path, gate: TaskGate, ticket: Ticket = TICKET, **options: Any) -> PlanOutcome:
    """Plan tests for a ticket."""
    return TestGenerationAgent(gate, gate.task, Checkout(root)).plan(ticket, tag=TAG, **options)


def sent(gate: TaskGate) -> str:
    """Return the data of the one request."""
    return str(gate.bodies[0]["messages"][0]["content"][0]["text"])


def test_a_ticket_becomes_a_plan_and_files_and_every_link_holds(root: Path) -> None:
    """Cases with all their fields, a file that parses, no gap where every requirement is covered and carried out."""
    cases = [case(1), case(2, covers=["R2"], priority="low")]
    text = TEST_TEXT + "\n\ndef test_late() -> None:  # TC-2\n    assert True\n"
    gate = gate_for(reported(cases, [{"path": "tests/test_refund.py", "content": text}]))
    outcome = plan(root, gate)
    assert (outcome.run.verdict, outcome.run.reason) == ("pass", "2 test cases and 1 test file")
    assert [each.name for each in outcome.cases] == ["TC-1", "TC-2"]
    (file,) = outcome.files
    assert (file.path, file.cases, file.check) == ("tests/test_refund.py", ("TC-1", "TC-2"), "parsed")
    assert (outcome.gaps, outcome.rejected) == ((), ())
    assert outcome.run.cost_nano_usd == gate.nano_usd > 0
    assert gate.prompt_versions == {"test_generation/1"}


def test_the_model_sees_ticket_requirements_named_code_and_neighbouring_tests(root: Path) -> None:
    """Named files come first, tests beside them next, hidden and foreign folders never; all of it is fenced."""
    gate = gate_for(reported([], []))
    outcome = plan(root, gate)
    assert outcome.shown == ("shop/cart.py", "tests/test_cart.py", "tests/test_tax.py")
    text = sent(gate)
    assert "R1: refund within 30 days\nR2: refuse after that" in text
    assert "written for pytest" in text
    assert f"<code-{TAG}>\nfile shop/cart.py" in text
    assert "shop/tax.py" not in text
    assert gate.facts[-1].paths == ("shop/cart.py",)


def test_what_does_not_fit_into_the_task_is_not_shown(root: Path) -> None:
    """Within ``hard_tokens`` the named code is kept and tests are left out; the request never passes the bound."""
    (root / "tests/test_cart.py").write_text("# " + "x" * 9_000 + "\n")
    gate = gate_for(reported([], []), hard_tokens=10_000)
    outcome = plan(root, gate)
    assert "shop/cart.py" in outcome.shown
    assert "tests/test_cart.py" not in outcome.shown
    assert outcome.unread == (UnreadFile("tests/test_cart.py", "at the task's 10,000 tokens"),)
    assert outcome.run.verdict == "pass", "the ticket was planned; a bound that was not reached stopped nothing"
    assert sum(gate.reserved[0][:2]) <= 10_000


def test_past_the_soft_bound_no_more_is_read_and_a_short_answer_is_asked_for(root: Path) -> None:
    """The next file would pass it: the file is named, the request asks for little, and nobody is held up, whatever the policy says."""
    (root / "tests/test_cart.py").write_text("# " + "x" * 5_000 + "\n")
    gate = gate_for(reported([case()], []), soft_tokens=6_000, on_exceed="block")
    outcome = plan(root, gate)
    assert outcome.shown == ("shop/cart.py", "tests/test_tax.py")
    assert outcome.unread == (UnreadFile("tests/test_cart.py", "past the task's soft bound of 6,000 tokens"),)
    assert NARROW in sent(gate)
    assert sum(gate.reserved[0][:2]) <= 6_000
    assert outcome.run.verdict == "pass_with_note"
    assert outcome.run.reason.startswith(
        "narrowed past the task's soft bound of 6,000 tokens; the work is not held up; 1 test case"
    )


def test_a_task_that_is_past_its_soft_bound_reads_nothing_and_still_plans(root: Path) -> None:
    """What earlier calls of the task used counts: the ticket alone is sent, within the hard bound."""
    gate = gate_for(reported([case()], []), soft_tokens=9_000)
    gate.used_tokens = 8_900
    outcome = plan(root, gate)
    assert (outcome.shown, len(outcome.unread), len(outcome.cases)) == ((), 3, 1)
    assert NARROW in sent(gate)


def test_within_the_soft_bound_nothing_is_narrowed(root: Path) -> None:
    """With room to spare the request is the usual one, and nothing is said of a bound."""
    gate = gate_for(reported([case()], []), soft_tokens=30_000)
    outcome = plan(root, gate)
    assert (outcome.unread, outcome.run.verdict, NARROW in sent(gate)) == ((), "pass", False)


def test_a_dry_run_says_that_it_would_be_narrowed(root: Path) -> None:
    """The estimate is of the narrowed request, which is then the one that is reserved."""
    gate = gate_for(reported([case()], []), soft_tokens=4_000)
    reason = plan(root, gate, dry_run=True).run.reason
    assert reason.endswith("narrowed past the task's soft bound of 4,000 tokens")
    plan(root, gate)
    assert f"at most {sum(gate.reserved[0][:2]):,} tokens" in reason


def test_a_ticket_that_alone_passes_the_soft_bound_is_narrowed(tmp_path: Path) -> None:
    """With no file to leave out, the answer is still asked to be short."""
    gate = gate_for(reported([case()], []), soft_tokens=2_000)
    assert plan(tmp_path, gate).run.verdict == "pass_with_note"
    assert NARROW in sent(gate)


def test_a_task_too_small_for_the_ticket_asks_nothing(root: Path) -> None:
    """The bound is named, nothing is sent, and the work is not held up unless the policy blocks."""
    gate = gate_for(reported([], []), hard_tokens=1_000)
    outcome = plan(root, gate)
    assert (gate.bodies, outcome.run.verdict) == ([], "pass_with_note")
    assert "stopped at the task's 1,000 tokens" in outcome.run.reason
    assert plan(root, gate_for(None, hard_tokens=1_000, on_exceed="block")).run.verdict == "block"


def test_gaps_are_named(root: Path) -> None:
    """A requirement without a case, a case without a file, an unknown requirement, a file without a case."""
    cases = [case(1), case(2, covers=["R9"]), case(3, covers=[])]
    files = [{"path": "tests/test_a.py", "content": TEST_TEXT}, {"path": "tests/test_b.py", "content": "x = 1\n"}]
    outcome = plan(root, gate_for(reported(cases, files)))
    assert outcome.gaps == (
        "requirement R2 has no test case: refuse after that",
        "case TC-2 covers R9, which the ticket does not have",
        "case TC-2 is in no test file",
        "case TC-3 covers no requirement",
        "case TC-3 is in no test file",
        "file tests/test_b.py names no case of the plan",
    )


def test_secrets_in_ticket_and_code_are_masked(root: Path) -> None:
    """Nothing of a token is sent, and a file that would use a mask as a value is not accepted."""
    token = "gh" + "p_" + "a1B2" * 9
    (root / "shop/cart.py").write_text(f'KEY = "{token}"\n')
    content = 'def test_x() -> None:  # TC-1\n    assert "[masked-github-token]"\n'
    gate = gate_for(reported([case()], [{"path": "tests/test_x.py", "content": content}]))
    outcome = plan(root, gate, TICKET._replace(body=TICKET.body + token))
    assert token not in str(gate.bodies)
    assert token not in outcome.ticket.body
    assert outcome.run.masked_secrets == 2
    assert [each.reason for each in outcome.rejected] == ["it uses a masked secret as if it were a value"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../tests/test_x.py", "plain relative"),
        ("/etc/test_x.py", "plain relative"),
        ("tests/../shop/test_x.py", "plain relative"),
        ("tests/./test_x.py", "plain relative"),
        ("tests\\test_x.py", "plain relative"),
        ("C:/tests/test_x.py", "plain relative"),
        ("tests//test_x.py", "plain relative"),
        ("tests/.hidden/test_x.py", "plain relative"),
        ("tests/test_x.py\n", "plain relative"),
        ("tests/te\u202est.py", "plain relative"),
        ("", "plain relative"),
        ("shop/test_x.py", "outside"),
        (".github/workflows/tests/x.py", "plain relative"),
        ("docs/tests.py", "outside"),
        ("tests/@everyone/test_x.py", "plain relative"),
        ("tests/run.sh", "no source file"),
        ("tests/test_cart.py", "is there already"),
        ("tests/link/test_x.py", "a link lies"),
    ],
)
def test_paths_stay_inside_the_test_folders(root: Path, path: str, reason: str) -> None:
    """No traversal, no link, nothing outside the folders of tests, nothing overwritten."""
    (root / "tests/link").symlink_to(root.parent)
    outcome = plan(root, gate_for(reported([case()], [{"path": path, "content": TEST_TEXT}])))
    assert outcome.files == ()
    assert [reason in each.reason for each in outcome.rejected] == [True]


def test_force_overwrites_a_file_but_nothing_else(root: Path) -> None:
    """With it a test may be replaced; a folder, and a file whose name is not that of a test, may not."""
    assert Checkout(root).problem_with("tests/test_cart.py", may_overwrite=True) == ""
    (root / "tests/conftest.py").write_text("x = 1\n")
    assert "not that of a test" in Checkout(root).problem_with("tests/conftest.py", may_overwrite=True)
    (root / "tests/test_dir.py").mkdir()
    assert Checkout(root).problem_with("tests/test_dir.py", may_overwrite=True)


def test_a_project_without_tests_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    """Where there are no tests yet, ``tests`` is the place; Go's tests lie beside their code."""
    (tmp_path / "go.mod").write_text("module shop\n")
    checkout = Checkout(tmp_path)
    assert checkout.problem_with("tests/test_a.py") == ""
    assert checkout.problem_with("cart/cart_test.go") == ""
    assert checkout.problem_with("cart/cart.go")
    assert "outside" in checkout.problem_with("vendor/cart/cart_test.go")
    assert checkout.framework == "go test"


@pytest.mark.parametrize(
    ("files", "framework"),
    [
        ({"a.py": "x", "tests/test_a.py": "import unittest\n"}, "unittest"),
        ({"a.py": "x"}, "pytest"),
        ({"package.json": '{"devDependencies": {"vitest": "1"}}', "a.ts": "x"}, "vitest"),
        ({"jest.config.js": "x"}, "jest"),
        ({"src/A.java": "class A {}"}, "JUnit"),
        ({"a.rb": "x"}, "the project's own framework, as its tests show"),
    ],
)
def test_the_framework_is_read_off_the_files(tmp_path: Path, files: Mapping[str, str], framework: str) -> None:
    """Manifests and existing tests tell; otherwise the model is told to look."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert Checkout(tmp_path).framework == framework


@pytest.mark.parametrize(
    ("path", "content", "wanted"),
    [
        ("a.py", "def f():\n    pass\n", "parsed"),
        ("a.py", "x = '\\d'\n", "parsed"),
        ("a.ts", "test('a (', () => { expect(`${x}}`).toBe(\"]\") /* } */ }) // )\n", "plausible"),
        ("a.go", 'func TestA(t *testing.T) { if x := "{"; x != "" { t.Fatal(x) } }', "plausible"),
        ("A.java", "class A { char c = '\\''; }", "plausible"),
        ("a.js", "test('a', () => {", "unchecked"),
        ("a.js", "a(]", "unchecked"),
        ("a.js", "const a = 'never ends\n", "unchecked"),
        ("a.rb", "it 'works' do end", "unchecked"),
        ("a.feature", "Feature: x", "unchecked"),
    ],
)
def test_syntax_is_checked_as_far_as_it_can_be(path: str, content: str, wanted: str) -> None:
    """Python by its parser, braces by counting, the rest is marked as unchecked."""
    assert check_syntax(path, content) == wanted


@pytest.mark.parametrize("content", ["def f(:\n", "", "  \n", "x = (" * 300, "a\0b"])
def test_python_that_does_not_parse_is_no_file(content: str) -> None:
    """The reason says where."""
    with pytest.raises(DoesNotParse):
        check_syntax("a.py", content)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"content": "x"},
        {"content": [{"type": "text", "text": "no"}]},
        {"content": [{"type": "tool_use", "name": TOOL_NAME, "input": None}]},
        {"content": [{"type": "tool_use", "name": TOOL_NAME, "input": {"cases": 7}}]},
        {"content": [], "stop_reason": "max_tokens"},
    ],
)
def test_an_answer_of_another_form_is_a_failure_not_a_crash(root: Path, message: Mapping[str, Any]) -> None:
    """One line, nothing accepted."""
    answer = read_plan(message, Checkout(root))
    assert answer.failure
    assert (answer.cases, answer.files) == ((), ())


@pytest.mark.parametrize(
    "item", [None, 7, {}, case(name="1"), case(priority="urgent"), case(title=""), case(expected=None), case(steps=7)]
)
def test_malformed_cases_and_files_are_dropped(root: Path, item: Any) -> None:
    """A malformed case is none (steps may be missing), a malformed file is named as rejected; the good ones stay."""
    answer = read_plan(
        reported([item, case(5)], [item, {"path": "tests/test_z.py", "content": "x = 1  # TC-5\n"}]), Checkout(root)
    )
    assert answer.cases[-1].name == "TC-5"
    assert [each.path for each in answer.files] == ["tests/test_z.py"]
    assert len(answer.rejected) == 1


@pytest.mark.parametrize("reply", [Failed("overloaded", "busy", 1), {"content": []}])
def test_a_failing_model_is_part_of_the_outcome(root: Path, reply: Any) -> None:
    """Nobody is held up by it, and what it cost is counted."""
    gate = gate_for(reply, on_exceed="block")
    outcome = plan(root, gate)
    assert (outcome.run.verdict, bool(outcome.run.failure)) == ("pass_with_note", True)
    assert outcome.run.cost_nano_usd == gate.nano_usd


def test_a_refusal_names_its_budget(root: Path) -> None:
    """The plan is empty, the budget is named, and the verdict is the policy's."""
    gate = gate_for(None)
    gate._refuse_after = 0
    outcome = plan(root, gate)
    assert outcome.run.reason.startswith("stopped by the budget of workflow/ci_cd_review per day")
    assert (outcome.run.verdict, outcome.cases) == ("pass_with_note", ())


def test_a_dry_run_sends_nothing(root: Path) -> None:
    """The estimate is that of the request that would be sent."""
    gate = gate_for(None)
    outcome = plan(root, gate, dry_run=True)
    assert gate.bodies == []
    assert outcome.run.reason.startswith("dry run: nothing was sent; 1 call with 3 files would use at most ")


def test_requirements_are_the_list_items_or_the_title() -> None:
    """Bullets, numbers and check boxes count, code blocks do not, and the number is bounded."""
    body = "* a thing\n2) another\n- [x] done thing\n```\n- not this\n```\n-no item\n" + "- item more\n" * 60
    found = requirements_of(Ticket("k", "t", body))
    assert [each.text for each in found[:4]] == ["a thing", "another", "done thing", "item more"]
    assert len(found) == 40
    assert [each.text for each in requirements_of(Ticket("k", "A title", "prose"))] == ["A title"]


def test_the_prompt_keeps_its_envelope() -> None:
    """Instructions and tool together stay within what the prompt's header declares."""
    prompt = load_prompt("test_generation")
    body = {
        "model": "claude-haiku-4-5",
        "max_tokens": 1,
        "system": prompt.text,
        "tools": [TOOL],
        "messages": [{"role": "user", "content": "x"}],
    }
    bound = input_tokens_bound(body)
    assert bound <= prompt.fixed_tokens_most <= bound * 14 // 10
