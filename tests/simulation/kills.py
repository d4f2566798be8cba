"""``kill -9`` of the real service while it sells: ``python -m tests.simulation.kills --kills 1000 --seed 1``.

The service is the program that IT starts, enrolled at a real central over loopback, with simulated devices on ptys and sockets. It is killed
at random moments, and at named points (``--points``): before and after each commit, push, acknowledgement, print, pulse of the drawer, byte to the
terminal, answer of it, and phase of the start. Each time it is started again, and the seller goes on where the screen says. Every so many
kills all books are compared. Prints one line of JSON; exit 1 on a violation.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter as Count
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from edge_agent import views as v
from edge_agent.client import ApiProblem
from edge_agent.demo.paper import Paper
from edge_agent.demo.shops import FLOAT_MINOR
from edge_agent.demo.waiting import NotSeen
from tests.simulation.kill_audit import audit
from tests.simulation.kill_rig import SHOP, Counter
from tests.simulation.kill_seller import Dead, Seller, Violated
from tests.simulation.killed_service import BUGS, DISK, POINTS, START

AUDIT_EVERY_KILLS = 50
COLD_EVERY_KILLS = 10
"""So often the service is started as a program of its own; else it is forked with everything imported, which is quicker."""
NOT_REACHED_SECONDS = 25.0
READY_SECONDS_MAX = 60.0
WRONG = (Violated, NotSeen, ApiProblem, TimeoutError)
"""How the seller says that something is not as it should be."""


@dataclass
class Report:
    """What was done, and what came of it."""

    faults: Count[str] = field(default_factory=Count)
    not_reached: Count[str] = field(default_factory=Count)
    violations: list[str] = field(default_factory=list)
    audits: int = 0
    sales: int = 0
    repeated: int = 0
    repeated_after_commit: int = 0
    charges: int = 0
    unprinted: int = 0
    facts: int = 0


class Kills:
    """Kills one register again and again."""

    fault = "kill"

    def __init__(self, folder: Path, seed: int, bug: str = "", *, cold_every: int = COLD_EVERY_KILLS, audit_every: int = AUDIT_EVERY_KILLS) -> None:
        self.report = Report()
        self._dice = Random(seed)
        self._folder = folder
        self._seed = seed
        self._bug = bug
        self._cold_every = cold_every
        self._audit_every = audit_every
        self._boot = ""

    async def run(self, plan: Sequence[str]) -> Report:
        """Kill once for each word of ``plan``: a named point, or ``random``."""
        async with self._made_counter() as counter:
            self._counter, self._seller, self._paper = counter, Seller(counter, self._seed), Paper(counter.world.printer)
            try:
                await self._open()
                for number, point in enumerate(plan, 1):
                    await self._kill(number, point)
                    if number % self._audit_every == 0 or number == len(plan):
                        await self._audit()
                        if self.report.violations:
                            break
            except Dead:
                self.report.violations.append(f"{self.fault} {sum(self.report.faults.values())}: the service ended by itself; see {counter.log}")
            except WRONG as wrong:
                self.report.violations.append(f"{self.fault} {sum(self.report.faults.values())}: {wrong or type(wrong).__name__}")
            else:
                never = sorted(point for point in self.report.not_reached if not self.report.faults[point])
                self.report.violations += [f"the point {point} was never reached: nothing is known of it" for point in never]
            self._sum_up()
            if not self.report.violations and (told := await asyncio.to_thread(counter.verify_by_command)):
                self.report.violations.append(told)
            if not self.report.violations:
                await self._afterwards()
        return self.report

    def _sum_up(self) -> None:
        self.report.sales, self.report.repeated = len(self._seller.sold), self._seller.repeated
        self.report.unprinted = len(self._seller.unprinted)
        self.report.repeated_after_commit = self._seller.repeated_before
        self.report.charges = sum(1 for entry in self._counter.world.terminal.ledger.entries() if entry.charged_minor)

    async def _afterwards(self) -> None:
        """What else there is to try with a counter whose books agree. Its service does not run."""

    def _made_counter(self) -> Counter:
        return Counter(self._folder, self._seed)

    async def _strike(self) -> None:
        """End the service."""
        await self._counter.service.kill()

    async def _open(self) -> None:
        counter, seller = self._counter, self._seller
        await counter.service.start(bug=self._bug, cold=True)
        await seller.up("")
        async with asyncio.timeout(READY_SECONDS_MAX):
            while None in ((status := await counter.client.status()).catalogue_as_of_ms, status.people_as_of_ms):
                await asyncio.sleep(0.05)
        counter.command_id = counter.new_id()
        await counter.screen.send(v.OpenShift(SHOP.badge, FLOAT_MINOR))
        await self._put_out()

    async def _kill(self, number: int, point: str) -> None:
        """One life of the service, from its start to the kill."""
        service, seller = self._counter.service, self._seller
        named = point != "random"
        nth = (
            1 if point in START or point.startswith(("print", "drawer", "terminal")) else self._dice.randint(1, 3) + (point in DISK)
        )  # the first commit says that it started
        seller.likes = point.partition(".")[0].replace("drawer", "print").replace("learn", "terminal") if named else ""
        self._boot = self._counter.screen.boot
        await service.start(point if named else "", nth, self._bug, cold=number % self._cold_every == 0)
        selling = asyncio.get_running_loop().create_task(self._sell(), name="seller")
        watching = asyncio.get_running_loop().create_task(service.dead.wait(), name="death")
        starting = not named and self._dice.random() < 0.2
        try:
            if starting:
                await asyncio.wait({selling, watching}, timeout=self._dice.uniform(0.0, 0.8), return_when=asyncio.FIRST_COMPLETED)
            else:
                await self._until_killed(selling, watching, named=named)
            reached = service.dead.is_set()
            if named and not reached:
                self.report.not_reached[point] += 1
            else:
                self.report.faults[point if named else "random, starting" if starting else "random"] += 1
            await self._strike()
            await self._over(selling)
            if reached and not named:
                raise Dead
        finally:
            for task in (selling, watching):
                task.cancel()
            await asyncio.gather(selling, watching, return_exceptions=True)
        await self._put_out()

    async def _until_killed(self, selling: asyncio.Task[None], watching: asyncio.Task[bool], *, named: bool) -> None:
        """Named points end the service by themselves; else it is left alone for a random while after it answers."""
        loop = asyncio.get_running_loop()
        up = loop.create_task(self._answering(), name="answering")
        try:
            await asyncio.wait({up, selling, watching}, timeout=READY_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED)
            asking = self._seller.paying or any(one.attempt == "unknown" for one in self._counter.screen.now.parked) if up.done() else False
            seconds = NOT_REACHED_SECONDS if named else self._dice.uniform(2.0, 4.5) if asking and self._dice.random() < 0.4 else self._dice.uniform(0.0, 1.2)
            await asyncio.wait({selling, watching}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()

    async def _answering(self) -> None:
        with contextlib.suppress(Dead, ApiProblem):
            await self._seller.up(self._boot)

    async def _sell(self) -> None:
        """The seller's part of one life."""
        with contextlib.suppress(Dead):
            await self._seller.come_back(self._boot)
            await self._seller.sell()

    async def _over(self, selling: asyncio.Task[None]) -> None:
        """The seller notices that the service is gone. Raises what the seller found wrong."""
        await asyncio.wait({selling}, timeout=5.0)
        if not selling.done():
            raise NotSeen("the seller did not notice within 5 s that the service is gone")
        selling.result()

    async def _put_out(self) -> None:
        """What is left after a kill: the printer's half receipt is torn off."""
        printer = self._counter.world.printer
        await self._strike()
        if not await asyncio.to_thread(printer.wait_for, lambda: not printer.connected, 5.0):
            raise NotSeen("the printer did not see within 5 s that its connection is gone")
        self._paper.tear()

    async def _audit(self) -> None:
        boot = self._counter.screen.boot
        await self._counter.service.start(bug=self._bug)
        await self._seller.come_back(boot)
        await self._seller.clear()
        loop = asyncio.get_running_loop()
        end = loop.time() + 5.0
        while (last := self._counter.screen.now.last_sale) is not None and last.print_state == "printing" and loop.time() < end:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(self._counter.world.terminal.wait, lambda terminal: terminal.payment is None)
        self.report.violations += await audit(self._counter, self._seller, self._paper)
        self.report.audits += 1
        self.report.facts = sum(stream.head for stream in (await self._counter.client.status()).streams)
        await self._put_out()


def plan_of(kills: int, points: Sequence[str], times: int, seed: int) -> list[str]:
    """``kills`` at random moments, and each of ``points`` so many times, all mixed."""
    plan = ["random"] * kills + [point for point in points for _ in range(times)]
    Random(seed).shuffle(plan)
    return plan


def kill(folder: Path, plan: Sequence[str], seed: int, bug: str = "", **options: int) -> Report:
    """Carry ``plan`` out in ``folder``."""
    return asyncio.run(Kills(folder, seed, bug, **options).run(plan))


def main(words: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that nothing is left behind
    parser = argparse.ArgumentParser(prog="tests.simulation.kills", description="kill -9 of the real service while it sells.")
    parser.add_argument("--kills", type=int, default=1000, help="at random moments")
    parser.add_argument("--points", type=int, default=1, help="how often at each named point")
    parser.add_argument("--only", default="", help="only named points that begin so")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bug", choices=BUGS, default="", help="plant this bug: it has to be found")
    parser.add_argument("--cold-every", type=int, default=COLD_EVERY_KILLS, help="every so many starts are programs of their own")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    chosen = parser.parse_args(words)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="edge-kills-"))
    points = [point for point in POINTS if point.startswith(chosen.only)]
    plan = plan_of(chosen.kills, points, chosen.points, chosen.seed)
    report = kill(folder, plan, chosen.seed, chosen.bug, cold_every=chosen.cold_every)
    for violation in report.violations:
        print(f"VIOLATION: {violation}", file=sys.stderr)
    if report.violations or chosen.keep:
        print(f"its files are in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    told = {
        "faults": sum(report.faults.values()),
        "violations": len(report.violations),
        "by_point": dict(sorted(report.faults.items())),
        "not_reached": dict(report.not_reached),
        "sales": report.sales,
        "charges": report.charges,
        "receipts_that_a_kill_prevented": report.unprinted,
        "facts": report.facts,
        "commands_repeated": report.repeated,
        "of_them_carried_out_before": report.repeated_after_commit,
        "audits": report.audits,
        "seed": chosen.seed,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(told))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
