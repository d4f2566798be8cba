"""``make bench``: runs every bench in a process of its own, one after another, prints what each says and keeps it in ``RESULTS.md``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import COLLECTED, ROOT
from tests.bench.results import BENCH, RESULTS, keep, where


def main(arguments: list[str] | None = None) -> int:
    every = sorted(Path(__file__).parent.glob("bench_*.py"))
    names = ", ".join(bench.stem.removeprefix("bench_") for bench in every)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run every bench, or those whose name holds one of WORD.")
    parser.add_argument("words", metavar="WORD", nargs="*", help=f"part of a name: {names}")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    wanted = parser.parse_args(arguments)
    benches = [bench for bench in every if not wanted.words or any(word in bench.stem for word in wanted.words)]
    if not benches:
        parser.error(f"no bench is called like that: there are {names}")
    print(f"Python {platform.python_version()} on {platform.machine()}, {platform.system()} {platform.release()}; ratios, not absolute times, are the result.")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        figures = Path(folder) / "figures"
        for bench in benches:
            print(f"\n== {bench.stem.removeprefix('bench_').replace('_', ' ')} ==", flush=True)
            command = [sys.executable, "-m", f"tests.bench.{bench.stem}"]
            failed += subprocess.run(command, cwd=ROOT, env={**os.environ, COLLECTED: str(figures)}, check=False).returncode != 0
        if not wanted.print_only and figures.exists():
            keep(BENCH, rows(figures.read_text()), whole=not wanted.words and not failed)
            print(f"\nkept in {RESULTS.relative_to(ROOT)}")
    return 1 if failed else 0


def rows(told: str) -> list[list[str]]:
    """The table's rows for what the benches told, a line of JSON each."""
    here = where()
    lines = []
    for figure in map(json.loads, told.splitlines()):
        if "skipped" in figure:
            lines.append([figure["what"], "not measured", figure["skipped"], "", "", "", here])
        else:
            ours, theirs = (
                f"{figure[side]:,.{0 if figure[side] >= 1000 else 1 if figure[side] >= 10 else 2}f} {figure['unit']}" for side in ("ours", "theirs")
            )
            lines.append([figure["what"], ours, figure["beside"], theirs, f"{figure['ratio']:.2f}", figure["aim"], here])
    return lines


if __name__ == "__main__":
    sys.exit(main())
