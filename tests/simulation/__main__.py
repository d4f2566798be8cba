"""``make proof``: the full fault counts. Prints one table (promise, faults tried, violations, seconds), keeps it in
``tests/bench/RESULTS.md``, and exits 1 on any violation.

``make test`` runs a small seeded share of each of these; here they run long. Each line's command can be run by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.results import PROOF, keep, table, where

SKIPPED = 3
"""What a command ends with that cannot run here."""
ROOT = Path(__file__).parent.parent.parent
SKIPPED_TESTS = re.compile(r"\b([1-9][0-9]*) skipped\b.* in [0-9.]+s")
"""In the last line of pytest's."""
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=1800")


@dataclass(frozen=True)
class Proof:
    """One promise, the command that tries to break it, and how many faults that is."""

    promise: str
    faults: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def all_words(self) -> str:
        return " ".join((self.promise, self.faults, *self.command))


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
        Proof(
            "what was acknowledged survives a power cut, whole and once",
            "power cuts by the kernel, ext4 and XFS, a register selling",
            (sys.executable, "-m", "tests.simulation.power_cuts", "--cuts", "1000"),
        ),
        Proof(
            "what the service acknowledged survives a power cut, and central, terminal and paper agree with it",
            "power cuts by the kernel, ext4 and XFS, the real service selling, at random moments and at 32 named points",
            (sys.executable, "-m", "tests.simulation.power_service", "--cuts", "400", "--points", "1"),
        ),
        Proof(
            "the journal opens, complete, on whatever a power cut leaves of the disk",
            "disks with lost, torn and reordered writes and failed syncs",
            (sys.executable, "-m", "tests.simulation.crash_states", "--states", "200000"),
        ),
        Proof(
            "while the disk fails nothing is acknowledged; nothing is lost or done twice",
            "errors and full disks under a register that sells",
            (sys.executable, "-m", "tests.simulation.disk_errors", "--errors", "20000"),
        ),
        Proof("no card is charged twice, no charge goes unrecorded", "every interleaving of the small model", (*PYTEST, "tests/unit/test_attempt_model.py")),
        Proof(
            "whatever a register is told, its books add up",
            "20,000 random command sequences",
            (*PYTEST, "tests/unit/test_register_properties.py"),
            (("HYPOTHESIS_PROFILE", "proof"), ("EDGE_EXAMPLES", "20000")),
        ),
        Proof(
            "what the service acknowledged is there after kill -9, once",
            "1,000 kills at random moments, 160 at 32 named points",
            (sys.executable, "-m", "tests.simulation.kills", "--kills", "1000", "--points", "5"),
        ),
        Proof(
            "facts arrive once and in order through every bad network, and the link says what is wrong",
            "100,000 facts, 26 conditions between network namespaces",
            (sys.executable, "-m", "tests.simulation.network", "--facts", "100000"),
        ),
        *(
            Proof(
                f"whatever fails at whatever step, nothing is lost, doubled, changed or charged twice (seeds {first:,} to {last - 1:,})",
                "500,000 of 1,000,000 simulated sales, 200 a seed",
                (sys.executable, "-m", "tests.simulation.sim_day", "--seeds", f"{first}:{last}", "--sales", "200", "--jobs", "2"),
            )
            for first, last in ((0, 2_500), (2_500, 5_000))  # hours each
        ),
        Proof(
            "a register that dies at any await goes on as if it had not",
            "deaths at every step of a sale, half of them twice",
            (sys.executable, "-m", "tests.simulation.sim_every_await"),
        ),
        Proof(
            "one seed is one history on every version of Python",
            "the versions that are here",
            (sys.executable, "-m", "tests.simulation.sim_versions"),
        ),
        Proof(
            "whoever breaks the register is found out by its simulated days",
            "bugs planted, each over up to 100 seeds",
            (sys.executable, "-m", "tests.simulation.sim_controls"),
        ),
        Proof(
            "whoever breaks the service, its journal, its push or its payments is found out by the other checks",
            "bugs planted and damages done",
            (sys.executable, "-m", "tests.simulation.controls"),
        ),
        *days,
    ]


def run(proof: Proof) -> tuple[int, float, str]:
    began = time.monotonic()
    done = subprocess.run(
        proof.command, cwd=ROOT, env={**os.environ, **dict(proof.environment)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, time.monotonic() - began, done.stdout


def said_at_the_end(told: str) -> dict[str, Any]:
    """The counts that a command printed as its last line of JSON; nothing for those that print none."""
    for line in reversed(told.splitlines()):
        if line.startswith("{"):
            said: dict[str, Any] = json.loads(line)
            return said
    return {}


def row_of(proof: Proof, code: int, told: str) -> tuple[str, str, bool]:
    """What the table says was tried and found, and whether it is a violation."""
    said, strict = said_at_the_end(told), os.environ.get("EDGE_REQUIRE_PEERS") == "1"
    if code == SKIPPED and "skipped" in said:
        return "none", f"not tried: {said['skipped']}", strict
    faults = f"{said['faults']:,}: {proof.faults}" if "faults" in said else proof.faults
    if skipped := SKIPPED_TESTS.search(told):
        return f"{faults}; {skipped[1]} of its tests not tried: they were skipped", "FOUND" if code else "none in the others", bool(code) or strict
    violations = said.get("violations") or ("FOUND" if code else "none")
    return faults, str(len(violations) if isinstance(violations, list) else violations), bool(code)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Try every promise with the full count of faults, or those that hold WORD.")
    parser.add_argument("words", metavar="WORD", nargs="*", help="part of a promise, of what is tried or of the command that tries it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="seeds of the scripted days")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    wanted = parser.parse_args(words)
    every = proofs(wanted.seeds, sales=300)
    chosen = [proof for proof in every if not wanted.words or any(word in proof.all_words for word in wanted.words)]
    if not chosen:
        parser.error("no proof holds any of these words; --print-only and no word runs them all")
    rows, violated = [], 0
    for proof in chosen:
        print(f"... {proof.promise}", file=sys.stderr, flush=True)
        code, seconds, told = run(proof)
        faults, violations, bad = row_of(proof, code, told)
        rows.append([proof.promise, faults, violations, f"{seconds:.0f}"])
        violated += bad
        if code:
            print(told[-4000:], file=sys.stderr)
        if not wanted.print_only:
            keep(PROOF, [[*rows[-1], where()]])
    print(table(PROOF.columns[:4], rows))
    print(json.dumps({"proofs": len(rows), "violated": violated}))
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
