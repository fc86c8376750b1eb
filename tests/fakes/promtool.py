"""Prometheus' own checker: the one on PATH, else out of Debian's package ``prometheus``, unpacked beside the checkout and cached.

Nothing is installed: ``apt-get download`` checks the package's signature, and ``dpkg-deb`` unpacks it. Where the lists of packages are
missing (a fresh container), they are fetched into the same folder.
"""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-promtool"


def _apt(folder: Path, *arguments: str, own_lists: bool) -> bool:
    (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
    options = ["-qq", "-o", "APT::Sandbox::User=root"]
    options += ["-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder}"] if own_lists else []
    return subprocess.run(["apt-get", *options, *arguments], cwd=folder, capture_output=True, check=False).returncode == 0


def _unpack(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        downloaded = _apt(folder, "download", "prometheus", own_lists=False)
        if not downloaded:
            _apt(folder, "update", own_lists=True)
            downloaded = _apt(folder, "download", "prometheus", own_lists=True)
        assert downloaded, "there is no promtool: put one on PATH (Debian and Ubuntu have it in the package prometheus)"
        (package,) = folder.glob("prometheus_*.deb")
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "unpacked")], check=True, capture_output=True)
        shutil.move(folder / "unpacked/usr/bin/promtool", target)


def promtool(*arguments: str, text: str = "") -> tuple[int, str]:
    """Run it; return its exit status and what it printed."""
    program = Path(shutil.which("promtool") or FOLDER / "promtool")
    if not program.exists():
        FOLDER.mkdir(exist_ok=True)
        with (FOLDER / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                _unpack(program)
    done = subprocess.run([str(program), *arguments], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
