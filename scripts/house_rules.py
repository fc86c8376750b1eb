"""Rules of the house that no linter knows: sizes of modules and functions, and one word for one idea (STYLE.md, sections 1 and 3)."""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_USUAL = 40
USUAL_SHARE = 0.95
FORBIDDEN_TEXT = {
    r"\bTODO\b|\bFIXME\b|\bXXX\b": "finish it, or write it into an issue",
    r"float\([^)]*usd": "money is an integer of nano-dollars",
}
ALLOWED = {"agents/demo_script.py"}
"""The scripted reviewer looks for such words in other people's code."""


def function_lines(tree: ast.AST) -> list[tuple[str, int]]:
    """Return every function's name and length in lines, its docstring left out."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            first = node.body[0]
            is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            documented = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
            found.append((node.name, node.end_lineno - node.lineno + 1 - documented))
    return found


def main() -> int:
    """Print every broken rule; return 1 if there is one."""
    faults, lengths = [], []
    for path in sorted((ROOT / "budget_gate").rglob("*.py")):
        text, name = path.read_text(), str(path.relative_to(ROOT / "budget_gate"))
        count = text.count("\n")
        if count > MODULE_LINES_MAX:
            faults.append(f"{name}: {count} lines; split it")
        tree = ast.parse(text)
        if not ast.get_docstring(tree):
            faults.append(f"{name}: no module docstring")
        for function, lines in function_lines(tree):
            lengths.append(lines)
            if lines > FUNCTION_LINES_MAX:
                faults.append(f"{name}: {function} has {lines} lines; split it")
        for pattern, instead in FORBIDDEN_TEXT.items():
            if name not in ALLOWED and (match := re.search(pattern, text)):
                faults.append(f"{name}: {match[0]!r}; {instead}")
    usual = sum(lines <= FUNCTION_LINES_USUAL for lines in lengths) / max(len(lengths), 1)
    if usual < USUAL_SHARE:
        faults.append(f"only {usual:.1%} of the functions are at most {FUNCTION_LINES_USUAL} lines long")
    print("\n".join(faults) or f"{len(lengths)} functions, {usual:.1%} within {FUNCTION_LINES_USUAL} lines")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
