"""What is the same for everything in a simulated world: its loop, its chance, what goes wrong in it, and the trace of what can be seen."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulation.sim_loop import Seeded, SimLoop

START_MS = 1_795_330_800_000  # Sun 22 Nov 2026, 08:00 in Berlin


@dataclass
class Faults:
    """How often things go wrong; all of it can be turned off at once. Each is a probability of one request, one commit, one conversation."""

    lost_request: float = 0.03
    lost_answer: float = 0.03
    late: float = 0.02
    doubled: float = 0.03
    stranger: float = 0.01
    terminal_lost: float = 0.05
    terminal_deaf: float = 0.05
    disk: float = 0.002
    off: bool = False

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        return 0.0 if isinstance(value, float) and object.__getattribute__(self, "off") else value


@dataclass
class World:
    """One simulated world: its loop, its chance, what happens to go wrong, and the trace of what could be seen from outside."""

    loop: SimLoop
    folder: Path
    seed: int
    faults: Faults = field(default_factory=Faults)
    network_up: bool = True
    happened: dict[str, int] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Seeded(f"world-{self.seed}")

    def count(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1

    def tell(self, *what: object) -> None:
        self.trace.append(f"{self.loop.time():.6f} " + " ".join(str(part) for part in what))


def as_after_a_crash(there: Path, here: Path) -> None:
    """The files as a process that is killed leaves them: what was written is there, nothing is tidied up, locks are gone."""
    if there.exists():
        shutil.copytree(there, here, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
    else:
        here.mkdir()
