"""A customer whom central deletes, or whom IT has forgotten, is gone from the journal for good; what was sold to them still verifies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from edge_agent.bootstrap import Agent
from edge_agent.client import AgentClient
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.basket import AttachedCustomer
from edge_agent.domain.errors import DiskFull
from edge_agent.domain.events import BasketOpened, CustomerAttached
from edge_agent.ports import Commit, EventRow
from edge_agent.service.codec import event_row
from sync import replica_people
from sync.central.serving import EmbeddedCentral
from sync.erasures import BATCH, Erasures, noted_in
from sync.feed_store import Applied, FeedLine
from sync.journal import Journal
from sync.journal_person import KEPT, UNLINK
from sync.replica import Replica
from tests.contract.test_register_with_central import central, enrolled, keys_of  # noqa: F401 - a fixture
from tests.support_central import eventually
from tests.support_command_line import configured, edge_agent
from tests.support_counter import COAT, opened, scan
from tests.support_enrolled import customer_row
from tests.support_journal import KEY, a_sale, completed, open_journal, plain_pages, raw
from tests.support_register import MARIA
from tests.support_replica import FixedClock, at, customer, gone, put, quiet
from tests.support_shop import register


def about(person: str, name: str) -> EventRow:
    return EventRow("CustomerAttached", b"{}", person, name.encode())


async def names(journal: object) -> list[bytes]:
    return [event.row.personal for event in journal.tail(10)]


async def carried_out(journal: Journal, replica: Replica, forget: Callable[[Sequence[str]], Awaitable[object]] | None = None) -> None:
    """Run the duty until nobody is left to forget."""
    duty = asyncio.create_task(Erasures(journal, replica.people.knows, forget or (lambda keys: journal.forget(*keys)), 0.01).run())
    try:
        async with asyncio.timeout(10):
            while journal.erasures("", 1):
                await asyncio.sleep(0.005)
    finally:
        duty.cancel()
        await asyncio.gather(duty, return_exceptions=True)


@contextmanager
def copy_of(folder: Path, journal: Journal) -> Iterator[Replica]:
    """A local copy whose deletions are kept in ``journal``."""
    made = Replica(folder / "copy", KEY, FixedClock(), deleted=noted_in(journal, asyncio.get_running_loop()))
    try:
        yield made
    finally:
        made.close()


async def applied(replica: Replica, cursor: str, *lines: FeedLine) -> Applied:
    """A page comes in, on a thread as in life."""
    return await asyncio.to_thread(replica.apply, "customers", lines, at(cursor))


async def replaced(replica: Replica, cursor: str, lines: Iterable[FeedLine]) -> Applied:
    """A whole copy comes in."""
    return await asyncio.to_thread(replica.replace, "customers", lines, lambda: at(cursor), quiet)


# --- what central deletes --------------------------------------------------------------------------------------------------------


async def test_a_tombstone_destroys_the_persons_key_also_one_of_before_the_start(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            await applied(replica, "1", put("k1", customer("k1", "Anna Berg")), put("k2", customer("k2", "Bela Cho")))
            await journal.commit(Commit("a", (about("k1", "Anna Berg"), about("k2", "Bela Cho"))))
            await journal.commit(Commit("b", (about("k3", "Cem Dal"),)))
            await applied(replica, "2", gone("k1"), gone("k3"), gone("never-here"))
    async with open_journal(tmp_path) as journal:  # the service ended before anybody looked
        with copy_of(tmp_path, journal) as replica:
            await carried_out(journal, replica)
            assert await names(journal) == [b"", b"Bela Cho", b""]
            await applied(replica, "3", gone("k1"))  # told twice
            await carried_out(journal, replica)
            assert await names(journal) == [b"", b"Bela Cho", b""]
            assert journal.verify().sound


@pytest.mark.parametrize("lost", ["another schema", "damaged"])
async def test_who_is_to_be_forgotten_outlives_a_copy_that_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            await applied(replica, "1", put("k1", customer("k1", "Anna Berg")))
            await journal.commit(Commit("a", (about("k1", "Anna Berg"),)))
            await applied(replica, "2", gone("k1"))
    if lost == "damaged":
        (tmp_path / "copy" / "people.db").write_bytes(bytes(8192))
    else:
        monkeypatch.setattr(replica_people, "SCHEMA", replica_people.SCHEMA + 1)  # what an update does
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            assert replica.state("customers").cursor is None
            await carried_out(journal, replica)
            assert await names(journal) == [b""]


async def test_no_page_of_the_file_or_its_log_holds_the_key_of_whom_it_forgot(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(Commit("a", (about("k1", "Anna Berg"), about("k2", "Bela Cho"))))
        await journal.reopen()  # the log is copied into the file
        with raw(tmp_path) as db:
            mine, other = (bytes(row[0]) for row in db.execute("SELECT key FROM person_key ORDER BY person"))
        held = b"".join(plain_pages(tmp_path / "journal.db"))
        assert (mine in held, other in held) == (True, True)
        await journal.forget("k1")
        held = b"".join(plain_pages(tmp_path / "journal.db"))
        assert (mine in held, other in held) == (False, True)


class PowerCut(BaseException):
    """What ends a page half way."""


@pytest.mark.parametrize("moment", ["before it is noted", "after it is noted"])
async def test_a_deletion_is_not_lost_by_a_service_that_dies_on_it(tmp_path: Path, moment: str) -> None:
    async with open_journal(tmp_path) as journal:
        note = noted_in(journal, asyncio.get_running_loop())

        def dying(keys: Sequence[str], back: Sequence[str]) -> None:
            if keys and moment == "after it is noted":
                note(keys, back)
            if keys:
                raise PowerCut

        dies = Replica(tmp_path / "copy", KEY, FixedClock(), deleted=dying)
        await applied(dies, "1", put("k1", customer("k1", "Anna Berg")))
        await journal.commit(Commit("a", (about("k1", "Anna Berg"),)))
        with pytest.raises(PowerCut):
            dies.apply("customers", [gone("k1")], at("2")) if moment == "before it is noted" else await applied(dies, "2", gone("k1"))
        dies.close()
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            assert replica.state("customers").cursor == "1"  # central is asked for the page again
            assert list(journal.erasures("", 9)) == (["k1"] if moment == "after it is noted" else [])
            await applied(replica, "2", gone("k1"))
            await carried_out(journal, replica)
            assert await names(journal) == [b""]


async def test_whom_the_copy_still_has_is_forgotten_once_their_tombstone_is_in(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            await applied(replica, "1", *(put(key, customer(key, "Anna Berg")) for key in ("k1", "k2")))
            await journal.commit(Commit("a", (about("k1", "Anna Berg"),)))
            await journal.note_erasures(["k1"])  # and the page is just coming in
            await journal.note_erasures(["k0"])
            forgotten: list[str] = []

            async def forget(keys: Sequence[str]) -> None:
                forgotten.extend(keys)

            duty = Erasures(journal, replica.people.knows, forget)
            running = asyncio.create_task(duty.run())
            await eventually(lambda: list(journal.erasures("", 9)) == ["k1"], "k0 is forgotten, k1 waits")
            await applied(replica, "2", gone("k1"))
            duty.wake()
            await eventually(lambda: not journal.erasures("", 9), "now they are")
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert forgotten == ["k0", "k1"]


async def test_a_page_is_not_in_while_the_journal_does_not_take_its_deletions(tmp_path: Path) -> None:
    def full(keys: Sequence[str], back: Sequence[str]) -> None:
        if keys:
            raise DiskFull("No room.", hint="Make room.")

    replica = Replica(tmp_path / "copy", KEY, FixedClock(), deleted=full)
    await applied(replica, "1", put("k1", customer("k1", "Anna Berg")))
    with pytest.raises(DiskFull):
        await applied(replica, "2", gone("k1"))
    assert (replica.state("customers").cursor, replica.people.knows("k1")) == ("1", True)
    replica.close()


async def test_who_is_missing_in_a_whole_copy_goes_from_the_copy_and_is_not_forgotten(tmp_path: Path) -> None:
    rows = [put(key, customer(key, name)) for key, name in (("k1", "Anna Berg"), ("k2", "Bela Cho"), ("k3", "Cem Dal"))]
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            await replaced(replica, "1", rows)
            await journal.commit(Commit("a", (about("k1", "Anna Berg"), about("k2", "Bela Cho"))))
            unreadable = put("k3", {"id": "k3"})  # central has them, in a form that this version cannot read
            done = await replaced(replica, "2", [unreadable, gone("k2")])  # from a backup of before k1 was there; k2 it has deleted
            assert (list(journal.erasures("", 9)), done.refused) == (["k2"], 1)
            assert [replica.people.customer(key) is not None for key in ("k1", "k2", "k3")] == [False, False, True]
            assert replica.people.find("Anna", 5) == []
            await replaced(replica, "3", [])  # a central in which nobody is yet
            assert (list(journal.erasures("", 9)), replica.people.customer("k3")) == (["k2"], None)
            await carried_out(journal, replica)
            assert await names(journal) == [b"Anna Berg", b""]


@pytest.mark.parametrize("nothing", [b"null", b""])
async def test_a_row_without_anything_to_put_is_left_out_and_deletes_nobody(tmp_path: Path, nothing: bytes) -> None:
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            await applied(replica, "1", put("k1", customer("k1", "Anna Berg")))
            empty = FeedLine("put", "k1", 2, msgspec.Raw(nothing))
            done = await applied(replica, "2", empty)
            assert (done.rows, done.refused, list(journal.erasures("", 9))) == (1, 1, [])
            assert (await replaced(replica, "3", [empty])).refused == 1
            kept = replica.people.customer("k1")
            assert kept is not None
            assert kept.name == "Anna Berg"


async def test_whoever_comes_back_before_it_was_seen_to_is_not_forgotten(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            anna = put("k1", customer("k1", "Anna Berg"))
            await applied(replica, "1", anna, gone("k1"), anna)
            assert list(journal.erasures("", 9)) == []
            await applied(replica, "2", gone("k1"), gone("k2"))
            assert list(journal.erasures("", 9)) == ["k1", "k2"]
            await applied(replica, "3", anna)
            assert list(journal.erasures("", 9)) == ["k2"]


async def test_a_journal_that_refuses_is_asked_again(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        with copy_of(tmp_path, journal) as replica:
            await applied(replica, "1", gone("k1"))
            asked: list[Sequence[str]] = []

            async def forget(keys: Sequence[str]) -> None:
                asked.append(keys)
                if len(asked) < 3:
                    raise DiskFull("No room.", hint="Make room.")

            await carried_out(journal, replica, forget)
            assert asked == [["k1"]] * 3


async def attached_to_the_basket(tmp_path: Path, central: EmbeddedCentral) -> Agent:  # noqa: F811 - the fixture
    """A register at whose counter customer c1 stands."""
    central.central.seed("customers", [("c1", customer_row("c1"))])
    central.central.seed("staff", [("s1", {"id": "s1", "name": "Ayse", "badge": "1001", "rights": []})])
    await enrolled(tmp_path / "till", central)
    agent = await Agent.start(Config(state=str(tmp_path / "till")), keys_of(tmp_path / "till"), SystemClock(), SystemRandom())
    await eventually(lambda: agent.replica.people.customer("c1") is not None and agent.replica.people.operator("1001") is not None, "the copies")
    await agent.till.day.open("1001", 0, "")
    await agent.till.clienteling.chosen("c1", "")
    assert b"Ada Example" in await names(agent.journal)
    return agent


async def test_a_register_forgets_whom_its_central_deletes(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811 - the fixture
    agent = await attached_to_the_basket(tmp_path, central)
    try:
        central.central.seed("customers", [("c1", None)])
        await eventually(lambda: b"Ada Example" not in [event.row.personal for event in agent.journal.tail(10)], "she is forgotten")
        await eventually(lambda: agent.presenter.snapshot().customer is None, "nobody stands at the counter")
        assert agent.journal.verify().sound
    finally:
        await agent.stop()


async def test_who_was_deleted_while_the_copy_was_lost_is_forgotten_by_the_next_copy(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    agent = await attached_to_the_basket(tmp_path, central)
    await agent.stop()
    central.central.seed("customers", [("c1", None)])
    for file in (tmp_path / "till").glob("people.db*"):
        file.unlink()
    agent = await Agent.start(Config(state=str(tmp_path / "till")), keys_of(tmp_path / "till"), SystemClock(), SystemRandom())
    try:
        await eventually(lambda: b"Ada Example" not in [event.row.personal for event in agent.journal.tail(10)], "she is forgotten")
        await eventually(lambda: agent.core.state.basket.customer is None, "the basket is nobody's")
    finally:
        await agent.stop()


# --- at the counter --------------------------------------------------------------------------------------------------------------


async def test_the_counter_does_not_wait_while_people_are_forgotten_of_whom_nothing_is_kept(tmp_path: Path) -> None:
    async with register(tmp_path) as rig, asyncio.timeout(30):
        await opened(rig)
        looked, kept_of, going_on = threading.Event(), rig.journal.kept_of, threading.Event()

        def slowly(persons):
            looked.set()
            going_on.wait(20)
            return kept_of(persons)

        rig.core.ports.journal.kept_of = slowly
        forgetting = asyncio.create_task(rig.core.forget([f"never-here-{number}" for number in range(BATCH)]))
        await asyncio.to_thread(looked.wait)
        await scan(rig, COAT)
        assert (len(rig.core.state.basket.lines), forgetting.done()) == (1, False)
        going_on.set()
        assert not await forgetting


async def test_who_bought_is_found_by_the_index_and_not_in_every_sale(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        mine, other = a_sale(1, customer="k1"), a_sale(2, customer="k2")
        await journal.commit(Commit("a", (completed(mine), completed(other)), sales=[mine, other]))
        assert sorted(journal.kept_of(["k1", "k2", "k3"])) == ["k1", "k2"]
        assert await journal.forget("k1", "k3")
        assert [journal.sale(sale.id).customer for sale in (mine, other)] == ["", "k2"]
        assert journal.kept_of(["k1", "k2", "k3"]) == ["k2"]
    with raw(tmp_path) as db:
        for statement in (UNLINK, KEPT):
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", ("k1" if statement is UNLINK else '["k1"]',))]
            about_sales = [step for step in plan if "sale" in step]
            assert about_sales, plan
            assert all(step.startswith("SEARCH sale USING") and "INDEX sale_customer" in step for step in about_sales), plan


# --- by hand ---------------------------------------------------------------------------------------------------------------------


async def test_the_running_service_forgets_and_says_whether_central_still_publishes_them(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await rig.till.clienteling.chosen(MARIA.id, "")
        ids = ClockIds(SystemClock(), SystemRandom())
        async with AgentClient(httpx.ASGITransport(await rig.api()), new_id=ids) as client:
            first, second = await client.journal_forget(MARIA.id), await client.journal_forget(MARIA.id)
            assert (first.known, first.in_copy, second.known) == (True, True, False)
        assert MARIA.name.encode() not in await names(rig.journal)
        assert rig.journal.verify().sound


async def test_without_a_service_the_command_forgets_in_the_files_and_leaves_how_the_service_ended(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    async with open_journal(folder) as journal:
        known = [CustomerAttached(AttachedCustomer(id, "", 0, "card", name)) for id, name in (("k1", "Anna Berg"), ("k2", "Bela Cho"))]
        await journal.commit(Commit("a", [event_row(event) for event in (BasketOpened("b1", 1), *known)]))
    (folder / "journal-key").write_text(KEY.hex())
    (folder / "journal-key").chmod(0o600)
    config = configured(tmp_path, "a")
    done = await asyncio.to_thread(edge_agent, config, "journal", "forget", "k1")
    assert (done.returncode, "Forgotten: k1." in done.stdout) == (0, True), done
    again = await asyncio.to_thread(edge_agent, config, "journal", "forget", "k1")
    assert (again.returncode, "nothing of k1" in again.stdout) == (0, True), again
    verified = await asyncio.to_thread(edge_agent, config, "journal", "verify")
    assert (verified.returncode, "sound." in verified.stdout) == (0, True), verified
    async with open_journal(folder) as journal:
        assert journal.clean_start
        assert await names(journal) == [b"", b"", b"Bela Cho"]


async def test_while_a_service_that_does_not_answer_has_the_journal_the_command_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    async with open_journal(folder) as journal:
        await journal.commit(Commit("a", (about("k1", "Anna Berg"),)))
        (folder / "journal-key").write_text(KEY.hex())
        (folder / "journal-key").chmod(0o600)
        refused = await asyncio.to_thread(edge_agent, configured(tmp_path, "a"), "journal", "forget", "k1")
        assert (refused.returncode, refused.stderr.startswith("error: ")) == (1, True), refused
        assert "Traceback" not in refused.stderr
        assert await names(journal) == [b"Anna Berg"]
