"""Opens the journal on disks as a power cut may leave them: ``python -m tests.simulation.crash_states --states 200000``.

Every write and sync of an unmodified selling register is recorded. From that record disks are built as they could be after a cut at any
moment, and the journal on each is compared with what the register had acknowledged by then. Control: with ``synchronous=NORMAL`` the same must
find sales that are lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.disk_watch import Kind, Step, build, compiler, scratch, shared, steps, under
from tests.simulation.platter import Node, Platter, Write, apply, enter, entries_kept, survivors
from tests.simulation.selling_child import hurry
from tests.simulation.sold import Told, looked_at, violations

ROOT = Path(__file__).parents[2]
RUNS = 4
FAILED_MAX = 60
"""A run whose disk fails for good ends after so many failures."""
RUN_SECONDS_MAX = 100
STATES_PER_RECORDING = 12_000
WHOLE_REGISTER_EVERY = 50
"""One state in so many is opened by a whole register that goes on selling; the others by a reader that checks the same."""
STALE_EVERY = 10
"""One state in so many has an index of the log (-shm) that means nothing."""
CONTROL_STATES_MAX = 3_000
CUT_STEPS = (Kind.WROTE, Kind.CUT, Kind.SYNCED, Kind.SYNC_FAILED, Kind.OPENED, Kind.RENAMED, Kind.REMOVED, Kind.FOLDER_SYNCED, Kind.SAID)


def recorded(folder: Path, library: Path, seed: int, **settings: str) -> list[Step]:
    """What a register did to its disk in a few runs, each ended by a kill. Ends with a check that nothing escaped the record."""
    chance = random.Random(seed)
    live, record, ledger = folder / "live", folder / "record", folder / "ledger"
    live.mkdir(parents=True)
    told = Told()
    for run in range(RUNS):
        ledger.write_text("".join(f"charged {wire_ref} {minor}\n" for wire_ref, minor in told.charged.items()))
        environment = {**under(library, live, record), "EDGE_SELLING_CHECKPOINT_FRAMES": str(chance.choice((60, 150, 400))), **settings}
        fails = chance.choice((0, 1, 1, -1)) if run < RUNS - 1 else 0
        if fails:
            environment["EDGE_DISK_FAIL_SYNC"] = f"{chance.randint(20 if run == 0 else 0, 150)} {fails}"
        environment["EDGE_DISK_DIE"] = f"{chance.choice((1, 30, 60, 120))} {FAILED_MAX}"
        command = (sys.executable, "-m", "tests.simulation.selling_child", str(live), "--seed", str(seed * 10 + run), "--ledger", str(ledger))
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX)
        told.hear(done.stdout.splitlines())
    found = list(steps(record))
    record.unlink()
    require_whole(found, live)
    return found


def require_whole(found: Sequence[Step], live: Path) -> None:
    """Raise unless the record played to its end gives the folder's files, byte by byte."""
    disk = Platter()
    for step in found:
        disk.take(step)
    names = {name: bytearray(node.safe) for name, node in disk.live.items()}
    for write in disk.waiting:
        for name, node in disk.live.items():
            if node is write.node:
                apply(names[name], write)
    there = {path.name: path.read_bytes() for path in live.iterdir() if not path.name.endswith("-shm")}
    wrong = [name for name in names.keys() | there.keys() if bytes(names.get(name, b"?")) != there.get(name)]
    assert not wrong, f"the record is not what happened to {wrong}"


class Folder:
    """A folder that holds what is safe on a platter; a state is put into it and taken out again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._holds: dict[str, tuple[Node, int]] = {}

    def follow(self, disk: Platter) -> None:
        """Hold what is safe now."""
        for name in self._holds.keys() - disk.names.keys():
            (self.path / name).unlink()
        for name, node in disk.names.items():
            if self._holds.get(name) != (node, node.changed):
                (self.path / name).write_bytes(node.safe)
        self._holds = {name: (node, node.changed) for name, node in disk.names.items()}

    def put(self, disk: Platter, kept: Sequence[Write], names: dict[str, Node]) -> None:
        """Change what is there into a state."""
        for name in self._holds.keys() - names.keys():
            (self.path / name).unlink()
        for name, node in names.items():
            if self._holds.get(name) != (node, node.changed):
                (self.path / name).write_bytes(node.safe)
            mine = [write for write in kept if write.node is node]
            if mine:
                _write(self.path / name, mine)

    def take_out(self, kept: Sequence[Write], names: dict[str, Node]) -> None:
        """Undo ``put``."""
        (self.path / "journal.db-shm").unlink(missing_ok=True)
        for name, node in names.items():
            if self._holds.get(name) != (node, node.changed):
                (self.path / name).unlink()
                self._holds.pop(name, None)
                continue
            _restore(self.path / name, node, [write for write in kept if write.node is node])
        for name in self._holds.keys() - names.keys():
            (self.path / name).write_bytes(self._holds[name][0].safe)


def _write(path: Path, writes: Sequence[Write]) -> None:
    handle = os.open(path, os.O_RDWR)
    for write in writes:
        if write.cut:
            os.ftruncate(handle, write.at)
        else:
            os.pwrite(handle, write.data, write.at)
    os.close(handle)


def _restore(path: Path, node: Node, writes: Sequence[Write]) -> None:
    if not writes:
        return
    cut = min((write.at for write in writes if write.cut), default=len(node.safe))
    handle = os.open(path, os.O_RDWR)
    for write in writes:
        end = min(write.at + len(write.data), len(node.safe))
        if write.at < end:
            os.pwrite(handle, memoryview(node.safe)[write.at : end], write.at)
    if cut < len(node.safe):
        os.pwrite(handle, memoryview(node.safe)[cut:], cut)
    os.ftruncate(handle, len(node.safe))
    os.close(handle)


@dataclass
class Tally:
    """What was tried and found."""

    states: int = 0
    whole: int = 0
    violations: int = 0
    first: str = ""


def _moments(found: Sequence[Step], states: int, chance: random.Random) -> Iterator[tuple[int, int]]:
    """After which steps the power goes, and how many states of each are built."""
    places = [place for place, step in enumerate(found) if step.kind in CUT_STEPS]
    counts: dict[int, int] = {}
    for _ in range(states):
        place = chance.choice(places)
        counts[place] = counts.get(place, 0) + 1
    return iter(sorted(counts.items()))


def tried(found: Sequence[Step], folder: Path, states: int, seed: int, enough: int = 0) -> Tally:
    """Cut the power at ``states`` moments of a record, looking at each disk; ends early after ``enough`` violations."""
    chance, tally, disk = random.Random(seed), Tally(), Platter()
    holds, told, heard, at = Folder(folder / "state"), Told(), 0, 0
    holds.path.mkdir()
    for place, count in _moments(found, states, chance):
        for step in found[at : place + 1]:
            disk.take(step)
        at = place + 1
        end = disk.said.rfind("\n") + 1
        told.hear(disk.said[heard:end].splitlines())
        heard = end
        holds.follow(disk)
        for _ in range(count):
            problems = _one(disk, holds, told, chance, tally)
            tally.violations += bool(problems)
            tally.first = tally.first or (f"after step {place}: {'; '.join(problems)}" if problems else "")
        if enough and tally.violations >= enough:
            break
    return tally


def _one(disk: Platter, holds: Folder, told: Told, chance: random.Random, tally: Tally) -> list[str]:
    kept, names = survivors(disk.waiting, chance), dict(disk.names)
    enter(names, entries_kept(disk.entries, chance))
    tally.states += 1
    holds.put(disk, kept, names)
    try:
        if tally.states % STALE_EVERY == 0:
            (holds.path / "journal.db-shm").write_bytes(chance.randbytes(32768))
        problems = []
        being_made = "journal.db-journal" in names  # which a reader may not play back
        if being_made or tally.states % WHOLE_REGISTER_EVERY == 0:
            tally.whole += 1
            problems = _whole(holds.path, told)
        return problems if being_made else problems + looked_at(holds.path, told, opens=True)
    finally:
        holds.take_out(kept, names)


def _whole(folder: Path, told: Told) -> list[str]:
    copy = folder.with_name("opened")
    shutil.copytree(folder, copy)
    try:
        return violations(copy, told)
    finally:
        shutil.rmtree(copy)


def _worker(job: tuple[str, str, int, int]) -> Tally:
    """Record one register and try its disks."""
    base, library, seed, states = job
    hurry()
    folder = Path(base) / f"seed-{seed}"
    try:
        return tried(recorded(folder, Path(library), seed), folder, states, seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _control(base: Path, library: Path, seed: int) -> int:
    """How many broken promises are found when commits are not synced."""
    folder = base / "control"
    found = recorded(folder, library, seed, EDGE_SELLING_SYNCHRONOUS="NORMAL")
    return tried(found, folder, CONTROL_STATES_MAX, seed, enough=10).violations


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="crash_states")
    parser.add_argument("--states", type=int, default=200_000)
    parser.add_argument("--per-recording", type=int, default=STATES_PER_RECORDING)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    said = parser.parse_args(words)
    if compiler() is None:
        print(json.dumps({"skipped": "no C compiler (cc)"}))
        return 3
    base = scratch()
    try:
        library = build(base)
        hurry()
        many = -(-said.states // said.per_recording)
        jobs = [(str(base), str(library), said.seed + number, said.states // many) for number in range(many)]
        tallies = shared(_worker, jobs, said.jobs)
        control = _control(base, library, said.seed)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    broken = [tally.first for tally in tallies if tally.first]
    for first in broken:
        print(first, file=sys.stderr)
    sums = {"faults": sum(tally.states for tally in tallies), "violations": sum(tally.violations for tally in tallies), "control_found": control}
    print(json.dumps({**sums, "recordings": many, "whole_registers": sum(tally.whole for tally in tallies)}))
    return 1 if broken or not control else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
