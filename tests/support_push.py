"""A register's journal with its push, beside the small central of ``tests.support_central``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.ports import Commit, Link, LinkReport
from sync.backoff import Pace
from sync.identity import Identity
from sync.journal import Journal
from sync.push import Push
from tests.support_central import SOURCE, FakeCentral, eventually
from tests.support_journal import a_fact, new_id, open_journal

QUICK = Pace(base=0.002, cap=0.01, idle=5.0, frozen=5.0, withhold=0.02)


class Till:
    """A journal, a central and the push between them."""

    def __init__(self, journal: Journal, central: FakeCentral, pace: Pace = QUICK) -> None:
        self.journal = journal
        self.central = central
        self.reports: list[LinkReport] = []
        self.connector = central.connector()
        self.in_use = False
        self.push = Push(journal, self.connector, SystemClock(), SystemRandom(), self.reports.append, pace, lambda: self.in_use)
        journal.on_facts(self.push.wake)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.push.run())

    async def sell(self, count: int, stream: str = "trade", **data: object) -> None:
        for _ in range(count):
            await self.journal.commit(Commit(new_id(), (), (a_fact(stream, **data),)))

    async def in_step(self, what: str = "everything is acknowledged") -> None:
        await eventually(lambda: all(one.head == one.acknowledged for one in self.journal.streams()) and self.push.report.link is Link.IN_STEP, what)

    def links(self) -> list[tuple[str, str]]:
        """Every (link, reason) told, without repetitions."""
        told = [(report.link.value, report.reason) for report in self.reports]
        return [one for place, one in enumerate(told) if place == 0 or told[place - 1] != one]

    def same_as_central(self) -> None:
        for status in self.journal.streams():
            mine = [wire for _, wire in self.journal.facts_after(status.stream, 0, 10_000, 1 << 30)]
            assert self.central.stream(status.stream).wires == mine
        assert self.journal.verify().problems == ()

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await self.connector.aclose()
        await self.journal.close()


@asynccontextmanager
async def a_till(folder: Path, pace: Pace = QUICK) -> AsyncIterator[Till]:
    journal = open_journal(folder)
    await journal.adopt(Identity(SOURCE, "1"))
    made = Till(journal, FakeCentral(), pace)
    try:
        yield made
    finally:
        await made.stop()


def somebody_freezes_it(till: Till) -> None:
    till.central.frozen = "Stolen"
