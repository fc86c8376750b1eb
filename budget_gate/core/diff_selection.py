"""Which files of a diff are worth a reviewer's tokens. What is left out is left out with a reason, never silently.

The tables below are the whole rule; how the rest fits a budget is ``core.packing``.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from budget_gate.core.diff_values import FileDiff
from budget_gate.core.pull_requests import NotReviewed

LOCK_FILES = frozenset(
    (
        *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"),
        *("poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "pixi.lock", "conda-lock.yml", "pylock.toml"),
        *("cargo.lock", "gemfile.lock", "composer.lock", "go.sum", "go.work.sum", "mix.lock", "rebar.lock", "pubspec.lock"),
        *("podfile.lock", "package.resolved", "cartfile.resolved", "packages.lock.json", "paket.lock", "gradle.lockfile"),
        *("buildscript-gradle.lockfile", "flake.lock", ".terraform.lock.hcl", "module.bazel.lock", "stack.yaml.lock"),
        *("cabal.project.freeze", "shard.lock", "chart.lock", "renv.lock", "vcpkg-lock.json", "conan.lock"),
    )
)
"""Names, in lower case, of files that package managers write."""

VENDOR_FOLDERS = frozenset(
    (
        *("vendor", "_vendor", "vendored", "node_modules", "bower_components", "jspm_packages", "third_party", "third-party"),
        *("thirdparty", "godeps", "pods", "carthage", "site-packages"),
    )
)
"""Folder names, in lower case, under which other people's code is kept."""

GENERATED_ENDINGS = (
    *(".min.js", ".min.mjs", ".min.css", ".bundle.js", ".js.map", ".css.map", ".mjs.map"),
    *(".pb.go", ".pb.gw.go", ".pb.cc", ".pb.h", ".pb.swift", ".pb.rb", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb.js", "_pb.ts"),
    *("_pb.d.ts", ".g.dart", ".freezed.dart", ".g.cs", ".designer.cs", ".generated.ts", ".generated.go", ".gen.go", "_string.go"),
)
"""How the names of generated files end, in lower case."""

SNAPSHOT_ENDINGS = (".snap", ".ambr", ".storyshot")
SNAPSHOT_FOLDERS = frozenset(("__snapshots__", "__image_snapshots__"))

MARKER_LINES_MOST = 20
"""A generator's marker counts within this many lines of the top of a file."""

_MARKER_CHARACTERS_MOST = 300
_MARKER = re.compile(
    r"Code generated\b.*\bDO NOT EDIT|(?<![\w@])@generated\b"
    r"|(?:automatically|auto-?|machine)[ -]?generated\b.*\bdo not (?:edit|modify)"
    r"|generated\b.*\bdo not (?:edit|modify) (?:by hand|manually)",
    re.IGNORECASE,
)
"""Go's rule (https://go.dev/s/generatedcode), the ``@generated`` of Meta's tools, and the sentences other generators write."""


class Selection(NamedTuple):
    """The files to review, in the diff's order, and the others with the reason for each."""

    files: tuple[FileDiff, ...]
    set_aside: tuple[NotReviewed, ...]


def select(files: Iterable[FileDiff]) -> Selection:
    """Divide the files of a diff; every file ends up on exactly one side."""
    chosen: list[FileDiff] = []
    set_aside: list[NotReviewed] = []
    for file in files:
        reason = reason_to_skip(file)
        if reason:
            set_aside.append(NotReviewed(file.path, reason))
        else:
            chosen.append(file)
    return Selection(tuple(chosen), tuple(set_aside))


def reason_to_skip(file: FileDiff) -> str:
    """Return why a file is not reviewed, or empty text when it is."""
    return _reason_by_content(file) or _reason_by_path(file.path) or _reason_by_lines(file)


def _reason_by_content(file: FileDiff) -> str:
    if file.problem:
        return f"{file.content}: {file.problem}"
    if file.content == "binary":
        return "binary"
    if file.content == "submodule":
        return "submodule: its commits are reviewed in their own repository"
    if file.status == "deleted":
        return "deleted: nothing left to review"
    if any(hunk.lines for hunk in file.hunks):
        return ""
    return {
        "renamed": "renamed without a change",
        "copied": "copied without a change",
        "mode_changed": "only its mode changed",
    }.get(file.status, "no changed lines")


def _reason_by_path(path: str) -> str:
    *folders, name = path.lower().replace("\\", "/").split("/")
    if name in LOCK_FILES:
        return "lock file"
    if not VENDOR_FOLDERS.isdisjoint(folders):
        return "vendored"
    if name.endswith(SNAPSHOT_ENDINGS) or not SNAPSHOT_FOLDERS.isdisjoint(folders):
        return "generated: a test snapshot"
    if name.endswith(GENERATED_ENDINGS) or name.startswith("zz_generated"):
        return "generated: its name says so"
    return ""


def _reason_by_lines(file: FileDiff) -> str:
    """Look for a generator's marker at the top.

    In a file that existed before, a marker counts only if it was there before: else one added comment would hide a change.
    """
    kinds = ("context", "added") if file.status == "added" else ("context",)
    for hunk in file.hunks:
        for line in hunk.lines[: 2 * MARKER_LINES_MOST]:
            if line.kind in kinds and line.new_line <= MARKER_LINES_MOST and _MARKER.search(line.text[:_MARKER_CHARACTERS_MOST]):
                return "generated: its first lines say so"
    return ""
