"""Puts the locked uv into a folder: from a wheel kept on this runner if its hash is one of the lock's, else through pip, by hash.

Usage: get_uv.py REQUIREMENTS KEPT_WHEELS TARGET. The kept wheel is only ever trusted for its hash, so a shared runner's cache cannot
change what is installed.
"""

import hashlib
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path


def kept_wheel(folder: Path, hashes: set[str]) -> bytes | None:
    """Return the content of a wheel in ``folder`` whose SHA-256 is one of ``hashes``, or None: read once, so it cannot change after."""
    for path in sorted(folder.glob("uv-*.whl")):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() in hashes:
            return content
    return None


def download(requirements: Path, folder: Path) -> None:
    """Have pip put the locked wheel for this machine into ``folder``; pip checks its hash."""
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--requirement", str(requirements)]
    subprocess.run(command, check=True)


def main() -> None:
    """Write the program ``uv`` into the target folder."""
    requirements, kept, target = map(Path, sys.argv[1:])
    hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", requirements.read_text()))
    kept.mkdir(parents=True, exist_ok=True)
    wheel = kept_wheel(kept, hashes)
    if wheel is None:
        download(requirements, kept)
        wheel = kept_wheel(kept, hashes)
    if wheel is None:
        sys.exit("the wheel of uv that pip fetched is not one of the lock's")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
        target.mkdir(parents=True, exist_ok=True)
        (target / "uv").write_bytes(archive.read(name))
    (target / "uv").chmod(0o755)


if __name__ == "__main__":
    main()
