"""The repository that tests are written for: which files a ticket names, which tests lie beside them, and where tests may go.

Reads inside one folder only; links are not followed, large and binary files are passed over.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

FILES_LOOKED_AT_MOST = 20_000
FILE_BYTES_MOST = 200_000
TESTS_SHOWN_MOST = 6

SKIPPED_FOLDERS = frozenset(
    ("node_modules", "vendor", "dist", "build", "target", "__pycache__", "site-packages", "venv", "third_party", "coverage")
)
TEST_FOLDERS = frozenset(("test", "tests", "__tests__", "spec", "specs", "testing", "e2e"))
SOURCE_ENDINGS = (".py", ".js", ".jsx", ".mjs", ".ts", ".tsx", ".go", ".java", ".kt", ".rb", ".cs", ".php", ".rs", ".feature")
_TEST_NAME = re.compile(r"(?:^test_.*|.*_test|.*_spec|.*\.test|.*\.spec|.*Tests?|.*IT)\.[a-z]{1,7}$")
_WORD = re.compile(r"[A-Za-z0-9_./\\-]{3,200}")
_SAFE_PART = re.compile(r"[A-Za-z0-9_\[\]+][A-Za-z0-9_.\[\]+-]{0,120}")


class SourceFile(NamedTuple):
    """A file of the checkout: its path with forward slashes, and its text."""

    path: str
    text: str


class Checkout:
    """One checkout, listed when it is first asked about."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._paths = tuple(_listed(self._root))

    @property
    def framework(self) -> str:
        """What its tests are written for, in words, as far as its files tell."""
        names = {path.rpartition("/")[2] for path in self._paths}
        manifest = self.read("package.json")
        for tool in ("vitest", "jest", "mocha", "playwright"):
            if (manifest and f'"{tool}' in manifest.text) or any(name.startswith(f"{tool}.config.") for name in names):
                return tool
        endings = {Path(name).suffix for name in names}
        if "go.mod" in names:
            return "go test"
        if endings & {".java", ".kt"}:
            return "JUnit"
        if ".py" in endings:
            shown = " ".join(each.text for each in self.neighbours(()))
            return "unittest" if "unittest" in shown and "pytest" not in shown else "pytest"
        return "the project's own framework, as its tests show"

    def named_in(self, text: str) -> tuple[SourceFile, ...]:
        """Return the files that a text names, by whole path or by a name that only one file has, in the text's order."""
        by_name: dict[str, list[str]] = {}
        for path in self._paths:
            by_name.setdefault(path.rpartition("/")[2], []).append(path)
        found: dict[str, None] = {}
        for match in _WORD.finditer(text):
            word = match[0].replace("\\", "/").strip("./") if "/" in match[0] or "\\" in match[0] else match[0].strip(".")
            matching = [word] if word in self._paths else by_name.get(word, []) if "." in word else []
            if len(matching) == 1:
                found[matching[0]] = None
        return tuple(file for path in found if (file := self.read(path)) is not None)

    def neighbours(self, named: Iterable[str]) -> tuple[SourceFile, ...]:
        """Return tests whose names resemble those of the files, then the shortest others: a style to follow."""
        stems = {_stem(path) for path in named}
        tests = [path for path in self._paths if is_test(path)]
        ranked = sorted(tests, key=lambda path: (not any(stem and stem in _stem(path) for stem in stems), self._size(path), path))
        read = (self.read(path) for path in ranked[:TESTS_SHOWN_MOST])
        return tuple(each for each in read if each is not None)

    def read(self, path: str) -> SourceFile | None:
        """Return a listed text file, or None."""
        if path not in self._paths or not 0 < self._size(path) <= FILE_BYTES_MOST:
            return None
        try:
            text = (self._root / path).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        return None if "\0" in text else SourceFile(path, text)

    def problem_with(self, path: str, *, may_overwrite: bool = False) -> str:
        """Return why a test file must not be written at ``path``, or empty text when it may be."""
        parts = path.split("/")
        if not path or not all(_SAFE_PART.fullmatch(part) for part in parts):
            return "its path is not a plain relative one"
        if not path.endswith(SOURCE_ENDINGS):
            return "it is no source file of a known language"
        is_beside_code = path.endswith("_test.go") and not SKIPPED_FOLDERS.intersection(parts)
        if not is_beside_code and not (self._allowed_folders() & {"/".join(parts[:depth]) for depth in range(1, len(parts))}):
            return "it lies outside the repository's test folders"
        place = self._root
        for part in parts:
            place /= part
            if place.is_symlink():
                return "a link lies on its path"
        return _problem_with_replacing(place, path, may_overwrite=may_overwrite) if place.exists() else ""

    def _allowed_folders(self) -> set[str]:
        """Return the folders of tests that there are; where there is none yet, ``tests`` is made."""
        found = set()
        for path in self._paths:
            folders = path.split("/")[:-1]
            for depth, folder in enumerate(folders, start=1):
                if folder.lower() in TEST_FOLDERS:
                    found.add("/".join(folders[:depth]))
                    break
        return found or {"tests"}

    def _size(self, path: str) -> int:
        try:
            return (self._root / path).lstat().st_size
        except OSError:
            return -1


def is_test(path: str) -> bool:
    """Return whether a path is that of a test file."""
    *_, name = path.split("/")
    return path.endswith(SOURCE_ENDINGS) and _TEST_NAME.fullmatch(name) is not None


def _problem_with_replacing(place: Path, path: str, *, may_overwrite: bool) -> str:
    if not may_overwrite or not place.is_file():
        return "a file is there already; --force overwrites it"
    return "" if is_test(path) else "a file is there already, and its name is not that of a test"


def _stem(path: str) -> str:
    name = path.rpartition("/")[2].partition(".")[0].lower()
    return name.removeprefix("test_").removesuffix("_test").removesuffix("test").removesuffix("_spec")


def _listed(root: Path) -> Iterable[str]:
    """Yield the paths of regular files under the root, hidden and foreign folders left out, at most so many."""
    count = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in SKIPPED_FOLDERS)
        for name in sorted(names):
            place = Path(folder, name)
            if place.is_symlink() or not place.is_file():
                continue
            count += 1
            if count > FILES_LOOKED_AT_MOST:
                return
            yield place.relative_to(root).as_posix()
