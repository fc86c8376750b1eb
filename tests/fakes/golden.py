"""Golden files: what people read, kept under ``tests/golden``. ``UPDATE_GOLDEN=1 pytest tests/unit/reports`` writes them anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Compare ``text`` with the golden file ``name``, or write it when ``UPDATE_GOLDEN`` is 1."""
    path = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert path.exists(), f"{path} is missing; run with UPDATE_GOLDEN=1 and read what it wrote"
    assert text == path.read_bytes().decode()
