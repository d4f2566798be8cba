"""``make bench``: runs every bench in a process of its own, one after another, and prints what each says."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path


def main(wanted: list[str]) -> int:
    here = Path(__file__).parent
    benches = [bench for bench in sorted(here.glob("bench_*.py")) if not wanted or any(word in bench.stem for word in wanted)]
    print(f"Python {platform.python_version()} on {platform.machine()}, {platform.system()} {platform.release()}; ratios, not absolute times, are the result.")
    failed = 0
    for bench in benches:
        print(f"\n== {bench.stem.removeprefix('bench_').replace('_', ' ')} ==", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"tests.bench.{bench.stem}"], cwd=here.parent.parent, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
