"""A journal that this version must not touch, and a disk that fills up while nobody sells."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from edge_agent import bootstrap
from edge_agent.bootstrap import Agent, keys_of
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.errors import DiskFull, StorageError, StorageFailed
from sync.contract.messages import Enrolled
from sync.enrolment import Enrolment, save
from sync.journal_facts import CENTRAL
from tests.support_central import eventually
from tests.support_journal import a_commit, open_journal, raw, small_disk


async def test_a_journal_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit("one"))
    with raw(tmp_path) as db:
        db.execute("INSERT INTO _sqlite_migrations(migration_set, name, applied_at) VALUES ('journal', 'm999_of_tomorrow', '2030-01-01')")
        db.execute("ALTER TABLE event ADD COLUMN novel TEXT")
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(StorageFailed, match="newer version") as told:
        open_journal(tmp_path)
    assert told.value.reason == "newer_version"
    assert "m999_of_tomorrow" in told.value.message
    assert (tmp_path / "journal.db").read_bytes() == before


async def test_a_disk_that_fills_up_while_nobody_sells_is_said_and_selling_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "JOURNAL_WATCH_SECONDS", 0.01)
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.05)
    with small_disk(tmp_path / "disk", kilobytes=12_000) as folder:
        config, clock, random = Config(state=str(folder)), SystemClock(), SystemRandom()
        save(folder, Enrolment("http://127.0.0.1:9", Enrolled("acme", "0001", "Berlin", "02", "1", "token", "DE", 1)))
        agent = await Agent.start(config, keys_of(config, random), clock, random)
        try:
            filler = folder / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(1024)):
                    pass
            with contextlib.suppress(StorageError):
                for number in range(2, 500):
                    await agent.journal.acknowledge(CENTRAL, {"ops": 1 + number % 2})
            await eventually(lambda: isinstance(agent.core.desk.stopped, DiskFull), "the screen says that the disk is full")
            assert agent.presenter.snapshot().phase == "stopped"
            filler.unlink()
            await eventually(lambda: agent.core.desk.stopped is None and agent.journal.stopped is None, "selling comes back")
        finally:
            await agent.stop()
    await asyncio.sleep(0)
