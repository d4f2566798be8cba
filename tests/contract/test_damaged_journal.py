"""A journal whose file is damaged while the register runs: whatever reads it, selling stops, and goes on only once all of it verifies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import structlog

from edge_agent import views as v
from edge_agent.cli_text import status_lines
from edge_agent.client import AgentClient, ApiProblem
from edge_agent.domain.errors import JournalCorrupt, StorageFailed
from tests.support_api import served
from tests.support_central import eventually
from tests.support_journal import a_commit
from tests.support_shop import Rig, register

COAT = "4006381333931"
PAGE_BYTES = 4096
LONG_AGO = "00000000-0000-7000-8000-000000000001"
"""A command's id that is looked up far from the newest ones, whose page is in the log."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.01)
    monkeypatch.setattr("edge_agent.service.core.VERIFY_AGAIN_SECONDS", 0.01)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A register that sold for some time and was started again, so that what it holds lies in the file and not in a log or a cache."""
    async with register(tmp_path) as before:
        await before.till.day.open("1001", 0, "")
        await asyncio.gather(*(before.journal.commit(a_commit(events=2, facts=1)) for _ in range(500)))
        await before.till.counter.entered(COAT, "")
        await before.till.paying.cash(None, "")
        await before.till.day.close("")
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        yield rig


def damage(folder: Path) -> bytes:
    """Overwrite a part of every page but the first two; what the file was before."""
    path = folder / "journal.db"
    before = path.read_bytes()
    with path.open("r+b") as file:
        for page in range(2, len(before) // PAGE_BYTES):
            file.seek(page * PAGE_BYTES + 100)
            file.write(b"damage")
    return before


async def command_once_more(client: AgentClient) -> None:
    await client.send(v.Enter(COAT))


READS: dict[str, Callable[[AgentClient], Awaitable[object]]] = {
    "a command is looked up": command_once_more,
    "past sales are listed": lambda client: client.sales(""),
    "the newest events are shown": lambda client: client.journal_tail(500),
    "the whole is verified": lambda client: client.verification(),
}


async def test_the_status_answers_and_says_so_while_no_stream_can_be_read(rig: Rig, tmp_path: Path) -> None:
    def unreadable() -> object:
        raise JournalCorrupt("The journal is damaged.", hint="Call IT.", key="journal_corrupt")

    async with served(rig, "in_process", tmp_path) as shop, shop.client() as client:
        good = await client.status()
        assert good.streams
        rig.journal.streams = unreadable
        told = await client.status()
    assert (told.streams, told.register, told.started_ms) == ([], good.register, good.started_ms)
    assert "how many facts wait cannot be read" in "\n".join(status_lines(told))
    assert "no facts wait" in "\n".join(status_lines(good)) or "on disk" in "\n".join(status_lines(good))


@pytest.mark.parametrize("read", READS)
async def test_damage_that_a_read_finds_stops_selling_on_the_screen_through_the_api_and_in_the_log(rig: Rig, tmp_path: Path, read: str) -> None:
    async with served(rig, "in_process", tmp_path) as shop, shop.client(lambda: LONG_AGO) as client:
        damage(tmp_path)
        with structlog.testing.capture_logs() as logged:
            try:
                await READS[read](client)
            except ApiProblem as refused:
                assert refused.problem.key == "journal_corrupt"
            await eventually(lambda: rig.core.desk.stopped is not None, "selling stops")
        snapshot = await client.snapshot()
        assert (snapshot.phase, snapshot.stopped.key, snapshot.notice.key) == ("stopped", "journal_corrupt", "journal_corrupt")
        assert [entry["code"] for entry in logged if entry["event"] == "selling stopped"] == ["journal_corrupt"]
        with pytest.raises(ApiProblem) as refused:
            await client.send(v.Enter(COAT))
        assert refused.value.problem.key == "journal_corrupt"
        assert isinstance(rig.journal.stopped, JournalCorrupt)


async def test_a_damaged_journal_is_taken_up_again_only_when_the_whole_of_it_verifies(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.journal_disk.CHECK_PAGES_BYTES_MAX", 0)  # a file so long that opening does not look at each page
    path = tmp_path / "journal.db"
    before = path.read_bytes()
    place = (len(before) // PAGE_BYTES // 3) * PAGE_BYTES + 100
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"damage")
    assert not (await asyncio.to_thread(rig.journal.verify)).sound
    await eventually(lambda: rig.core.desk.stopped is not None, "selling stops")
    for _ in range(3):
        with pytest.raises(JournalCorrupt):
            await rig.journal.reopen()
    assert rig.core.desk.stopped is not None
    rig.core.stop_selling(StorageFailed("Something else.", hint="Wait."))
    assert isinstance(rig.core.desk.stopped, JournalCorrupt), "waiting does not mend it, and the screen does not say so"
    with path.open("r+b") as file:
        file.seek(place)
        file.write(before[place : place + 6])
    await eventually(lambda: rig.core.desk.stopped is None and rig.journal.stopped is None, "selling comes back")
    await rig.till.counter.entered(COAT, "")
    assert rig.presenter.snapshot().phase == "selling"


async def test_a_read_that_fails_while_the_service_ends_begins_nothing(rig: Rig, tmp_path: Path) -> None:
    damage(tmp_path)
    rig.core.let_go()
    with pytest.raises(JournalCorrupt):
        rig.journal.tail(500)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert rig.core.desk.stopped is None
