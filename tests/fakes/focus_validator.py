"""The FinOps Foundation's ``focus-validator`` in an environment of its own, made on first use from pinned hashes, and cached.

It conflicts with our lock and wants Python 3.12 or later. Where only 3.11 is at hand, one expression of it is written in the syntax
of 3.11 (docs/decisions/0018-focus.md); everywhere else it runs as published. Its rules come with it: nothing is fetched.
"""

import fcntl
import hashlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.test_pythons import interpreter

ROOT = Path(__file__).resolve().parents[2]
WHEELS, SOURCE = ROOT / "requirements/focus-validator.txt", ROOT / "requirements/focus-validator-source.txt"
FOLDER = ROOT / ".venv-focus"
VERSION = "1.2"
NEEDS = (3, 12)
NEWER_SYNTAX = """f"'{k.replace('\\"', '\\"\\"')}'\""""
OLDER_SYNTAX = """"'" + k.replace('"', '""') + "'\""""
MISFITS = ("CAPACITY_RESERVATION_SUPPORTED", "COMMITMENT_DISCOUNT_SUPPORTED")
"""What no provider of ours has, and for which the rules contradict themselves (docs/decisions/0018-focus.md)."""


class Judgement(NamedTuple):
    """How many rules a file passed, and the names of those it failed."""

    passed: int
    failed: frozenset[str]


def _python() -> str:
    """Return an interpreter that the validator runs on, if there is one, else our own."""
    if sys.version_info >= NEEDS:
        return sys.executable
    return next(filter(None, map(interpreter, ("3.12", "3.13", "3.14"))), sys.executable)


def _uv(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).with_name("uv")), *arguments], check=True, capture_output=True)


def _packages(environment: Path) -> Path:
    return next(environment.glob("lib/python3*/site-packages"))


def _install(environment: Path, python: str) -> None:
    """Install the libraries as wheels, then the validator, which is published as source only, with the tool that builds it."""
    install = ("pip", "install", "--python", str(environment / "bin/python"), "--no-deps", "--require-hashes")
    _uv("venv", "--clear", "--python", python, str(environment))
    _uv(*install, "--only-binary", ":all:", "-r", str(WHEELS))
    _uv(*install, "--no-build-isolation", "--python-version", "3.12", "-r", str(SOURCE))
    if python == sys.executable and sys.version_info < NEEDS:
        module = _packages(environment) / "focus_validator/config_objects/focus_to_duckdb_converter.py"
        text = module.read_text()
        assert text.count(NEWER_SYNTAX) == 1
        module.write_text(text.replace(NEWER_SYNTAX, OLDER_SYNTAX))


def installed() -> Path:
    """Return the environment, making it if there is none for these requirements. Safe from several processes at once."""
    python = _python()
    wanted = hashlib.sha256(WHEELS.read_bytes() + SOURCE.read_bytes() + python.encode()).hexdigest()
    stamp = FOLDER / "requirements.sha256"
    with (ROOT / ".venv-focus.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            _install(FOLDER, python)
            stamp.write_text(wanted)
    return FOLDER


def _run(folder: Path, *arguments: str) -> str:
    """Run the validator in a folder, without the internet, and return what it printed."""
    command = [str(installed() / "bin/focus-validator"), "--block-download", "--validate-version", VERSION]
    # It looks for its list of currencies below the folder it is started in.
    link = folder / "focus_validator"
    if not link.is_symlink():
        link.symlink_to(_packages(FOLDER) / "focus_validator")
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@cache
def _criteria() -> str:
    """Return the names of everything a provider may have, but for the ``MISFITS``."""
    listed = re.findall(r"^(\w+_SUPPORTED)\t", _run(FOLDER, "--show-applicability-criteria"), re.MULTILINE)
    assert set(MISFITS) < set(listed)
    return ",".join(name for name in listed if name not in MISFITS)


def judge(path: Path, folder: Path) -> Judgement:
    """Return what the validator says of a file, as a provider with everything but the ``MISFITS``; ``folder`` is for its log."""
    text = _run(folder, "--data-file", str(path), "--applicability-criteria", _criteria())
    summary = re.search(r"\| Pass: (\d+) \| Fail: (\d+) \|", text)
    assert summary is not None, text[-2000:]
    failed = frozenset(re.findall(r"^\S+ ([\w-]+): FAIL", text, re.MULTILINE))
    assert len(failed) == int(summary[2])
    return Judgement(int(summary[1]), failed)
