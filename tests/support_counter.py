"""A register at work for tests of what goes on at once and of what fails: codes to scan, impatience, and disks that answer late or wrongly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from edge_agent.domain.errors import StorageFailed
from edge_agent.domain.reading import Reading
from edge_agent.domain.register import Register, evolve
from edge_agent.ports import Commit, Committed
from edge_agent.service import paying
from edge_agent.service.codec import read_event, read_state
from tests.support_shop import Rig

COAT, SOCKS, MARIA_CARD, OMAR_CARD = "4006381333931", "4006381333948", "LOY0000000001", "LOY0000000002"
BROKEN = StorageFailed("The disk failed.", hint="Check the disk.")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    for name in ("ABORT_AGAIN_SECONDS", "DISK_SECONDS", "BUG_SECONDS"):
        monkeypatch.setattr(paying, name, 0.01)
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.01)


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def scan(rig: Rig, text: str) -> None:
    await rig.till.scanned(Reading(text.encode(), "scanner", rig.core.ports.clock.now_ms()))


async def opened(rig: Rig) -> None:
    await rig.till.day.open("1001", 10_000, "")


class Gate:
    """The real journal, behind a gate: a commit is written at once, but is answered only when the gate opens."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._commit = rig.refusing.commit
        self.written = asyncio.Event()
        self.open = asyncio.Event()
        rig.refusing.commit = self

    async def __call__(self, commit: Commit) -> Committed:
        done = await self._commit(commit)
        self.written.set()
        await self.open.wait()
        return done

    def leave(self) -> None:
        self.open.set()
        self._rig.refusing.commit = self._commit


class Ambiguous:
    """A disk that writes the next commit and says that it failed."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._commit = rig.refusing.commit
        rig.refusing.commit = self

    async def __call__(self, commit: Commit) -> Committed:
        self._rig.refusing.commit = self._commit
        await self._commit(commit)
        raise BROKEN.again()


def replayed(rig: Rig) -> Register:
    body, stored = rig.journal.load()
    state = read_state(body) if body is not None else Register()
    for event in stored:
        state = evolve(state, read_event(event.row))
    return state
