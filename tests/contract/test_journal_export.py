"""An export of the whole journal whose reader is slow, or stops: the journal goes on as if there were none, and what is written is one state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from edge_agent import views as v
from edge_agent.client import ServiceUnreachable
from edge_agent.config import Config
from edge_agent.domain.errors import StorageFailed
from edge_agent.journal_reading import journal_export
from edge_agent.ports import Commit, EventRow
from sync.identity import Identity
from sync.journal import Journal
from sync.journal_disk import LOG_BYTES_MAX
from tests.support_api import served
from tests.support_journal import a_commit, new_id, open_journal
from tests.support_shop import register

REGISTER = Identity("/t/acme/s/0001/r/02", "1")


async def filled(journal: Journal) -> None:
    """More than any buffer between a service and its client takes."""
    await asyncio.gather(*(journal.commit(a_commit(events=1, facts=1)) for _ in range(500)))
    for _ in range(40):
        await journal.commit(large())


def large() -> Commit:
    return Commit(new_id(), (EventRow("Large", b'"' + b"x" * 200_000 + b'"'),))


async def test_beside_a_stalled_export_the_log_is_emptied_and_the_journal_verified(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await filled(journal)
        lines = journal.export()
        stalled = [next(lines) for _ in range(300)]
        for _ in range(120):
            await journal.commit(large())
        assert (tmp_path / "journal.db-wal").stat().st_size <= LOG_BYTES_MAX + 1_000_000
        await journal.reopen()  # which empties the log, and is told when something reads it
        assert (tmp_path / "journal.db-wal").stat().st_size <= 1 << 20, "as much of an empty log's file as is kept"
        assert journal.verify().sound
        whole = [*stalled, *lines]
    assert len(whole) == 500 + 540, "facts and events as they were at the beginning"
    assert [json.loads(line)["event"] for line in whole[500:]] == list(range(1, 541))


async def test_facts_that_are_linked_anew_behind_what_was_read_are_of_one_state_and_before_it_end_the_export(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(REGISTER)
        for _ in range(300):
            await journal.commit(a_commit(events=0, facts=1))
        behind, before = journal.export(), journal.export()
        begun = [next(behind), next(before)]
        await journal.withhold("trade", 280, "central cannot take it")
        told = [begun[0], *behind]
        assert [json.loads(line)["sequence"] for line in told] == [f"{number:020d}" for number in range(1, 301)]
        assert told == [wire + b"\n" for _, wire in journal.facts_after("trade", 0, 300, 1 << 30)], "as they are linked now"
        await journal.withhold("trade", 5, "nor this one")
        with pytest.raises(StorageFailed, match="was withheld while the journal was exported"):
            list(before)
        assert journal.stopped is None


@asynccontextmanager
async def stalled_export(plain: httpx.AsyncClient) -> AsyncIterator[httpx.Response]:
    async with plain.stream("GET", "/v1/journal/export") as answer:
        assert answer.status_code == 200
        yield answer


async def test_beside_a_client_that_stops_reading_its_export_the_register_sells_and_is_verified(tmp_path: Path) -> None:
    async with register(tmp_path / "state") as rig, served(rig, "unix_socket", tmp_path) as shop, shop.plain() as plain, shop.client() as client:
        await filled(rig.journal)
        async with stalled_export(plain) as answer:
            assert (await client.verification()).problems == []
            for _ in range(120):
                await rig.journal.commit(large())
            assert (tmp_path / "state" / "journal.db-wal").stat().st_size <= LOG_BYTES_MAX + 1_000_000
            assert await rig.journal.release_ballast()
            await rig.journal.reopen()
            await client.send(v.OpenShift("1001"))
            assert (await client.verification()).problems == []
            assert [piece async for piece in client.journal_export()], "another one is served meanwhile"
            events = [json.loads(line) for line in [line async for line in answer.aiter_lines()] if line.startswith('{"event"')]
            assert [event["event"] for event in events] == list(range(1, len(events) + 1))


def test_an_export_that_breaks_off_is_not_begun_again_from_the_file(tmp_path: Path) -> None:
    class Breaks:
        async def __aenter__(self) -> Breaks:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def journal_export(self) -> AsyncIterator[bytes]:
            yield b"one line\n"
            raise ServiceUnreachable("broken", "api.sock")

    written: list[bytes] = []
    with pytest.raises(StorageFailed, match="not the whole journal: it broke off"):
        journal_export(Config(state=str(tmp_path)), lambda _: Breaks(), written.append)  # type: ignore[arg-type, return-value] # as much of a client as is used
    assert written == [b"one line\n"]
