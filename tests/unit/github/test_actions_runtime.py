"""The runner's environment in, outputs and summaries out."""

import io
import json
from pathlib import Path

import pytest

from budget_gate.core.errors import UsageError
from budget_gate.github.actions_runtime import SUMMARY_BYTES_MAX, ActionsRuntime, read_runtime

SHA = "d" * 40


def _runtime(folder: Path, **changes: str) -> ActionsRuntime:
    pull = {
        "number": 7,
        "user": {"login": "alice"},
        "head": {"sha": SHA, "repo": {"full_name": "eve/shop"}},
        "labels": [{"name": "x"}],
    }
    (folder / "event.json").write_text(json.dumps({"action": "opened", "pull_request": pull}))
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_RUN_ID": "900",
        "GITHUB_RUN_NUMBER": "12",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_ACTOR": "bob",
        "GITHUB_WORKFLOW": "AI review",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        **changes,
    }
    return read_runtime(environment)


def _outputs(path: Path) -> dict[str, str]:
    """Read an output file as the runner does: ``name=value``, or a name with a delimiter and lines up to that delimiter."""
    lines, found = iter(path.read_text("utf-8").split("\n")), {}
    for line in lines:
        if not line:
            continue
        if "=" in line and ("<<" not in line or line.index("=") < line.index("<<")):
            name, _, value = line.partition("=")
            found[name] = value
            continue
        name, delimiter, value_lines = *line.split("<<", 1), []
        for each in lines:
            if each == delimiter:
                break
            value_lines.append(each)
        else:
            raise AssertionError("a delimiter without its end")
        found[name] = "\n".join(value_lines)
    return found


def test_what_a_run_knows(tmp_path: Path) -> None:
    """A run knows its pull request, the head commit to report on, its own log, and on whose account it is."""
    runtime = _runtime(tmp_path)
    assert (runtime.event_name, runtime.pr_number, runtime.head_sha, runtime.is_fork) == ("pull_request", 7, SHA, True)
    assert runtime.labels == ("x",)
    assert runtime.run_url == "https://github.com/acme/shop/actions/runs/900/attempts/2"
    assert runtime.attribution_defaults() == {
        "workflow": "AI review",
        "project": "acme/shop",
        "user": "alice",
        "pr": "7",
        "run": "900",
        "attempt": "2",
    }


def test_a_run_without_an_event_file_is_on_its_actors_account() -> None:
    """Where the runner says little, what it does say counts and the rest is empty."""
    runtime = read_runtime({"GITHUB_ACTOR": "bob", "GITHUB_SHA": SHA, "GITHUB_EVENT_NAME": "schedule"})
    assert runtime.attribution_defaults() == {"user": "bob"}
    assert (runtime.head_sha, runtime.pr_number, runtime.run_url, runtime.run_id) == (SHA, None, "", 0)
    runtime.write_outputs({"verdict": "pass"})
    assert runtime.append_summary("text")


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("GITHUB_RUN_ID", "12a", "GITHUB_RUN_ID is '12a'; it must be a whole number, as the runner sets it"),
        ("GITHUB_RUN_ATTEMPT", "-1", "GITHUB_RUN_ATTEMPT is '-1'; it must be a whole number, as the runner sets it"),
        ("GITHUB_REPOSITORY", "acme/shop/../x", "GITHUB_REPOSITORY is 'acme/shop/../x'; it must be OWNER/REPO"),
        ("GITHUB_REPOSITORY", "acme", "GITHUB_REPOSITORY is 'acme'; it must be OWNER/REPO"),
    ],
)
def test_broken_environment(tmp_path: Path, name: str, value: str, line: str) -> None:
    """A broken variable is refused in one line that names it."""
    with pytest.raises(UsageError) as caught:
        _runtime(tmp_path, **{name: value})
    assert str(caught.value) == line


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "",
        "two\nlines",
        "ends with newline\n",
        "x\nverdict=pass\nEOF\nverdict<<EOF\npass\nEOF",
        "end-00000000000000000000000000000000\nverdict=pass",
        "a=b<<c",
        "\N{PILE OF POO} ::set-output name=verdict::pass",
    ],
)
def test_no_value_forges_an_output(tmp_path: Path, value: str) -> None:
    """Whatever a value holds, the runner reads exactly the outputs that were written."""
    runtime = _runtime(tmp_path)
    runtime.write_outputs({"reason": value, "verdict": "block"})
    assert _outputs(tmp_path / "output") == {"reason": value, "verdict": "block"}


def test_outputs_survive_another_programs_unfinished_line(tmp_path: Path) -> None:
    """A line that another program left without an end does not swallow our first output."""
    (tmp_path / "output").write_text("other=1")
    runtime = _runtime(tmp_path)
    runtime.write_outputs({"verdict": "pass"})
    runtime.write_outputs({"verdict": "block", "cost-usd": "0.01"})
    assert _outputs(tmp_path / "output") == {"other": "1", "verdict": "block", "cost-usd": "0.01"}


def test_an_output_name_that_is_none_is_refused(tmp_path: Path) -> None:
    """A name with syntax in it is refused and nothing is written."""
    with pytest.raises(UsageError, match="is not the name of an output"):
        _runtime(tmp_path).write_outputs({"verdict": "pass", "a\nverdict": "x"})
    assert not (tmp_path / "output").exists()


def test_an_output_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Failing to write outputs is one clear line."""
    with pytest.raises(UsageError, match=r"GITHUB_OUTPUT: .* cannot be written \(Is a directory\)"):
        _runtime(tmp_path, GITHUB_OUTPUT=str(tmp_path)).write_outputs({"verdict": "pass"})


def test_summary_is_bounded(tmp_path: Path) -> None:
    """A summary never passes the megabyte a runner accepts; it is cut at a line and says so."""
    runtime = _runtime(tmp_path)
    assert runtime.append_summary("# First")
    assert not runtime.append_summary("ä" * 99 + "\n" + "line of text\n" * 200_000)
    raw = (tmp_path / "summary").read_bytes()
    assert len(raw) <= SUMMARY_BYTES_MAX
    text = raw.decode("utf-8")
    assert text.startswith("# First\nä")
    assert text.endswith("line of text\n\n\n*Shortened to the megabyte that a job summary may have.*\n")
    assert not runtime.append_summary("more " * 100)
    assert (tmp_path / "summary").stat().st_size <= SUMMARY_BYTES_MAX


def test_masks_cover_every_line(tmp_path: Path) -> None:
    """Each line of a secret is hidden, none of it can be a command of its own, and blanks are no secrets."""
    stream = io.StringIO()
    _runtime(tmp_path).mask("first%\n\n::stop-commands::x\rlast", stream)
    assert stream.getvalue() == "::add-mask::first%25\n::add-mask::::stop-commands::x\n::add-mask::last\n"
    assert _masks("  \n") == ""


def _masks(secret: str) -> str:
    from budget_gate.github.workflow_commands import mask_commands

    return mask_commands(secret)
