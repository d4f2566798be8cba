"""Plants every bug into simulated days, one after the other: ``python -m tests.simulation.sim_controls``. Each has to be found within so many seeds.

Prints one line of JSON (``faults``: bugs planted, ``violations``: those that were not found); exit 1 when one was not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.simulation.disk_watch import shared
from tests.simulation.sim_bugs import PLANTED
from tests.simulation.sim_day import DIED, in_child

SALES = 20
BITES_SEEDS_MAX = 100


def found_by(bug: str, seeds: Iterable[int], base: Path | None = None) -> tuple[int, str] | None:
    """The first of ``seeds`` whose day finds ``bug``, and by what; None when none does. Raises AssertionError when it could not be planted."""
    for seed in seeds:
        violations: list[str] = in_child(seed, SALES, base, bug)["violations"]
        assert DIED not in violations, f"{bug} could not be planted"
        if violations:
            return seed, violations[0]
    return None


def _share(bugs: Sequence[str]) -> dict[str, tuple[int, str] | None]:
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    return {bug: found_by(bug, range(BITES_SEEDS_MAX), base) for bug in bugs}


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.sim_controls", description="Every planted bug has to be found.")
    parser.add_argument("bugs", metavar="BUG", nargs="*", help="only these")
    parser.add_argument("--jobs", type=int, default=2, help="Processes side by side.")
    said = parser.parse_args(words)
    bugs = said.bugs or sorted(PLANTED)
    found = {bug: by for part in shared(_share, [bugs[at :: said.jobs] for at in range(said.jobs)], said.jobs) for bug, by in part.items()}
    missed = sorted(bug for bug, by in found.items() if by is None)
    for bug in sorted(found):
        by = found[bug]
        print(f"{bug}: " + ("NOT FOUND" if by is None else f"seed {by[0]}: {by[1].strip().splitlines()[-1]}"), file=sys.stderr)
    print(json.dumps({"faults": len(found), "violations": len(missed), "missed": missed, "seeds": {bug: by[0] for bug, by in sorted(found.items()) if by}}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
