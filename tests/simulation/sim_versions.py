"""One seed is one history on every version of Python that the product runs on.

``python -m tests.simulation.sim_versions`` looks for interpreters beside this one (on the path and under pyenv), gives each an environment of
its own from requirements.lock, runs the same seeds and compares the hashes. Prints one line of JSON; exit 1 when they differ. One version alone
proves nothing: then it is skipped, with exit 3.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13")
SKIPPED = 3
RUN = ("-m", "tests.simulation.sim_day", "--seeds", "0:20", "--sales", "20")


def interpreters() -> dict[str, str]:
    """The interpreters that are here, by version."""
    found: dict[str, str] = {}
    for version in VERSIONS:
        kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        for path in (shutil.which(f"python{version}"), *map(str, reversed(kept))):  # what is on the path may be pyenv's word that it is not chosen
            if path is not None and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
                found[version] = path
                break
    return found


def environment(python: str, folder: Path) -> str:
    """An interpreter with everything that is needed."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    made = str(folder / "bin" / "python")
    lock = str(ROOT / "requirements.lock")
    subprocess.run([made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock], check=True)
    return made


def main() -> int:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    there = interpreters()
    if len(there) < 2:
        print(json.dumps({"skipped": f"of Python {', '.join(VERSIONS)} only {', '.join(there) or 'none'} is here: there is nothing to compare"}))
        return SKIPPED
    hashes: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="versions-") as folder:
        for version, path in there.items():
            python = sys.executable if version == here else environment(path, Path(folder) / version)
            told = subprocess.run([python, *RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
            hashes[version] = json.loads(told.splitlines()[-1])["hash"]
    different = len(set(hashes.values())) - 1
    print(json.dumps({"faults": len(hashes), "violations": max(0, different), "hashes": hashes}))
    return 1 if different > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
