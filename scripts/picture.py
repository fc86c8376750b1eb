"""Draws README's picture: what `make demo` prints, shortened, as an SVG terminal. Run by hand when the demo's look changes."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 112


def shortened_demo() -> str:
    """Return the demo's beginning, one line for each push, what the last comment says, and the table."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "budget_gate", "demo", "--directory", folder]
        printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = printed.splitlines()
    pushes = [line for line in lines if line.startswith("push ")]
    last = lines[lines.index(pushes[-1]) :]
    said = [line for line in last if re.match(r"  \| (###|\| |\*\*The)", line)][:5]
    table = lines[next(index for index, line in enumerate(lines) if line.startswith("scope ")) :][:7]
    return "\n".join([*lines[:3], "", *pushes, *said, "", *table])


def main() -> None:
    """Write docs/images/demo.svg, without the web font that rich would name."""
    with open("/dev/null", "w") as nowhere:  # noqa: PTH123 (only the recording counts)
        console = Console(record=True, width=COLUMNS, file=nowhere)
        console.print(Text("$ make demo", style="bold"))
        for line in shortened_demo().splitlines():
            console.print(Text(line[: COLUMNS * 2], style="yellow" if " warn " in line else ""), soft_wrap=False)
        svg = console.export_svg(title="budget-gate")
    (ROOT / "docs/images/demo.svg").write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL))


if __name__ == "__main__":
    main()
