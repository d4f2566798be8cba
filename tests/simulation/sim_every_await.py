"""One short history of a register, which dies at every step of it: ``python -m tests.simulation.sim_every_await [--every 1] [--bug NAME]``.

The history: a customer taps, brings their web cart and an article, and goes to fetch something (the basket is suspended); somebody else pays in
cash; the first one is back and pays a part by card and the rest in cash; central has it all. Its steps (a task that goes on behind an await) are
counted, starting the service among them. Then it is lived again for each of them, and the service dies exactly there; every second time it dies
once more while it starts again. The associate goes on by what is seen on the screen, and in the end everything is compared with everything.
Prints one line of JSON; exit 1 on any violation. Control, where every step is taken: a fact that has a commit of its own must be found out.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_agent.domain import commands as do
from edge_agent.domain.reading import TagKind
from edge_agent.domain.tender import OPEN, AttemptState, TenderKind
from edge_agent.service.codec import read_sale
from tests.simulation.disk_watch import shared
from tests.simulation.sim_associate import SCANS, Associate
from tests.simulation.sim_audit import audit
from tests.simulation.sim_bugs import PLANTED
from tests.simulation.sim_day import DIED, apart, in_step, opened, run_world
from tests.simulation.sim_pc import Gone
from tests.simulation.sim_world import Faults, World
from tests.support_shop import MARIA_KNOWN

SEED = 0
CONTROL = "numbers_facts_after_the_commit"
"""It shows at two of all the steps: between a sale's commit and that of its fact."""
STEPS_MAX = 10**9
AGAIN_STEPS = 61
"""A second death comes within so many steps of the next start, which has about as many."""
PART_MINOR = 5_000
TRIES_MAX = 20
HISTORY_SECONDS_MAX = 2 * 3_600.0
IN_STEP_SECONDS_MAX = 3_600.0


class Scripted(Associate):
    """Does the same in every life: each act is looked for on the screen, and done again until it is there."""

    async def history(self) -> None:
        await self.command("open", lambda till, id: till.day.open("1003", 10_000, id))
        await self._tapped()
        await self.command("cart", lambda till, id: till.clienteling.load("", id))
        await self._scanned(SCANS[0], 1)
        await self._scanned(SCANS[1], 2)
        await self.command("suspend", lambda till, id: till.set_aside(do.Suspend(""), id))
        await self._scanned(SCANS[1], 1)
        await self._cash_for_the_rest()
        await self.back_up()
        held = self._state.suspended[0].id
        await self.command("recall", lambda till, id: till.recall(held, id))
        await self._card_for_a_part()
        await self._cash_for_the_rest()

    async def _tapped(self) -> None:
        for _ in range(TRIES_MAX):
            with suppress(Gone):  # what became of it is seen below
                await self.tap(TagKind.FIXED_UID, b"04A1B2C3D4E5F6", MARIA_KNOWN.id)
            await self.back_up()
            if self._basket is not None and self._basket.customer is not None:
                return
        self.told.violations.append("a tap never names its customer")

    async def _scanned(self, code: bytes, pieces: int) -> None:
        for _ in range(TRIES_MAX):
            await self.back_up()
            if self._pieces() == pieces:
                return
            with suppress(Gone):
                await self.scan(code)
        self.told.violations.append(f"{TRIES_MAX} scans never made {pieces} pieces")

    async def _cash_for_the_rest(self) -> None:
        await self.back_up()
        basket, receipts = self._basket, self._state.receipts
        assert basket is not None
        rest = self._rest(basket)
        await self.command("cash", lambda till, id: till.paying.cash(None, id))
        self.told.cash_minor += rest
        await self._sold(basket.id, receipts)

    async def _card_for_a_part(self) -> None:
        """Until the terminal takes it: its customer may think otherwise."""
        for _ in range(TRIES_MAX):
            await self.back_up()
            assert self._basket is not None
            if any(tender.kind is TenderKind.CARD and tender.settled_minor for tender in self._basket.tenders):
                return
            if self._basket.open_attempt is None:
                await self.command("card", lambda till, id: till.paying.card(PART_MINOR, id))
            await self._settled()
        self.told.violations.append("no card payment ever comes to a good end")

    async def _settled(self) -> None:
        while True:
            await self.back_up()
            attempt = self._basket.open_attempt if self._basket is not None else None
            if attempt is None or attempt.state not in OPEN:
                return
            if attempt.state is AttemptState.NEEDS_REVIEW:
                await self._review(attempt.id)
            await asyncio.sleep(0.5)


async def lived(world: World, dies_at: int, dies_again_at: int | None) -> dict[str, Any]:
    """The history with a death at that step, and at that one of the next start; what was found, and how many steps the first life had."""
    central, terminal, pc = await opened(world)
    await pc.boot(dies_at)
    first = pc.life
    if dies_again_at is not None:
        pc.dies_again_at = dies_again_at
    associate = Scripted(world, pc, terminal)
    try:
        async with asyncio.timeout(HISTORY_SECONDS_MAX):
            await associate.history()
    except TimeoutError:
        return {"violations": [*associate.told.violations, "the history never comes to its end"]}
    until = world.loop.time() + IN_STEP_SECONDS_MAX
    while not in_step(pc) and world.loop.time() < until:
        await associate.back_up()
        await asyncio.sleep(1.0)
    steps = dies_at - first.steps_left if first is not None and first.alive and first.steps_left is not None else None
    if pc.life is not None:
        pc.life.steps_left = None
    await associate.back_up()
    await associate.tidy_up()
    found = audit(world, pc, central, terminal, associate.told)
    assert pc.journal is not None
    return {**found, "lived": steps, "books": sorted(read_sale(row).totals.total_minor for row in pc.journal.sales("", 100))}


def once(dies_at: int, dies_again_at: int | None = None, bug: str = "", base: Path | None = None) -> dict[str, Any]:
    """One life of it in a process of its own."""
    found = apart(lambda: run_world(SEED, lambda world: lived(world, dies_at, dies_again_at), Faults(off=True), base), bug)
    return found or {"violations": [DIED], "happened": {}, "hash": ""}


def deaths(steps: Sequence[int], books: list[int], bug: str = "", enough: int = 0) -> dict[str, Any]:
    """A life for each death; what came of them together. Ends early after ``enough`` violations."""
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None  # memory: a simulated disk need not be synced
    totals: Counter[str] = Counter()
    digest, wrong = hashlib.sha256(), list[str]()
    for step in steps:
        found = once(step, step % AGAIN_STEPS if step % 2 else None, bug, base)
        digest.update(found["hash"].encode())
        totals.update({"faults": found["happened"].get("register killed", 0), "lives": 1, "sales": found.get("sales", 0), "facts": found.get("facts", 0)})
        wrong += [f"step {step}: {violation}" for violation in found["violations"]]
        if not found["violations"] and found["books"] != books:
            wrong.append(f"step {step}: sold {found['books']}, expected {books}")
        if not bug and not found["happened"].get("register killed"):  # a bug may make the history shorter
            wrong.append(f"step {step} was not reached")
        if enough and len(wrong) >= enough:
            break
    return {"hash": digest.hexdigest(), "wrong": wrong, **totals}


def undisturbed() -> tuple[int, list[int]]:
    """How many steps the history has when nothing happens to it, and what it sells."""
    found = once(STEPS_MAX)
    assert not found["violations"], found
    assert not found["happened"], found
    return int(found["lived"]), list(found["books"])


def _share(job: tuple[Sequence[int], list[int], str]) -> dict[str, Any]:
    steps, books, bug = job
    return deaths(steps, books, bug)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.sim_every_await", description="A register that dies at every step of a short history.")
    parser.add_argument("--every", type=int, default=1, help="Only every so many-th step.")
    parser.add_argument("--jobs", type=int, default=2, help="Processes side by side.")
    parser.add_argument("--bug", default="", choices=["", *PLANTED], help="Plant a bug, to see it found.")
    said = parser.parse_args(words)
    count, books = undisturbed()
    steps = range(0, count, said.every)
    parts = shared(_share, [(steps[at :: said.jobs], books, said.bug) for at in range(said.jobs)], said.jobs)
    wrong = [line for part in parts for line in part["wrong"]]
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    sums = {name: sum(part.get(name, 0) for part in parts) for name in ("faults", "lives", "sales", "facts")}
    control = deaths(steps, books, CONTROL, enough=1)["wrong"] if said.every == 1 and not said.bug else ["not asked for"]
    digest = hashlib.sha256("".join(part["hash"] for part in parts).encode()).hexdigest()
    print(json.dumps({"faults": sums.pop("faults"), "violations": len(wrong), "steps": count, **sums, "control_says": control[:1], "hash": digest}))
    return 1 if wrong or not control else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
