"""A PC that is enrolled as another register by mistake: nothing of the register that it was is lost, nor sent under the other's name."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
import structlog

from edge_agent.bootstrap import Agent
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.demo.network import Network
from edge_agent.domain.errors import ConfigError
from edge_agent.hosting import enrol_register, in_process
from edge_agent.ports import Commit, FactDraft
from sync.central.serving import EmbeddedCentral
from sync.contract.envelope import decode_fact
from sync.contract.example_sales import EXAMPLE_START_MS, cash_sale
from sync.contract.facts import SALE
from sync.contract.messages import StreamCursor
from sync.enrolment import load
from sync.identity import Identity
from sync.journal import Journal
from sync.journal_facts import _OWNER, _put, _reissued, chain_of, waiting_by_source
from tests.contract.test_register_with_central import central, enrolled, keys_of, opened  # noqa: F401 - a fixture
from tests.support_central import eventually
from tests.support_journal import a_commit, new_id, open_journal, raw

R02, R03 = "/t/acme/s/0001/r/02", "/t/acme/s/0001/r/03"


async def sold(journal: Journal, count: int) -> None:
    """So many sales of register 02 in the journal of a running service."""
    for number in range(1, count + 1):
        common = {
            "retailStoreId": "0001", "workstationId": "02", "businessDayDate": "2026-11-20", "shiftId": "shift-1", "operatorId": "1001",
            "atMs": EXAMPLE_START_MS,
        }  # fmt: skip
        sale = new_id()
        data = cash_sale(common) | {"transactionId": sale, "sequenceNumber": number, "receiptCode": f"R-{number}"}
        await journal.commit(Commit(new_id(), (), (FactDraft("trade", SALE, new_id(), sale, EXAMPLE_START_MS, data),)))


async def test_facts_of_another_register_wait_for_it_and_are_sent_when_the_pc_is_it_again(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    enrolment = await enrolled(tmp_path, central)
    await asyncio.to_thread(central.stop)
    async with opened(tmp_path, *enrolment) as register:
        await register.sell(2)
    await asyncio.to_thread(central.start)
    async with opened(tmp_path, *await enrolled(tmp_path, central, "03")) as register:
        assert register.journal.waiting_by_source() == {R02: 2}
        register.sold = 10
        await register.sell(1)
        await register.in_step()
        assert register.journal.verify().sound
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined) == (True, 1, 0)
    async with opened(tmp_path, *await enrolled(tmp_path, central)) as register:
        await register.in_step()
        assert register.journal.waiting_by_source() == {}
        assert register.journal.verify().sound
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined, report.attention) == (True, 3, 0, [])


@pytest.mark.parametrize("told", [True, False])
async def test_what_an_older_version_sent_under_another_register_s_name_is_sent_under_its_own(tmp_path: Path, told: bool) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(R02, "1"))
        await journal.commit(a_commit(facts=2))
        ids = [decode_fact(wire).id for _, wire in journal.facts_after("trade", 0, 9, 1 << 20)]
    with raw(tmp_path) as db:  # what that version did
        db.execute("INSERT INTO identity(source, epoch, since_ms) VALUES (?, '1', 1)", (R03,))
        for id, type, at_ms, wire in db.execute("SELECT id, type, at_ms, wire FROM fact ORDER BY number").fetchall():
            chain = chain_of(db, "trade")
            _put(db, chain, id, type, at_ms, _reissued(wire, chain))
    async with open_journal(tmp_path) as journal:
        assert journal.waiting_by_source() == {R02: 2}
        await journal.acknowledge("central", {"trade": 3})  # it put them aside, under the other's name
        assert await journal.adopt(Identity(R03, "2"), {} if told else None) == 0
        earlier = {"1": {"trade": StreamCursor(2, "f" * 64)}}
        assert await journal.adopt(Identity(R02, "2"), earlier if told else None) == 2
        assert [decode_fact(wire).id for _, wire in journal.facts_after("trade", 0, 9, 1 << 20)] == ids
        assert (journal.waiting_by_source(), journal.verify().sound) == ({R02: 2}, True)


async def test_what_is_withheld_of_another_register_is_not_sent_again_under_this_one(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(R02, "1"))
        await journal.commit(a_commit(facts=1))
        await journal.withhold("trade", 1, "no")
        await journal.adopt(Identity(R03, "1"), {})
        assert await journal.resend() == (0, 0)
        await journal.adopt(Identity(R02, "2"), {})
        assert await journal.resend() == (1, 0)


async def test_a_code_of_another_register_is_refused_while_something_of_this_one_is_left(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    central.central.seed("staff", [("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})])
    till = tmp_path / "till"
    config = Config(state=str(till))

    async def told(register: str) -> str:
        code = central.central.enrol_code("0001", register).code
        with pytest.raises(ConfigError) as refused:
            await asyncio.to_thread(enrol_register, config, central.url, code)
        assert refused.value.key == "config_invalid.other_register"
        assert "give this command again while the code is valid" in refused.value.hint
        return refused.value.message

    with Network(("127.0.0.1", int(central.url.rpartition(":")[2]))) as cable:
        before, _ = await enrolled(till, central, url=cable.url)
        agent = await Agent.start(config, keys_of(till), SystemClock(), SystemRandom())
        try:
            await eventually(lambda: agent.replica.people.operator("1001") is not None, "the staff")
            await agent.till.day.open("1001", 0, "")
            await eventually(lambda: all(one.head == one.acknowledged for one in agent.journal.streams()), "all is sent")
            assert "still has of it: an open shift, its service, which runs" in await told("03")
            await asyncio.to_thread(cable.cut)
            await sold(agent.journal, 2)
            said = await told("03")
            assert "for register 03 of store 0001 (acme), but this PC is register 02 of store 0001 (acme)" in said
            assert "2 facts that central does not have, an open shift, its service, which runs and goes on selling as it. Nothing was changed here" in said
            assert load(till) == before
            with pytest.raises(ConfigError, match="still has of it: its service, which runs"):
                await asyncio.to_thread(partial(enrol_register, leave_behind=True), config, central.url, central.central.enrol_code("0001", "03").code)
            await asyncio.to_thread(cable.restore)
            await eventually(lambda: all(one.head == one.acknowledged for one in agent.journal.streams()), "all is sent", 30.0)
        finally:
            await agent.stop()
    report = central.central.reconcile()
    assert (report.ok, report.sales, report.quarantined, report.attention) == (True, 2, 0, [])
    assert "an open shift." in await told("03")
    code = central.central.enrol_code("0001", "03").code
    assert (await asyncio.to_thread(partial(enrol_register, leave_behind=True), config, central.url, code)).register == "03"
    again = central.central.enrol_code("0001", "02").code
    assert (await asyncio.to_thread(enrol_register, config, central.url, again)).register == "02"


async def test_a_pc_with_nothing_left_of_a_register_becomes_another_one(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    async with opened(tmp_path, *await enrolled(tmp_path, central)) as register:
        await register.sell(1)
        await register.in_step()
    code = central.central.enrol_code("0001", "03").code
    assert (await asyncio.to_thread(enrol_register, Config(state=str(tmp_path)), central.url, code)).register == "03"
    (tmp_path / "journal-key").unlink()
    code = central.central.enrol_code("0001", "02").code
    assert (await asyncio.to_thread(enrol_register, Config(state=str(tmp_path)), central.url, code)).register == "02", "what cannot be read refuses nothing"


async def test_a_start_as_another_register_says_what_waits_for_the_one_before(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811
    enrolment = await enrolled(tmp_path, central)
    await asyncio.to_thread(central.stop)
    async with opened(tmp_path, *enrolment) as register:
        await register.sell(2)
    await asyncio.to_thread(central.start)
    await enrolled(tmp_path, central, "03")
    with structlog.testing.capture_logs() as entries:
        agent = await Agent.start(Config(state=str(tmp_path)), keys_of(tmp_path), SystemClock(), SystemRandom())
        assert [text.startswith("2 facts of register 02 of store 0001 (acme) wait") for text in (await in_process(agent).status()).attention] == [True]
        await agent.stop()
    assert [(entry["register"], entry["facts"]) for entry in entries if "another register" in entry["event"]] == [(R02, 2)]


async def test_what_waits_is_counted_without_looking_at_what_central_has(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        for source, epoch in ((R02, "1"), (R03, "1"), (R02, "2")):
            await journal.adopt(Identity(source, epoch))
            await journal.commit(a_commit(facts=3))
            await journal.acknowledge("central", {"trade": 2})
    with raw(tmp_path) as db:
        assert waiting_by_source(db) == {R02: 4, R03: 2}
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {_OWNER.format(fact='?')}", ("x", "alone")).fetchall()]
        assert any(step.startswith("SEARCH owned USING") and "identity=? AND id=?" in step for step in plan), plan
