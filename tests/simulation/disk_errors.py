"""Lets the disk fail under a register that sells: ``python -m tests.simulation.disk_errors --errors 20000``.

Errors (EIO) and full disks (ENOSPC) come back from the real calls of an unmodified register, one call or all of them, now or a few calls later,
some after half a write. The client repeats what was refused under its id. Whatever happens: nothing acknowledged is lost, nothing is done twice,
nothing is acknowledged while the disk fails, selling goes on when the disk is back, and a payment under way ends recorded. Control: a journal that
takes a failed COMMIT for a good one must be found out.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent import views as v
from edge_agent.domain.errors import DiskFull, StorageError
from edge_agent.domain.tender import Attempt
from edge_agent.ports import Commit
from sync.cipher import SqlError, open_file
from sync.journal_disk import JournalDisk
from tests.simulation.disk_watch import Calls, Disk, build, compiler, scratch, under
from tests.simulation.selling_child import LedgerTerminal, Seller, hurry
from tests.simulation.sold import Told, violations
from tests.support_journal import new_id
from tests.support_shop import KEY, register

ROOT = Path(__file__).parents[2]
BALLAST_BYTES = 512 * 1024
ERRORS_PER_LIFE = 25
LIVES_PER_JOURNAL = 3
COMMANDS_PER_FAULT_MAX = 15
COMMITS_TO_FULL_MAX = 2_000
"""More than fit into the room that a log has."""
CONTROL_ERRORS_MAX = 300
WORKER_SECONDS_MAX = 3_600
PRICES = {"COAT": 19_900, "SOCKS": 1_250}
ALL = Calls.WRITES | Calls.SYNCS | Calls.CUTS


@dataclass
class Books:
    """What the client knows that it sold, and what it was told; lives through restarts."""

    chance: random.Random
    disk: Disk
    told: Told = field(default_factory=Told)
    sold: list[int] = field(default_factory=list)
    aside: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    errors: int = 0
    in_flight: int = 0


class ThinkingTerminal(LedgerTerminal):
    """A terminal that answers when it is let."""

    def __init__(self, books: Books) -> None:
        super().__init__(ledger=books.told.charged)
        self.answers_now = asyncio.Event()
        self.answers_now.set()

    async def thinks(self) -> None:
        await self.answers_now.wait()

    async def abort(self, attempt: Attempt) -> None:
        raise AssertionError(f"nobody asked to stop {attempt.id}")


class PatientClient(Seller):
    """A seller whose disk fails again and again."""

    def __init__(self, rig: Any, books: Books, terminal: ThinkingTerminal) -> None:
        super().__init__(rig, books.chance, lambda line: books.told.hear([line]) and None)
        self.books = books
        self.terminal = terminal
        self.total = 0
        self._forever = self._armed = False
        self._base = self._tries = self._refused = self._patience = 0

    # --- the disk ---

    def arm(self) -> None:
        chance = self.chance
        self._armed, self._base, self._tries, self._refused, self._patience = True, self.books.disk.failed, 0, 0, chance.randint(1, 4)
        self._forever = False
        if chance.random() < 0.2:
            self.books.disk.full(chance.randrange(100_000))
            return
        calls = chance.choice((Calls.WRITES, Calls.SYNCS, Calls.SYNCS, Calls.CUTS, ALL))
        count = chance.choice((1, 1, 1, 2, 5, -1))
        self._forever = count < 0 and calls is not Calls.CUTS
        number = chance.choice((errno.EIO, errno.ENOSPC))
        self.books.disk.fail(calls, number, chance.randrange(40), count, tears=chance.random() < 0.3)

    @property
    def hit(self) -> bool:
        return self._armed and self.books.disk.failed > self._base

    def heal(self) -> None:
        self.books.errors += self.hit
        self._armed = self._forever = False
        self.books.disk.heal()

    def waited(self) -> None:
        self._refused += 1
        if self._armed and self._refused > self._patience:
            self.heal()

    # --- commands ---

    async def ask(self, command: v.AnyCommand) -> None:
        if not self._armed:
            self.arm()
        await super().ask(command)
        self._keep(command)
        self._tries += 1
        if self._tries > COMMANDS_PER_FAULT_MAX or (self.hit and not self._forever):
            self.heal()

    async def once_asked(self, command_id: str, command: v.AnyCommand) -> bool:
        failing = self._forever and self.hit
        acknowledged = await super().once_asked(command_id, command)
        if acknowledged and failing and self._forever:
            self.books.wrong.append(f"{type(command).__name__} was acknowledged while the disk failed")
        if not acknowledged:
            self.waited()
        return acknowledged

    def _keep(self, command: v.AnyCommand) -> None:
        match command:
            case v.AddArticle(sku=sku, quantity=quantity):
                self.total += PRICES[sku] * int(quantity)
            case v.Suspend():
                self.books.aside.append(self.total)
                self.total = 0
            case v.Recall():
                self.total = self.books.aside.pop(0)
            case v.VoidBasket():
                self.total = 0
            case v.PayCash():
                self._paid()

    def _paid(self) -> None:
        self.books.sold.append(self.total)
        self.total = 0

    async def card(self, amount_minor: int | None) -> None:
        await super().card(amount_minor)
        if amount_minor is None:
            self._paid()

    async def in_flight(self) -> None:
        """The disk fills up, or fails, while the terminal thinks: what it answers is recorded all the same."""
        self.heal()
        await self.ask(v.AddArticle("COAT", "1"))
        self.heal()
        self.terminal.answers_now.clear()
        await super().ask(v.PayCard(None))
        fills = self.chance.random() < 0.7
        if fills:
            self.books.disk.full(0)
            await self._until_full()
        else:
            self.books.disk.fail(ALL, errno.EIO, self.chance.randrange(3), self.chance.choice((1, 3, 20)))
        self.terminal.answers_now.set()
        await self.quiet()
        if fills and self.rig.core.state.receipts != len(self.books.sold) + 1:
            self.books.wrong.append("a payment under way was not recorded on a full disk")
        self._paid()
        self.books.disk.heal()
        self.books.errors += 1
        self.books.in_flight += 1

    async def _until_full(self) -> None:
        """Use up the room that the log has."""
        try:
            for _ in range(COMMITS_TO_FULL_MAX):
                await self.rig.journal.commit(Commit(new_id(), ()))
        except DiskFull:
            return
        raise AssertionError("commits are acknowledged on a full disk")

    async def goes_on(self) -> None:
        """The disk is back: so is selling."""
        self.heal()
        await self.until(lambda: self.rig.core.desk.stopped is None)
        await self.quiet()


async def life(folder: Path, books: Books, errors: int) -> None:
    """One run of the service, from its start to its end, with that many errors; it may start on a failing disk."""
    terminal = ThinkingTerminal(books)
    async with register(folder, terminal=terminal, ballast_bytes=BALLAST_BYTES) as rig:
        client = PatientClient(rig, books, terminal)
        client.heal()
        await client.goes_on()
        await client.open()
        until = books.errors + errors
        while books.errors < until:
            if books.chance.random() < 0.1:
                await client.in_flight()
            else:
                await client.customer()
            if books.chance.random() < 0.1:
                await client.pushed()
        await client.goes_on()
        if books.chance.random() < 0.3:
            client.arm()


async def one_journal(folder: Path, books: Books, errors: int) -> None:
    """Several lives on one journal."""
    for _ in range(LIVES_PER_JOURNAL):
        for _ in range(10):
            try:
                await life(folder, books, errors // LIVES_PER_JOURNAL)
            except StorageError as problem:
                if not books.disk.failed:
                    raise AssertionError("a disk that never failed is no reason") from problem
                books.errors += 1
                books.disk.heal()
            else:
                break
        if books.chance.random() < 0.5:
            books.disk.fail(ALL, errno.EIO, books.chance.randrange(30), books.chance.choice((1, 2, -1)))


def judged(folder: Path, books: Books) -> list[str]:
    """What is wrong after all those lives."""
    books.disk.heal()
    found = [*books.wrong, *violations(folder, books.told)]
    db = open_file(folder / "journal.db", KEY, read_only=True)
    try:
        totals = [row[0] for row in db.execute("SELECT total_minor FROM sale ORDER BY number")]
    finally:
        db.close()
    if totals != books.sold:
        found.append(f"the client sold {len(books.sold)} over {sum(books.sold)}, the journal has {len(totals)} over {sum(totals)}")
    return found


def swallow() -> None:
    """The planted bug: a COMMIT that failed is taken for a good one."""
    true_open = JournalDisk.open

    class Careless:
        def __init__(self, db: Any) -> None:
            self._db = db

        def execute(self, sql: str, *values: object) -> Any:
            try:
                return self._db.execute(sql, *values)
            except SqlError:
                if sql != "COMMIT":
                    raise

        def __getattr__(self, name: str) -> Any:
            return getattr(self._db, name)

    JournalDisk.open = lambda self: Careless(true_open(self))  # type: ignore[assignment,method-assign,return-value]


def worker(base: Path, errors: int, seed: int, stop_at_first: bool) -> dict[str, Any]:
    """In the process that runs under the library: let so many errors come, journal after journal."""
    hurry()
    chance, disk = random.Random(seed), Disk()
    found: list[str] = []
    done = in_flight = number = 0
    while done < errors:
        folder, books = base / f"journal-{number}", Books(chance, disk)
        number += 1
        try:
            asyncio.run(one_journal(folder, books, LIVES_PER_JOURNAL * min(ERRORS_PER_LIFE, errors - done)))
            found += [f"journal {number}: {problem}" for problem in judged(folder, books)]
        except (AssertionError, TimeoutError, StorageError) as problem:
            found.append(f"journal {number}: {type(problem).__name__}: {problem}")
        disk.heal()
        done, in_flight = done + max(books.errors, 1), in_flight + books.in_flight
        shutil.rmtree(folder, ignore_errors=True)
        if found and stop_at_first:
            break
    return {"faults": done, "violations": len(found), "calls_failed": disk.failed, "payments_in_flight": in_flight, "found": found[:10]}


def started(base: Path, library: Path, errors: int, seed: int, bug: str = "") -> tuple[subprocess.Popen[bytes], Path]:
    """A worker, and the file that it writes into (a pipe that nobody reads would hold it up: the service logs)."""
    folder = base / f"{bug or 'seed'}-{seed}"
    folder.mkdir()
    words = ["--worker", str(folder), "--errors", str(errors), "--seed", str(seed), *(["--bug"] if bug else [])]
    command = [sys.executable, "-m", "tests.simulation.disk_errors", *words]
    said = folder.with_suffix(".said")
    with said.open("wb") as out:
        return subprocess.Popen(command, cwd=ROOT, env=under(library, folder), stdout=out, stderr=subprocess.DEVNULL), said


def said_by(child: subprocess.Popen[bytes], said: Path) -> dict[str, Any]:
    """A worker's last line."""
    try:
        code = child.wait(timeout=WORKER_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        code = None
    lines = said.read_text().splitlines()
    if code != 0 or not lines:
        return {"faults": 0, "violations": 1, "calls_failed": 0, "payments_in_flight": 0, "found": [f"a worker ended with {code}"]}
    return dict(json.loads(lines[-1]))


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="disk_errors")
    parser.add_argument("--errors", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--worker", type=Path)
    parser.add_argument("--bug", action="store_true")
    said = parser.parse_args(words)
    if said.worker:
        if said.bug:
            swallow()
        print(json.dumps(worker(said.worker.resolve(), said.errors, said.seed, said.bug)))
        return 0
    if compiler() is None:
        print(json.dumps({"skipped": "no C compiler (cc)"}))
        return 3
    base = scratch()
    children: list[tuple[subprocess.Popen[bytes], Path]] = []
    try:
        library = build(base)
        children = [started(base, library, said.errors // said.jobs, said.seed + job) for job in range(said.jobs)]
        results = [said_by(*child) for child in children]
        children = [started(base, library, CONTROL_ERRORS_MAX, said.seed, "bug")]
        control = said_by(*children[0])
    finally:
        for child, _ in children:
            child.kill()
            child.wait()
        shutil.rmtree(base, ignore_errors=True)
    for line in (line for result in results for line in result["found"]):
        print(line, file=sys.stderr)
    sums = {name: sum(result[name] for result in results) for name in ("faults", "violations", "calls_failed", "payments_in_flight")}
    print(json.dumps({**sums, "control_found": control["violations"], "control_says": control["found"][:1]}))
    return 1 if sums["violations"] or not control["violations"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
