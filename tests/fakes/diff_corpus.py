"""Real diffs, made when a test asks for them and never committed: this project's own history, and pairs of released packages.

Packages are public, small and pure Python. Their wheels are downloaded by pip, by name and version, into the user's cache folder, and
only ever unpacked in memory. Without the registry (and without the cache) the corpus fails with one line: a test that cannot have
its material has not passed.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false")
PLAIN = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
"""A developer's own settings of git must not change what the diffs look like."""

OWN_COMMITS_MOST = 6
TRIES = 3

RELEASES: Mapping[str, tuple[str, ...]] = {
    "click": ("8.0.4", "8.1.0", "8.1.3", "8.1.7", "8.2.0"),
    "flask": ("2.0.3", "2.1.3", "2.2.5", "2.3.3", "3.0.3"),
    "jinja2": ("3.0.3", "3.1.0", "3.1.2", "3.1.4", "3.1.6"),
    "requests": ("2.27.1", "2.28.2", "2.29.0", "2.31.0", "2.32.3"),
    "attrs": ("21.4.0", "22.1.0", "22.2.0", "23.1.0", "23.2.0"),
    "httpx": ("0.23.0", "0.24.0", "0.25.0", "0.26.0", "0.27.0"),
    "packaging": ("21.3", "22.0", "23.0", "23.2", "24.0"),
    "werkzeug": ("2.2.3", "2.3.0", "2.3.8", "3.0.0", "3.0.6"),
}
"""Each release is compared with the next one: 32 diffs."""

MANY_KINDS = ("sphinx", "7.3.7")
"""A release with code for browsers, minified and not, style sheets, templates, and its texts in sixty languages."""

MANY_LANGUAGES = ("django", "5.1.4")
"""A release with its texts in a hundred languages, by none of which any weight of the bound on tokens was chosen."""

Files = Mapping[str, bytes]


class RealDiff(NamedTuple):
    """A diff as git wrote it, the files on either side of it, and git's own count of its lines (``--numstat -z``)."""

    name: str
    data: bytes
    old: Files
    new: Files
    numstat: bytes


class CorpusUnavailable(Exception):
    """The registry could not be reached and the cache does not hold what is needed."""


@cache
def package_diffs() -> tuple[RealDiff, ...]:
    """Return the diffs between neighbouring releases. Raises ``CorpusUnavailable``."""
    wheels = _wheels()
    return tuple(
        diff for name, versions in RELEASES.items() for diff in _between(name, [wheels[name, each] for each in versions])
    )


def files_of_many_kinds() -> Files:
    """Return the files of one release that has more than Python in it. Raises ``CorpusUnavailable``."""
    return _files_of(MANY_KINDS)


def files_of_many_languages() -> Files:
    """Return the files of one release that has its texts in many languages. Raises ``CorpusUnavailable``."""
    return _files_of(MANY_LANGUAGES)


@cache
def _files_of(release: tuple[str, str]) -> Files:
    folder = _wheel_folder()
    _fetch(folder, [release])
    wheel = _found(folder, *release)
    assert wheel is not None
    return _unpacked(wheel)


@cache
def own_diffs() -> tuple[RealDiff, ...]:
    """Return the diffs of this project's latest commits; as many as its history has, none where there is no history."""
    listed = subprocess.run(
        (*GIT, "rev-list", "--first-parent", "--no-merges", f"--max-count={OWN_COMMITS_MOST}", "HEAD"),
        cwd=REPOSITORY,
        env=PLAIN,
        check=False,
        capture_output=True,
        text=True,
    )
    pairs = [(f"{commit}~1", commit) for commit in listed.stdout.split()]
    return tuple(
        RealDiff(
            f"budget-gate {new[:7]}",
            _git(REPOSITORY, "diff", "-M", old, new),
            _archived(old),
            _archived(new),
            _git(REPOSITORY, "diff", "-M", "--numstat", "-z", old, new),
        )
        for old, new in pairs
        if _has(old)
    )


def corpus() -> tuple[RealDiff, ...]:
    """Return every diff. Raises ``CorpusUnavailable``."""
    return (*own_diffs(), *package_diffs())


def cache_folder() -> Path:
    """Return where downloads are kept between runs."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "budget-gate-tests"


def pip_download(folder: Path, *arguments: str) -> None:
    """Run ``pip download`` or ``pip install`` with wheels only. Raises ``CorpusUnavailable`` with the last line that pip said."""
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-deps", "--only-binary", ":all:"]
    said = ""
    for _ in range(TRIES):
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no word from pip"]
        said = ([line for line in lines if line.startswith("ERROR")] or lines)[-1]
    raise CorpusUnavailable(f"pip could not fetch what this test needs ({said}); connect to a package registry and run it again")


def _wheels() -> dict[tuple[str, str], Path]:
    """Return every wheel by name and version, fetching what the cache lacks: one pip run for a release of every package."""
    folder = _wheel_folder()
    for releases in zip(*([(name, version) for version in versions] for name, versions in RELEASES.items()), strict=True):
        _fetch(folder, releases)
    found = {(name, version): _found(folder, name, version) for name, versions in RELEASES.items() for version in versions}
    return {key: path for key, path in found.items() if path is not None}


def _wheel_folder() -> Path:
    folder = cache_folder() / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _fetch(folder: Path, releases: Iterable[tuple[str, str]]) -> None:
    missing = [f"{name}=={version}" for name, version in releases if _found(folder, name, version) is None]
    if missing:
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            pip_download(Path(fresh), "download", *missing)
            for wheel in Path(fresh).glob("*.whl"):
                shutil.move(wheel, folder / wheel.name)  # one rename: another worker sees a whole file or none


def _found(folder: Path, name: str, version: str) -> Path | None:
    return next((path for path in folder.glob("*.whl") if path.name.lower().startswith(f"{name}-{version}-")), None)


def _between(name: str, wheels: list[Path]) -> Iterator[RealDiff]:
    """Yield the diff from each wheel to the next, as git writes it between two commits."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _git(root, "init", "--quiet")
        trees = [_unpacked(wheel) for wheel in wheels]
        for tree in trees:
            _commit(root, tree)
        count = len(wheels)
        for index in range(1, count):
            old, new = f"HEAD~{count - index}", f"HEAD~{count - index - 1}"
            yield RealDiff(
                f"{name} {wheels[index].name.split('-')[1]}",
                _git(root, "diff", "-M", old, new),
                trees[index - 1],
                trees[index],
                _git(root, "diff", "-M", "--numstat", "-z", old, new),
            )


def _unpacked(wheel: Path) -> dict[str, bytes]:
    """Return a wheel's files, without its metadata: those folders carry the version in their name."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}


def _commit(root: Path, tree: Files) -> None:
    for child in root.iterdir():
        if child.name != ".git":
            shutil.rmtree(child) if child.is_dir() else child.unlink()
    for name, content in tree.items():
        path = (root / name).resolve()
        assert path.is_relative_to(root.resolve()), f"{name} would leave its folder"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--allow-empty", "--message", "release")


def _archived(commit: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(_git(REPOSITORY, "archive", commit))) as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive if member.isfile()]
        return {name: file.read() for name, file in files if file is not None}


def _has(commit: str) -> bool:
    command = (*GIT, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}")
    return subprocess.run(command, cwd=REPOSITORY, env=PLAIN, check=False, capture_output=True).returncode == 0


def _git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run((*GIT, *arguments), cwd=folder, env=PLAIN, check=True, capture_output=True).stdout
