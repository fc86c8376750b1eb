"""The Python of the README, executed as it is written there."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from fakes.anthropic_server import KEY, AnthropicServer
from fakes.command_line import ACME, ROOT


def test_the_lines_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied into a file, beside a policy and with a key, they ask the model and say what it cost."""
    found = re.search(r"<!-- python -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    lines = [line for line in found[1].splitlines() if line.strip()]
    assert len(lines) <= 12
    (tmp_path / "budget-gate.yml").write_text(Path(ACME).read_text())
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with AnthropicServer() as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        with contextlib.redirect_stdout(out):
            exec(compile(found[1], "README.md", "exec"), {})  # that is the test
        assert len(server.messages) == 1
    assert out.getvalue().startswith("All is well: nothing to report. ")
    assert "workflow" in out.getvalue()
