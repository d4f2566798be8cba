"""What a register counts its receipts from on a PC that was another register before: no code comes twice, and whatever looks at the journal is content."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.bootstrap import Agent, keys_of
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain import commands as do
from edge_agent.domain.errors import JournalCorrupt, StorageFailed
from edge_agent.domain.events import SaleCompleted
from edge_agent.domain.register import Register
from edge_agent.hosting import in_process
from edge_agent.opening import open_journal
from edge_agent.ports import Commit, Committed
from edge_agent.service.codec import read_state, write_state
from sync.cipher import Connection, open_file
from sync.contract.messages import Enrolled
from sync.enrolment import Enrolment, save
from sync.journal import Journal
from sync.journal_read import JournalReader
from tests.support_central import eventually
from tests.support_journal import a_commit
from tests.support_register import AYSE, COAT, OFFERS, pieces


def enrol(folder: Path, register: str, epoch: str, tenant: str = "acme") -> Enrolment:
    enrolment = Enrolment("http://127.0.0.1:9", Enrolled(tenant, "0001", "Berlin", register, epoch, "token", "DE", 1))
    folder.mkdir(exist_ok=True)
    save(folder, enrolment)
    return enrolment


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Agent]:
    config, random = Config(state=str(folder)), SystemRandom()
    agent = await Agent.start(config, keys_of(config, random), SystemClock(), random)
    try:
        yield agent
    finally:
        await agent.stop()


async def sold(agent: Agent, count: int) -> list[str]:
    """So many coats for cash: their receipts' codes."""
    if agent.core.state.shift is None:
        await agent.core.do(do.OpenShift(AYSE, 0))
    codes = []
    for _ in range(count):
        await agent.core.do(do.AddArticle(COAT, OFFERS["COAT"], pieces(1)))
        await agent.core.do(do.PayCash(None))
        codes.append(agent.core.desk.last_sale.receipt)
    return codes


async def as_register(folder: Path, register: str, epoch: str, count: int, tenant: str = "acme") -> list[str]:
    """Start, as that register, sell, and start again, with the journal verified whole each time: the codes, those of this journal newest first."""
    enrol(folder, register, epoch, tenant)
    async with running(folder) as agent:
        assert agent.journal.verify().problems == ()
        before = await listed(agent)
        codes = await sold(agent, count)
        assert agent.journal.verify().problems == ()
        assert await listed(agent) == [*reversed(codes), *before]
    async with running(folder) as agent:
        assert agent.core.desk.last_sale.receipt == (codes or before[::-1])[-1]
        assert agent.journal.verify().problems == ()
    return codes


async def listed(agent: Agent) -> list[str]:
    return [sale.receipt for sale in await in_process(agent).sales("")]


def file_of(folder: Path) -> Connection:
    return open_file(folder / "journal.db", keys_of(Config(state=str(folder)), SystemRandom()).journal_key())


async def test_a_pc_that_becomes_another_register_counts_from_where_that_one_begins_and_no_code_comes_twice(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    codes = await as_register(here, "02", "3", 2)
    assert codes == ["R-0001-02-2000001", "R-0001-02-2000002"]
    second = await as_register(here, "03", "2", 3)
    assert second == ["R-0001-03-1000001", "R-0001-03-1000002", "R-0001-03-1000003"]
    again = await as_register(here, "02", "4", 1)
    assert again == ["R-0001-02-3000001"]
    assert await as_register(here, "03", "5", 1) == ["R-0001-03-4000001"]
    assert await as_register(there, "03", "3", 1) == ["R-0001-03-2000001"], "its next epoch, on another PC"


@pytest.mark.parametrize("epoch", ["1000", "1001"])
async def test_a_register_that_a_pc_is_again_goes_on_behind_what_it_used_there(tmp_path: Path, epoch: str) -> None:
    """Of its late epochs, which share their numbers, none begins behind the others."""
    assert await as_register(tmp_path, "02", "999", 2) == ["R-0001-02-998000001", "R-0001-02-998000002"]
    assert await as_register(tmp_path, "03", "1", 1) == ["R-0001-03-000001"]
    assert await as_register(tmp_path, "03", "2", 1) == ["R-0001-03-1000001"], "the same one counts on"
    assert await as_register(tmp_path, "02", epoch, 2) == ["R-0001-02-998000003", "R-0001-02-998000004"]


async def test_a_state_that_does_not_say_whose_receipts_it_counts_counts_those_of_the_register_that_the_journal_is(tmp_path: Path) -> None:
    assert await as_register(tmp_path, "02", "1", 2) == ["R-0001-02-000001", "R-0001-02-000002"]
    db = file_of(tmp_path)
    assert read_state(db.execute("SELECT snapshot FROM state").fetchone()[0]).receipt_codes == ""
    db.close()
    assert await as_register(tmp_path, "03", "1", 1) == ["R-0001-03-000001"]


async def test_whose_receipts_are_counted_is_kept_also_where_both_begin_alike(tmp_path: Path) -> None:
    for register in ("02", "03"):
        enrol(tmp_path, register, "3")
        async with running(tmp_path) as agent:
            assert (agent.core.state.receipts, agent.core.state.receipt_codes) == (2_000_000, f"R-0001-{register}-")


async def test_what_was_counted_before_a_register_was_enrolled_is_its_own(tmp_path: Path) -> None:
    await counted(tmp_path, enrol(tmp_path, "02", "1"), a_commit(events=0, snapshot=write_state(Register(receipts=41))))
    assert await as_register(tmp_path, "02", "1", 1) == ["R-0001-02-000042"]


@pytest.mark.parametrize("sales", [0, 1])
async def test_registers_whose_names_begin_alike_do_not_count_together(tmp_path: Path, sales: int) -> None:
    assert len(await as_register(tmp_path, "02-7", "999", 2)) == 2
    assert await as_register(tmp_path, "02", "1", sales) == ["R-0001-02-000001"][:sales]
    assert await as_register(tmp_path, "02-7", "1000", 1) == ["R-0001-02-7-998000003"]


async def test_a_register_of_another_company_with_the_same_codes_goes_on_behind_them(tmp_path: Path) -> None:
    assert await as_register(tmp_path, "02", "2", 1) == ["R-0001-02-1000001"]
    assert await as_register(tmp_path, "02", "1", 1, tenant="other") == ["R-0001-02-1000002"]


async def test_a_start_that_was_cut_short_before_the_pc_was_the_other_register_mixes_no_counts(tmp_path: Path) -> None:
    await as_register(tmp_path, "02", "3", 2)
    for register, epoch, first in (("02", "3", "R-0001-02-2000003"), ("03", "2", "R-0001-03-1000001")):
        for _ in range(2):
            await counted(tmp_path, enrol(tmp_path, "03", "2"))
        assert await as_register(tmp_path, register, epoch, 1) == [first]


async def counted(folder: Path, enrolment: Enrolment, *commits: Commit) -> None:
    """As far as a start came that ended before the journal was that register's, with ``commits`` in it."""
    config, random = Config(state=str(folder)), SystemRandom()
    journal, _ = await open_journal(folder, enrolment.identity, keys_of(config, random), SystemClock(), random)
    for commit in commits:
        await journal.commit(commit)
    assert journal.verify().problems == ()
    await journal.close()


async def test_what_was_written_after_all_is_told_as_the_sale_that_it_is_though_an_earlier_register_counted_further(tmp_path: Path) -> None:
    await as_register(tmp_path, "02", "3", 2)
    enrol(tmp_path, "03", "1")
    async with running(tmp_path) as agent:
        await sold(agent, 1)
        told: list[str] = []
        agent.core.on_events = lambda events: told.extend(event.sale.receipt for event in events if isinstance(event, SaleCompleted))
        agent.core.ports = replace(agent.core.ports, journal=LosesAnswers(agent.journal))
        with pytest.raises(StorageFailed):
            await sold(agent, 1)
        await eventually(lambda: agent.core.desk.stopped is None and bool(told), "selling to go on")
        assert told == [agent.core.desk.last_sale.receipt] == ["R-0001-03-000002"]


class LosesAnswers:
    """A journal that writes a sale, and says that it did not."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def commit(self, commit: Commit) -> Committed:
        done = await self._journal.commit(commit)
        if commit.sales:
            raise StorageFailed("The disk did not answer.", hint="Wait.")
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)


async def test_a_count_that_is_below_what_the_register_used_is_found(tmp_path: Path) -> None:
    await as_register(tmp_path, "02", "3", 2)
    await as_register(tmp_path, "03", "2", 1)
    assert changed_state(tmp_path, receipts=1_000_000) == "The register's state counts 1000000 receipts, expected at least 1000001: the last sale's number."
    assert changed_state(tmp_path, receipts=1_000_001) == ""
    # behind the sales of the other one
    assert changed_state(tmp_path, receipts=2_000_001, receipt_codes="R-0001-02-").endswith("counts 2000001 receipts, but R-0001-02-2000002 came before.")
    assert changed_state(tmp_path, receipts=2_000_002, receipt_codes="R-0001-02-") == ""


def changed_state(folder: Path, **changes: object) -> str:
    """What a verification says of the state with these ``changes``."""
    db = file_of(folder)
    (body,) = db.execute("SELECT snapshot FROM state").fetchone()
    db.execute("UPDATE state SET snapshot = ?", (write_state(replace(read_state(body), **changes)),))
    db.close()
    reader = JournalReader.open(folder, keys_of(Config(state=str(folder)), SystemRandom()).journal_key())
    try:
        problems: Sequence[str] = reader.verify().problems
    finally:
        reader.close()
    return "; ".join(problems)


@pytest.mark.parametrize("whose", ["its first sale", "its second sale"])
async def test_sales_whose_events_are_gone_are_found_though_the_register_before_counted_further(tmp_path: Path, whose: str) -> None:
    await as_register(tmp_path, "02", "3", 2)
    await as_register(tmp_path, "03", "1", 1 if whose == "its first sale" else 2)
    db = file_of(tmp_path)
    (last,) = db.execute("SELECT max(position) FROM event WHERE type = 'SaleCompleted'").fetchone()
    db.execute("DELETE FROM event WHERE position >= ?", (last,))
    db.execute("DELETE FROM command WHERE position >= ?", (last,))
    db.execute("DELETE FROM state")
    db.close()
    (tmp_path / "journal.db-high").unlink()
    with pytest.raises(JournalCorrupt, match=r"The list of sales goes on to R-0001-03-00000[12], "):
        async with running(tmp_path):
            pass
