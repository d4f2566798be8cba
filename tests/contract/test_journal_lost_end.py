"""A journal that lost its end, after the register was enrolled anew: what it holds whole reaches central, and what it leaves open is said."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import structlog
from msgspec.structs import replace

from edge_agent.bootstrap import Agent
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.basket import Basket
from edge_agent.domain.errors import JournalCorrupt, StorageError
from edge_agent.domain.register import Register
from edge_agent.domain.tender import AttemptState, Tender, TenderKind
from edge_agent.hosting import in_process
from edge_agent.ports import EventRow
from edge_agent.service.codec import write_state
from sync.central.serving import EmbeddedCentral
from sync.cipher import open_file
from sync.identity import ALONE
from sync.journal_aside import journals_aside
from tests.contract.test_journal_lost import enrol
from tests.contract.test_other_register import sold
from tests.contract.test_register_with_central import central, enrolled, keys_of  # noqa: F401 - a fixture
from tests.support_central import eventually
from tests.support_journal import KEY, a_commit, an_attempt, open_journal


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Agent]:
    agent = await Agent.start(Config(state=str(folder)), keys_of(folder), SystemClock(), SystemRandom())
    try:
        yield agent
    finally:
        await agent.stop()


async def refused(folder: Path) -> None:
    with pytest.raises(JournalCorrupt) as told:
        async with running(folder):
            pass
    assert told.value.key == "journal_corrupt.tail_lost"


async def cut_short(folder: Path, *commits: object) -> None:
    """A journal of a register in epoch 1 that has ``commits``, and of which the last event is lost."""
    enrol(folder, "1")
    async with running(folder) as agent:
        for commit in commits:
            await agent.journal.commit(commit)  # type: ignore[arg-type] # they are
    older = (folder / "journal.db").read_bytes()
    async with running(folder) as agent:
        await agent.journal.commit(a_commit(events=3))
    (folder / "journal.db").write_bytes(older)
    await refused(folder)
    enrol(folder, "2")


async def test_the_whole_sales_of_a_journal_that_lost_its_end_reach_central(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    central.central.seed("staff", [("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})])
    till, killed = tmp_path / "till", tmp_path / "killed"
    await enrolled(till, central)
    async with running(till) as agent:
        await eventually(lambda: agent.replica.people.operator("1001") is not None, "the staff")
        await asyncio.to_thread(central.stop)
        await sold(agent.journal, 3)
    async with running(till) as agent:
        await agent.till.day.open("1001", 0, "")
        await sold(agent.journal, 1)
        shutil.copytree(till, killed)
    (killed / "journal.db-wal").unlink()
    await refused(killed)
    await asyncio.to_thread(central.start)
    await enrolled(killed, central)
    for start in range(2):
        async with running(killed) as agent:
            await eventually(lambda: central.central.reconcile().sales == 3, "the sales that are whole")
            await eventually(lambda: all(one.head == one.acknowledged for one in agent.journal.streams()), "all is sent")
            assert (agent.journal.verify().problems, agent.core.state.shift, agent.core.state.receipts) == ((), None, 1_000_000)
            assert (await in_process(agent).status()).attention == [], start
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined, report.attention) == (True, 3, 0, [])


async def test_card_payments_of_a_journal_that_lost_its_end_are_said_until_it_is_taken_away(tmp_path: Path) -> None:
    def basket(state: AttemptState, number: int) -> Basket:
        return Basket(f"b{number}", 1, tenders=(Tender(f"t{number}", TenderKind.CARD, 1000, attempts=(an_attempt(f"t{number}", f"w{number}", state),)),))

    unclear, paid, given_up = (basket(state, number) for number, state in enumerate((AttemptState.UNKNOWN, AttemptState.APPROVED, AttemptState.DECLINED)))
    state = Register(basket=unclear, parked=(paid,), suspended=(given_up,))
    await cut_short(tmp_path, a_commit(events=0, snapshot=write_state(state)))
    with structlog.testing.capture_logs() as entries:
        async with running(tmp_path) as agent:
            status = await in_process(agent).status()
            assert agent.core.state.baskets == (), "they may have been sold in the end that is lost"
            (aside,) = journals_aside(tmp_path)
            aside.rename(tmp_path.parent / "kept")
            assert (await in_process(agent).status()).attention == []
    assert len(status.attention) == 2
    assert all("journal.db.aside, a card payment of 10.00 EUR at t1 was not settled" in text for text in status.attention)
    logged = [(entry["amount"], entry["terminal"]) for entry in entries if "a card payment" in entry["event"]]
    assert logged == [("10.00 EUR", "t1")] * 2


async def test_nobody_is_named_any_more_in_the_journal_that_was_moved_aside(tmp_path: Path) -> None:
    attached = replace(a_commit(events=0), events=(EventRow("CustomerAttached", b"{}", "c1", b"Maria"),))
    await cut_short(tmp_path, attached, a_commit(events=0, snapshot=write_state(Register())))
    async with running(tmp_path) as agent:
        assert agent.journal.kept_of(["c1"]) == []
        assert (await in_process(agent).status()).attention == []
    (aside,) = journals_aside(tmp_path)
    db = open_file(aside, keys_of(tmp_path).journal_key())
    assert db.execute("SELECT count(*), (SELECT count(*) FROM person_key) FROM event").fetchone() == (1, 0)
    db.close()


async def test_of_a_damaged_one_the_facts_before_the_damage_are_taken_over_and_the_rest_is_told(tmp_path: Path) -> None:
    await cut_short(tmp_path, *(a_commit(events=0, facts=40) for _ in range(5)))
    file = (tmp_path / "journal.db").read_bytes()
    told = set[tuple[int, bool]]()
    for page in range(5, len(file) // 4096, 6):
        folder = tmp_path.with_name(f"page{page}")
        shutil.copytree(tmp_path, folder)
        (folder / "journal.db").write_bytes(file[: page * 4096 + 99] + bytes([file[page * 4096 + 99] ^ 1]) + file[page * 4096 + 100 :])
        try:
            async with running(folder) as agent:
                assert agent.journal.verify().sound
                facts, attention = len(agent.journal.facts_after("trade", 0, 999, 1 << 24)), (await in_process(agent).status()).attention
        except StorageError:  # found before anything begins: selling stopped, and it is said
            continue
        assert facts == 200 or attention, page
        told.add((facts, bool(attention)))
    assert any(0 < facts < 200 for facts, _ in told), told


@pytest.mark.parametrize(
    ("table", "told"), [("withheld", "Not all facts that were withheld"), ("erasure", "still to be forgotten"), ("sale", ""), ("cursor", "")]
)
async def test_what_stands_beside_the_facts_is_taken_over_or_told_and_names_go_whatever_is_damaged(tmp_path: Path, table: str, told: str) -> None:
    attached = replace(a_commit(events=0, facts=3), events=(EventRow("CustomerAttached", b"{}", "c1", b"Maria"),))
    await cut_short(tmp_path, attached, a_commit(events=0, snapshot=write_state(Register())))
    key = keys_of(tmp_path).journal_key()
    with closing(open_file(tmp_path / "journal.db", key)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    file = bytearray((tmp_path / "journal.db").read_bytes())
    file[(page - 1) * 4096 + 99] ^= 1
    (tmp_path / "journal.db").write_bytes(file)
    async with running(tmp_path) as agent:
        assert len(agent.journal.facts_after("trade", 0, 99, 1 << 20)) == 3
        assert [told in text for text in (await in_process(agent).status()).attention] == ([True] if told else [])
    with closing(open_file(journals_aside(tmp_path)[0], key)) as db:
        assert db.execute("SELECT count(*) FROM person_key").fetchone() == (0,)


async def test_the_one_that_was_moved_aside_last_is_taken_over_also_where_an_earlier_one_was_taken_away(tmp_path: Path) -> None:
    (tmp_path / "journal.db.aside-2").write_bytes(b"an earlier one")
    await cut_short(tmp_path, a_commit(events=0, facts=2))
    async with running(tmp_path) as agent:
        assert len(agent.journal.facts_after("trade", 0, 9, 1 << 20)) == 2
    assert [aside.name for aside in journals_aside(tmp_path)] == ["journal.db.aside-2", "journal.db.aside-3"]


async def test_enrolling_again_helps_also_where_nothing_says_who_began_the_journal(tmp_path: Path) -> None:
    await cut_short(tmp_path, a_commit(events=0, facts=2))
    (tmp_path / "enrolment.begun").unlink()
    await refused(tmp_path)
    enrol(tmp_path, "3")
    async with running(tmp_path) as agent:
        assert len(agent.journal.facts_after("trade", 0, 9, 1 << 20)) == 2


async def test_what_is_told_of_one_that_was_taken_away_is_not_told_of_the_next(tmp_path: Path) -> None:
    await cut_short(tmp_path, a_commit(events=0, facts=2))
    (tmp_path / "journal.db.aside-left").write_text("Only the facts of an older one.")
    async with running(tmp_path) as agent:
        assert (await in_process(agent).status()).attention == []


async def test_a_journal_of_another_key_is_moved_aside_and_hinders_nothing(tmp_path: Path) -> None:
    await cut_short(tmp_path, a_commit(events=0, facts=2))
    with structlog.testing.capture_logs() as entries:
        async with running(tmp_path) as agent:
            assert agent.journal.verify().sound
            assert len(agent.journal.facts_after("trade", 0, 9, 1 << 20)) == 2
        (aside,) = journals_aside(tmp_path)
        for path in tmp_path.glob("journal.db*"):
            if path != aside:
                path.unlink()
        (tmp_path / "journal-key").unlink()
        enrol(tmp_path, "3")
        async with running(tmp_path) as agent:
            assert agent.journal.kept_of(["c1"]) == []
            attention = (await in_process(agent).status()).attention
            assert [any(part in text for text in attention) for part in ("No fact of it", "names in it could not be destroyed", "cannot be read")] == [True] * 3
    assert any("moved aside is damaged" in entry["event"] for entry in entries)


async def test_a_journal_of_which_all_is_lost_leaves_nothing_to_take_over(tmp_path: Path) -> None:
    aside = tmp_path / "journal.db.aside"
    db = open_file(aside, KEY)
    db.execute("PRAGMA user_version = 1")
    db.close()
    async with open_journal(tmp_path) as journal:
        assert (await journal.take_over(aside), journal.identity) == (0, ALONE)
        assert journal.verify().sound
