"""Cuts the power under the real service while it sells: ``python -m tests.simulation.power_service --cuts 300 --fs ext4,xfs``.

The rig, the seller and the auditor of the kills; the register's state folder with its journal, replica, key, enrolment, locks and socket is on
a file system of its own, ext4 or XFS, that loses its power. Central, the terminal's books and the printer's paper are other machines and outlive it.

A cut is ``kill -9`` and, some 15 microseconds behind it, the ioctl. A machine without power computes nothing any more either. Once the kill is
sent no call that is in the kernel comes back to the program, while the kernel goes on with it: a write or a sync that is under way is still
under way when the file system stops. So what a cut at that moment can leave of the disk is there to be met, but for what those microseconds
finish. The other way round the service would go on for milliseconds without its disk, and ext4 may answer success to a sync then: what it
printed, charged or sent to central meanwhile no machine without power could have done, and no journal could have kept. At a named point the
service ends itself, and the cut follows as soon as that is seen.

An answer counts as an acknowledgement when all of it was here before the cut began. What comes later is unknown to the seller, as if it
had not come. Control: with ``synchronous=NORMAL`` acknowledged work must be missing. Needs root.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter as Count
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from edge_agent.clock import Clock
from tests.simulation.disk_watch import scratch, shared
from tests.simulation.kill_rig import Counter, QuickWorld
from tests.simulation.kill_seller import Dead
from tests.simulation.killed_service import POINTS, UNSYNCED
from tests.simulation.kills import WRONG, Kills, Report, plan_of
from tests.simulation.power_cuts import Mount, apart, clean, mounted, stopped, unavailable

AUDIT_EVERY_CUTS = 25
PULLING = "random, taking over what central publishes"
PULLING_CUTS = 2
PULLING_SECONDS_MAX = 1.5
CONTROL_CUTS_MAX = 15
UNMOUNT_TRIES = 50
UNMOUNT_AGAIN_SECONDS = 0.1
LOST = re.compile(r"went on to event|No shift is open|after the kill: expected|is refused|neither on the counter, nor parked, nor a sale|comes back with")
"""How journal and seller say that something acknowledged is missing."""


class Answers(httpx.AsyncHTTPTransport):
    """The socket to the service. An answer that was not here, whole, when the power went never comes. ``late`` counts them, ``cuts`` how often it went."""

    cuts = late = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        cuts = self.cuts
        answer = await super().handle_async_request(request)
        await answer.aread()
        if cuts != self.cuts:
            self.late += 1
            raise httpx.ReadError("the power went before this answer was here")
        return answer


class DiskWorld(QuickWorld):
    """A world with the register's state folder, and the socket in it, on ``disk``."""

    def __init__(self, folder: Path, clock: Clock, central: tuple[str, int], disk: Path) -> None:
        super().__init__(folder, clock, central)
        self._state = disk / "register"

    @property
    def socket(self) -> Path:
        return self._state / "api.sock"

    def config_text(self) -> str:
        return super().config_text().replace(json.dumps(str(self.folder / "register")), json.dumps(str(self._state)))


class PoweredCounter(Counter):
    """A counter whose register's disk is ``mount``."""

    def __init__(self, folder: Path, seed: int, mount: Mount) -> None:
        super().__init__(folder, seed)
        self._mount = mount
        self._pid_cut = 0

    def _made_world(self, clock: Clock) -> DiskWorld:
        return DiskWorld(self.folder, clock, self.central.address, self._mount.at)

    def _made_transport(self, socket: Path) -> Answers:
        self.answers = Answers(uds=str(socket))
        return self.answers

    async def lose_power(self) -> None:
        """Cut the power once for each start of the service, and mount what is left; its log is replayed, nothing is repaired."""
        if self.service.pid == self._pid_cut:
            return
        self._pid_cut = self.service.pid
        self._cut()
        await self.service.kill()
        await self._mounted_again()

    async def lose_power_idle(self) -> None:
        """Cut the power while no service runs."""
        self._mount.cut()
        await self._mounted_again()

    def _cut(self) -> None:
        """All of it before this thread, which takes the answers, does anything else."""
        self.answers.cuts += 1
        self._mount.cut(self.service.strike)

    async def _mounted_again(self) -> None:
        for left in reversed(range(UNMOUNT_TRIES)):
            try:
                await asyncio.to_thread(self._mount.unmount)
                break
            except subprocess.CalledProcessError:
                if not left:
                    raise
                await asyncio.sleep(UNMOUNT_AGAIN_SECONDS)
        await asyncio.to_thread(self._mount.mount)


class PowerCuts(Kills):
    """Cuts the power of one register again and again; at the end, as the control, of one that does not sync its commits."""

    fault = "cut"
    _counter: PoweredCounter

    def __init__(self, folder: Path, seed: int, mount: Mount, *, audit_every: int = AUDIT_EVERY_CUTS) -> None:
        super().__init__(folder, seed, audit_every=audit_every)
        self._mount = mount
        self.answers_late = 0
        self.control_cuts = 0
        self.control_found = ""

    def _made_counter(self) -> Counter:
        return PoweredCounter(self._folder, self._seed, self._mount)

    async def _open(self) -> None:
        await self._counter.lose_power_idle()  # it was enrolled, and that was said
        for _ in range(PULLING_CUTS):
            await self._counter.service.start()
            await asyncio.sleep(self._dice.uniform(0.0, PULLING_SECONDS_MAX))
            if self._counter.service.dead.is_set():
                raise Dead
            await self._put_out()
            self.report.faults[PULLING] += 1
        await super()._open()

    async def _strike(self) -> None:
        await self._counter.lose_power()

    def _sum_up(self) -> None:
        super()._sum_up()
        self.answers_late = self._counter.answers.late

    async def _afterwards(self) -> None:
        """The control: the same counter, the same cuts, until something acknowledged is missing."""
        self._bug, honest = UNSYNCED, self.report.faults
        self.report.faults = Count()
        try:
            while self.control_cuts < CONTROL_CUTS_MAX:
                self.control_cuts += 1
                await self._kill(self.control_cuts, "random")
        except (Dead, *WRONG) as wrong:
            self.control_found = str(wrong) or type(wrong).__name__
        self.report.faults = honest


@dataclass(frozen=True)
class Job:
    """One register on one file system: cut at random moments, and ``points`` times at each named one."""

    base: str
    kind: str
    cuts: int
    points: int
    seed: int


@dataclass
class Cut:
    """What one job came to. ``found`` is what was missing in the control."""

    kind: str
    report: Report
    answers_late: int
    control_cuts: int
    found: str

    @property
    def control(self) -> bool:
        """Whether the control missed something acknowledged; a rig that does not work is no find."""
        return bool(LOST.search(self.found))


def work(job: Job) -> Cut:
    """Carry ``job`` out, in a process of its own."""
    signal.signal(signal.SIGTERM, stopped)
    folder = Path(job.base) / job.kind
    folder.mkdir()
    with mounted(folder, job.kind) as mount:
        cuts = PowerCuts(folder, job.seed, mount)
        report = asyncio.run(cuts.run(plan_of(job.cuts, POINTS, job.points, job.seed)))
        if report.violations and (mount.at / "register").is_dir():
            shutil.copytree(mount.at / "register", folder / "register", ignore=shutil.ignore_patterns("*.sock"))
    return Cut(job.kind, report, cuts.answers_late, cuts.control_cuts, cuts.control_found)


def told(cuts: Sequence[Cut]) -> dict[str, object]:
    """What the line of JSON at the end says of them."""
    reports = [cut.report for cut in cuts]
    return {
        "faults": sum(sum(report.faults.values()) for report in reports),
        "violations": sum(len(report.violations) for report in reports),
        "control_found": sum(cut.control for cut in cuts),
        "by_point": dict(sorted(sum((report.faults for report in reports), Count()).items())),
        "by_file_system": {cut.kind: sum(cut.report.faults.values()) for cut in cuts},
        "not_reached": {cut.kind: dict(cut.report.not_reached) for cut in cuts if cut.report.not_reached},
        "sales": sum(report.sales for report in reports),
        "charges": sum(report.charges for report in reports),
        "facts": sum(report.facts for report in reports),
        "receipts_that_a_cut_prevented": sum(report.unprinted for report in reports),
        "commands_repeated": sum(report.repeated for report in reports),
        "of_them_carried_out_before": sum(report.repeated_after_commit for report in reports),
        "answers_too_late_to_count": sum(cut.answers_late for cut in cuts),
        "audits": sum(report.audits for report in reports),
        "control_cuts": {cut.kind: cut.control_cuts for cut in cuts},
    }


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation.power_service", description="Power cuts under the real service while it sells.")
    parser.add_argument("--cuts", type=int, default=300, help="at random moments, all file systems together")
    parser.add_argument("--points", type=int, default=0, help="how often at each named point, on each file system")
    parser.add_argument("--fs", default="ext4,xfs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the files")
    said = parser.parse_args(words)
    kinds = said.fs.split(",")
    why = unavailable(kinds) or apart()
    if why:
        print(json.dumps({"skipped": why}))
        return 3
    began = time.monotonic()
    signal.signal(signal.SIGTERM, stopped)
    base = scratch()
    print(f"its disks are under {base}", file=sys.stderr, flush=True)
    try:
        cuts = shared(work, [Job(str(base), kind, said.cuts // len(kinds), said.points, said.seed) for kind in kinds], len(kinds))
        for cut in cuts:
            for violation in cut.report.violations:
                print(f"VIOLATION: {cut.kind}, {violation}", file=sys.stderr)
            found = cut.found or "nothing is missing" if cut.control_cuts else "not tried"
            print(f"control: {cut.kind}, cut {cut.control_cuts}: {found}", file=sys.stderr)
        violated = any(cut.report.violations for cut in cuts)
        if violated or said.keep:
            kept = shutil.copytree(base, base.with_name(f"{base.name}-kept"), ignore=shutil.ignore_patterns("*.img"))
            print(f"its files are in {kept}", file=sys.stderr)
    finally:
        clean(base)
    print(json.dumps({**told(cuts), "seed": said.seed, "seconds": round(time.monotonic() - began, 1)}))
    return 1 if violated or not all(cut.control for cut in cuts) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
