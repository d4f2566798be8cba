"""Central comes back from a backup, before or after the register was enrolled anew: nothing that was sold is lost, and nothing is there twice."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.bootstrap import Agent
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.errors import CentralRefused
from edge_agent.ports import Commit, FactDraft
from sync.central.serving import EmbeddedCentral
from sync.contract import facts
from sync.contract.envelope import FIRST_PREVHASH, STREAMS, decode_fact
from sync.contract.messages import SOURCES_MAX, StreamCursor
from sync.enrolment import load, save
from sync.identity import Identity
from sync.journal import Journal
from sync.keys import Keys
from tests.contract.test_register_with_central import central, enrolled, opened  # noqa: F401 - a fixture
from tests.support_central import eventually
from tests.support_enrolled import STORES
from tests.support_journal import a_commit, new_id, open_journal

SOURCE = "/t/acme/s/0001/r/02"


async def back_up(central: EmbeddedCentral, folder: Path) -> None:  # noqa: F811 - the fixture
    await asyncio.to_thread(central.stop)
    shutil.copytree(folder / "central", folder / "backup")
    await asyncio.to_thread(central.start)


async def restore(central: EmbeddedCentral, folder: Path) -> None:  # noqa: F811 - the fixture
    await asyncio.to_thread(central.stop)
    shutil.rmtree(folder / "central")
    shutil.copytree(folder / "backup", folder / "central")
    await asyncio.to_thread(central.start)


def sold_at_central(central: EmbeddedCentral) -> list[tuple[str, str]]:  # noqa: F811 - the fixture
    """Sale and receipt code of every sale that is counted, however often its fact came."""
    events = [decode_fact(bytes(fact.event)) for fact in central.central.facts(type=facts.SALE, limit=1000) if fact.problem is None]
    told = {fact.id: json.loads(bytes(fact.data)) for fact in events}
    return [(sale["transactionId"], sale["receiptCode"]) for sale in told.values()]


def sold_at_the_till(journal: Journal) -> list[tuple[str, str]]:
    """Sale and receipt code of every sale, in whatever epochs."""
    with journal._read._readers.use() as db:
        wires = [wire for (wire,) in db.execute("SELECT wire FROM fact WHERE type = ?", (facts.SALE,))]
    told = {fact["id"]: fact["data"] for fact in map(json.loads, wires)}
    return [(sale["transactionId"], sale["receiptCode"]) for sale in told.values()]


def require_whole(central: EmbeddedCentral, journal: Journal, sales: int) -> None:  # noqa: F811 - the fixture
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined, report.attention) == (True, sales, 0, [])
    assert len(set(sold_at_the_till(journal))) == sales
    assert sorted(sold_at_central(central)) == sorted(sold_at_the_till(journal))
    assert journal.verify().sound


def issued_anew(central: EmbeddedCentral) -> dict[int, int]:  # noqa: F811 - the fixture
    """By epoch, how many facts central was told that it had."""
    return {each.epoch: sum(one.issued_anew for one in each.streams) for each in central.central.reconcile().registers}


async def sold_in(folder: Path, central: EmbeddedCentral, count: int, before: int = 0) -> None:  # noqa: F811 - the fixture
    """Sell, under the enrolment that there is, until central has it all."""
    enrolment = load(folder)
    assert enrolment is not None
    async with opened(folder, enrolment, Keys(folder, SystemRandom())) as till:
        till.sold = before
        await till.sell(count)
        await till.in_step()


@pytest.mark.parametrize("enrolled_before", [0, 1])
async def test_a_backup_from_before_the_enrolment_loses_and_doubles_nothing(
    tmp_path: Path, central: EmbeddedCentral, enrolled_before: int  # noqa: F811 - the fixture
) -> None:  # fmt: skip
    till = tmp_path / "till"
    await enrolled(till, central)
    await sold_in(till, central, 2)
    for more in range(enrolled_before):
        await enrolled(till, central)
        await sold_in(till, central, 1, 10 + more)
    await back_up(central, tmp_path)
    await sold_in(till, central, 3, 20)
    enrolment, _ = await enrolled(till, central)
    await sold_in(till, central, 1, 30)
    await restore(central, tmp_path)
    async with opened(till, enrolment, Keys(till, SystemRandom())) as register:
        await eventually(lambda: "401" in register.push.report.reason, "told that it is not known")
        await register.sell(1)
    anew, _ = await enrolled(till, central)
    assert int(anew.register.epoch) == int(enrolment.register.epoch) + 1, "no epoch is given twice"
    await sold_in(till, central, 1, 40)
    async with opened(till, anew, Keys(till, SystemRandom())) as register:
        await register.in_step()
        require_whole(central, register.journal, 8 + enrolled_before)
    assert sum(issued_anew(central).values()) == 0, "what central has is not told again"


async def test_a_backup_from_after_the_enrolment_is_sent_again_what_it_lost(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811 - the fixture
    till = tmp_path / "till"
    await enrolled(till, central)
    await sold_in(till, central, 2)
    enrolment, keys = await enrolled(till, central)
    await sold_in(till, central, 1, 10)
    await back_up(central, tmp_path)
    await sold_in(till, central, 2, 20)
    await restore(central, tmp_path)
    await sold_in(till, central, 1, 30)
    async with opened(till, enrolment, keys) as register:
        await register.in_step()
        require_whole(central, register.journal, 6)
    assert (sum(issued_anew(central).values()), enrolment.register.epoch) == (0, "2")


async def test_a_central_that_begins_anew_is_told_everything(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811 - the fixture
    till = tmp_path / "till"
    await back_up(central, tmp_path)
    await enrolled(till, central)
    await sold_in(till, central, 2)
    await enrolled(till, central)
    await sold_in(till, central, 2, 10)
    await restore(central, tmp_path)
    enrolment, keys = await enrolled(till, central)
    assert (enrolment.register.epoch, enrolment.register.earlier) == ("3", {})
    await sold_in(till, central, 1, 20)
    async with opened(till, enrolment, keys) as register:
        await register.in_step()
        require_whole(central, register.journal, 5)


async def test_where_another_machine_wrote_on_all_is_told_again_and_counted_once(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    """A disk was put back to an image; what central has beyond it is not on it."""
    till, image = tmp_path / "till", tmp_path / "image"
    await enrolled(till, central)
    await sold_in(till, central, 2)
    shutil.copytree(till, image)
    await sold_in(till, central, 1, 10)
    enrolment, keys = await enrolled(image, central)
    async with Journal.open(image, keys.journal_key(), clock=SystemClock(), random=SystemRandom(), new_id=new_id, ballast_bytes=4096) as journal:
        await journal.commit(a_commit(facts=1, stream="ops"))
    await sold_in(image, central, 1, 20)
    report = central.central.reconcile()
    assert (report.ok, report.sales, issued_anew(central)) == (True, 4, {1: 0, 2: 2})
    assert [(one.stream, one.count) for one in report.registers[1].streams] == [("ops", 1), ("trade", 3)]
    assert enrolment.register.epoch == "2"


async def test_another_machine_under_an_epoch_that_a_restored_central_gave_twice_hides_no_sale(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    first, second = tmp_path / "first", tmp_path / "second"
    await enrolled(first, central)
    await back_up(central, tmp_path)
    assert (await enrolled(second, central))[0].register.epoch == "2"
    await sold_in(second, central, 2)
    await restore(central, tmp_path)
    assert (await enrolled(first, central))[0].register.epoch == "2"
    await sold_in(first, central, 5, 10)
    assert (await enrolled(second, central))[0].register.epoch == "3"
    await sold_in(second, central, 0)
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined, report.attention) == (True, 7, 0, [])
    assert len(sold_at_central(central)) == 7


async def test_a_central_that_says_nothing_of_earlier_epochs_is_sent_what_it_did_not_acknowledge(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(SOURCE, "1"))
        await journal.commit(a_commit(facts=3))
        await journal.acknowledge("central", {"trade": 3})
        assert await journal.adopt(Identity(SOURCE, "2"), None) == 1


async def test_only_what_central_lacks_is_issued_anew_once_and_in_order(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(SOURCE, "1"), {})
        await journal.commit(a_commit(facts=1200))
        hashes = {number: journal.fact_hash("trade", number) or "" for number in (2, 3)}
        ids = [decode_fact(wire).id for _, wire in journal.facts_after("trade", 0, 2000, 1 << 24)]
        await journal.acknowledge("central", {"trade": 1201})
        assert await journal.adopt(Identity(SOURCE, "2"), {"1": {"trade": StreamCursor(3, hashes[2])}}) == 1198
        again = [decode_fact(wire) for _, wire in journal.facts_after("trade", 0, 2000, 1 << 24)]
        assert [fact.id for fact in again] == ids[2:]
        assert ([fact.number for fact in again], again[0].prevhash) == (list(range(1, 1199)), FIRST_PREVHASH)
        assert await journal.adopt(Identity(SOURCE, "2"), {}) == 0
        second = StreamCursor(1198, journal.fact_hash("trade", 1197) or "")
        assert await journal.adopt(Identity(SOURCE, "3"), {"1": {"trade": StreamCursor(4, hashes[3])}, "2": {"trade": second}}) == 1
        assert decode_fact(journal.facts_after("trade", 0, 2, 1 << 20)[0][1]).id == ids[-1]
        assert await journal.adopt(Identity(SOURCE, "4"), {"1": {"trade": StreamCursor(4, "f" * 64)}}) == 1200, "another machine's fact proves nothing"
        assert journal.verify().sound
        assert {stream for stream in STREAMS if journal.facts_after(stream, 0, 1, 1)} == {"trade"}


async def test_a_device_says_under_which_epochs_it_was_enrolled_as_which_register(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    till = tmp_path / "till"
    for register in ("02", "03", "02", "03", "03"):
        made, _ = await enrolled(till, central, register)
    assert made.known_epochs == {"/t/acme/s/0001/r/02": "2", "/t/acme/s/0001/r/03": "3"}
    (till / "enrolment.json").write_text("{")
    (till / "enrolment.begun").write_text('{"source": "/t/acme/s/0001/r/03", "epoch": "9"}')
    again, _ = await enrolled(till, central, "03")
    assert (again.register.epoch, again.epochs) == ("10", {"/t/acme/s/0001/r/03": "9"})
    (till / "enrolment.begun").write_text('{"source": "/t/acme/s/0001/r/03", "epoch": "1011"}')
    with pytest.raises(CentralRefused, match="too far ahead"):
        await enrolled(till, central, "03")


async def test_a_device_that_was_more_registers_than_may_be_told_tells_the_latest_and_its_own(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    till = tmp_path / "till"
    made, _ = await enrolled(till, central, "02")
    save(till, replace(made, epochs={f"/t/acme/s/0001/r/{number}": "1" for number in range(100, 100 + SOURCES_MAX)}))
    (till / "enrolment.begun").write_text('{"source": "/t/acme/s/0001/r/03", "epoch": "9"}')
    again, _ = await enrolled(till, central, "03")
    told = list(again.epochs)
    assert (again.register.epoch, len(told), told[-2:]) == ("10", SOURCES_MAX, ["/t/acme/s/0001/r/02", "/t/acme/s/0001/r/03"])


async def test_the_service_tells_a_restored_central_what_it_lost(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    till = tmp_path / "till"
    await enrolled(till, central)
    await back_up(central, tmp_path)
    await sold_in(till, central, 2)
    await restore(central, tmp_path)
    await enrolled(till, central)
    agent = await Agent.start(Config(state=str(till)), Keys(till, SystemRandom()), SystemClock(), SystemRandom())
    try:
        await eventually(lambda: len(sold_at_central(central)) == 2, "what was lost is there again")
    finally:
        await agent.stop()
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined, [each.epoch for each in report.registers]) == (True, 2, 0, [2])


@pytest.mark.parametrize("anew", [False, True], ids=["the same epoch", "enrolled anew"])
async def test_what_a_restored_central_takes_this_time_is_not_said_to_be_put_aside(tmp_path: Path, central: EmbeddedCentral, anew: bool) -> None:  # noqa: F811
    till = tmp_path / "till"
    enrolment, keys = await enrolled(till, central)
    await sold_in(till, central, 1)
    await back_up(central, tmp_path)
    central.central.seed_stores([replace(STORES[0], country="US"), *STORES[1:]])
    async with opened(till, enrolment, keys) as register:
        register.sold = 10
        await register.sell(2)
        await register.in_step()
        bad = FactDraft("trade", facts.SALE, new_id(), "x" * 200, 1, {"retailStoreId": "0001", "workstationId": "02"})
        await register.journal.commit(Commit(new_id(), (), (bad,)))
        await eventually(lambda: register.push.report.withheld == 1, "what central cannot take is withheld")
        await register.in_step()
        assert [(fact.number, "sale-currency" in fact.problem) for fact in register.journal.quarantined()] == [(2, True), (3, True), (4, False)]
    await restore(central, tmp_path)
    if anew:
        enrolment, keys = await enrolled(till, central)
    async with opened(till, enrolment, keys) as register:
        await register.in_step()
        assert [fact.number for fact in register.journal.quarantined()] == [4], "what is withheld still is"
        await eventually(lambda: register.push.report.quarantined == 1, "as is said")
        assert register.journal.verify().sound
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined) == (True, 3, 0)
