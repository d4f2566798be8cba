"""``make proof``: the full fault counts. Prints one table (promise, faults tried, violations, seconds) and exits 1 on any violation.

``make test`` runs a small seeded share of each of these; here they run long. Each line's command can be run by hand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=1800")


@dataclass(frozen=True)
class Proof:
    """One promise, the command that tries to break it, and how many faults that is."""

    promise: str
    faults: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def proofs(seeds: Sequence[int], sales: int) -> list[Proof]:
    days = [
        Proof(
            f"shop, journal and central agree to the cent (seed {seed})",
            f"{sales} sales through cuts, kills and unplugs",
            (sys.executable, "-m", "edge_agent", "demo", "--headless", "--seed", str(seed), "--sales", str(sales)),
        )
        for seed in seeds
    ]
    return [
        Proof(
            "no acknowledged commit is lost, none is doubled",
            "300 kills -9, full and failing disks, damaged bytes",
            (*PYTEST, "tests/simulation/test_journal_faults.py"),
            (("EDGE_KILLS", "300"),),
        ),
        Proof("no card is charged twice, no charge goes unrecorded", "every interleaving of the small model", (*PYTEST, "tests/unit/test_attempt_model.py")),
        Proof(
            "whatever a register is told, its books add up",
            "20,000 random command sequences",
            (*PYTEST, "tests/unit/test_register_properties.py"),
            (("HYPOTHESIS_PROFILE", "proof"), ("EDGE_EXAMPLES", "20000")),
        ),
        *days,
    ]


def run(proof: Proof) -> tuple[int, float, str]:
    began = time.monotonic()
    done = subprocess.run(
        proof.command, cwd=ROOT, env={**os.environ, **dict(proof.environment)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, time.monotonic() - began, done.stdout


def main(words: list[str]) -> int:
    seeds = [int(word) for word in words if word.isdigit()] or [1, 2, 3]
    rows = []
    for proof in proofs(seeds, sales=300):
        print(f"... {proof.promise}", file=sys.stderr, flush=True)
        code, seconds, told = run(proof)
        rows.append((proof.promise, proof.faults, code, seconds))
        if code:
            print(told[-4000:], file=sys.stderr)
    print("| promise | faults tried | violations | seconds |\n|---|---|---|---|")
    for promise, faults, code, seconds in rows:
        print(f"| {promise} | {faults} | {'none' if code == 0 else 'FOUND'} | {seconds:.0f} |")
    print(json.dumps({"proofs": len(rows), "violated": sum(1 for row in rows if row[2])}))
    return 1 if any(row[2] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
