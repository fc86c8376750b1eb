"""Counts tokens with the only tokenizer of the Claude family that was ever published with its vocabulary: that of Claude 2.

It came inside the ``anthropic`` 0.38.0 wheel. That wheel, and a library that runs it, are fetched by pip with pinned hashes into the
user's cache; neither is installed beside this project. Counting happens in a process of its own.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fakes.diff_corpus import cache_folder, pip_download

REQUIREMENTS = """\
anthropic==0.38.0 \\
  --hash=sha256:2c8117b53da7051d8ab65f4e8e05925bd53c53380183115802ace77bde14d4eb
tokenizers==0.21.0 \\
  --hash=sha256:e84ca973b3a96894d1707e189c14a774b701596d579ffc7e69debfc036a61a04 \\
  --hash=sha256:3c4c93eae637e7d2aaae3d376f06085164e1660f89304c0ab2b1d08a406636b2 \\
  --hash=sha256:f53ea537c925422a2e0e92a24cce96f6bc5046bbef24a1652a5edc8ba975f62e \\
  --hash=sha256:6b177fb54c4702ef611de0c069d9169f0004233890e0c4c5bd5508ae05abf193 \\
  --hash=sha256:4145505a973116f91bc3ac45988a92e618a6f83eb458f49ea0790df94ee243ff
"""
"""The library's hashes are of its wheels for Linux (x86-64, ARM) and macOS (ARM, x86-64)."""

COUNT = """
import json, sys, zipfile
sys.path.insert(0, sys.argv[1])
import tokenizers
vocabulary = zipfile.ZipFile(sys.argv[2]).read("anthropic/tokenizer.json").decode()
tokenizer = tokenizers.Tokenizer.from_str(vocabulary)
print(json.dumps([len(each.ids) for each in tokenizer.encode_batch(json.load(sys.stdin))]))
"""


def public_counts(texts: Sequence[str]) -> list[int]:
    """Return the tokens of each text. Raises ``CorpusUnavailable`` when the tokenizer cannot be had."""
    folder = _tokenizer_folder()
    (wheel,) = folder.glob("anthropic-*.whl")
    command = [sys.executable, "-I", "-c", COUNT, str(folder / "library"), str(wheel)]
    done = subprocess.run(command, input=json.dumps(texts), check=True, capture_output=True, text=True)
    counts: list[int] = json.loads(done.stdout)
    return counts


def _tokenizer_folder() -> Path:
    """Return the folder with the wheel and the unpacked library, made once: whole, or not at all."""
    folder = cache_folder() / "tokenizer-1"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            fresh = Path(scratch) / "fresh"
            fresh.mkdir()
            (fresh / "requirements.txt").write_text(REQUIREMENTS)
            pip_download(fresh, "download", "--require-hashes", "--requirement", "requirements.txt")
            (library,) = fresh.glob("tokenizers-*.whl")
            pip_download(fresh, "install", "--no-index", "--target", "library", library.name)
            try:
                fresh.rename(folder)
            except OSError:  # another worker was first
                assert folder.exists()
    return folder
