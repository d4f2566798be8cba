"""A fact that central refused for good is sent again once IT mended the cause: at the end of its stream, once, and status is good again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from edge_agent.cli_text import needs_somebody, resent
from edge_agent.client import AgentClient
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.views import LinkView, ResentView
from sync.central.serving import EmbeddedCentral
from sync.contract.envelope import decode_fact
from sync.contract.messages import StreamCursor
from sync.identity import Identity
from tests.contract.test_register_with_central import central, enrolled, opened  # noqa: F401 - a fixture
from tests.support_command_line import configured, edge_agent
from tests.support_journal import KEY, a_commit, open_journal
from tests.support_push import a_till
from tests.support_shop import register
from tests.unit.test_cli_text import health


async def test_withheld_facts_go_to_the_ends_of_their_streams_with_their_ids_and_are_taken_once(tmp_path: Path) -> None:
    async with a_till(tmp_path) as till:
        till.central.refuses = lambda fact: fact["data"].get("poison", False)
        for _ in range(2):
            await till.sell(3)
            await till.sell(1, poison=True)
        await till.sell(1, "people", poison=True)
        ids = [json.loads(wire)["id"] for _, wire in till.journal.facts_after("trade", 0, 100, 1 << 20)]
        till.start()
        await till.in_step()
        assert (till.push.report.withheld, till.push.report.quarantined) == (3, 3)
        assert await till.journal.resend() == (3, 0)
        await till.in_step()  # central still refuses them: nothing is lost, and nothing goes round in circles by itself
        assert till.push.report.withheld == 3
        till.central.refuses = lambda _: False
        assert await till.journal.resend() == (3, 0)
        assert await till.journal.resend() == (0, 0)
        await till.in_step()
        assert (till.push.report.withheld, till.push.report.quarantined) == (0, 0)
        till.same_as_central()
        trade = [decode_fact(wire) for wire in till.central.stream("trade").wires]
        assert [fact.id for fact in trade if fact.type != "retail.fact.withheld.v1"] == [*ids[:3], *ids[4:7], ids[3], ids[7]]
        assert [json.loads(bytes(fact.data)).get("poison") for fact in trade[-2:]] == [True, True]
        assert len(till.central.stream("people").wires) == 3  # that it was withheld, twice, and it


async def test_bytes_that_are_none_stay_withheld_and_stop_nothing(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit(facts=3))
        for number in (1, 3):
            assert await journal.withhold("trade", number, "no")
        await journal._writer.run(lambda db: db.execute("UPDATE withheld SET wire = x'7b' WHERE number = 1"))
        assert await journal.resend() == (1, 1)
        assert (journal.withheld_count(), journal.quarantined_count()) == (1, 1)
        assert journal.verify().sound
        await journal.commit(a_commit(facts=1))


async def test_a_fact_that_is_withheld_and_stands_in_its_stream_as_well_is_not_issued_once_more(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit(facts=3))
        assert await journal.withhold("trade", 2, "no")
        await journal._writer.run(lambda db: db.execute("CREATE TABLE kept AS SELECT * FROM withheld"))
        assert await journal.resend() == (1, 0)
        await journal._writer.run(lambda db: db.execute("INSERT INTO withheld SELECT * FROM kept"))
        assert journal.withheld_count() == 1
        assert await journal.resend() == (0, 0)
        assert (journal.withheld_count(), [one.head for one in journal.streams() if one.stream == "trade"]) == (0, [4])
        assert journal.verify().problems == ()


async def test_central_counts_a_withheld_fact_until_it_came(tmp_path: Path, central: EmbeddedCentral) -> None:  # noqa: F811 - the fixture
    async with opened(tmp_path / "till", *await enrolled(tmp_path / "till", central)) as till:
        await till.in_step()
        await asyncio.to_thread(central.stop)
        await till.sell(3)
        assert await till.journal.withhold("trade", 2, "central could not take it")
        await asyncio.to_thread(central.start)
        await till.in_step()
        assert [(stream.stream, stream.withheld) for stream in central.central.reconcile().registers[0].streams] == [("trade", 1)]
        assert await till.journal.resend() == (1, 0)
        till.push.retry_now()
        await till.in_step()
        report = central.central.reconcile()
        assert [(stream.stream, stream.count, stream.withheld, stream.chained) for stream in report.registers[0].streams] == [("trade", 4, 0, True)]
        assert till.journal.verify().sound


async def test_the_running_service_does_it_and_says_how_many(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await rig.till.day.close("")
        assert await rig.journal.withhold("trade", 1, "no")
        async with AgentClient(httpx.ASGITransport(await rig.api()), new_id=ClockIds(SystemClock(), SystemRandom())) as client:
            assert await client.journal_resend() == ResentView(1)
            assert await client.journal_resend() == ResentView(0)
        assert rig.journal.withheld_count() == 0


async def test_without_a_service_the_command_does_it_in_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    async with open_journal(folder) as journal:
        await journal.commit(a_commit(facts=2))
        assert await journal.withhold("trade", 1, "no")
    (folder / "journal-key").write_text(KEY.hex())
    (folder / "journal-key").chmod(0o600)
    done = await asyncio.to_thread(edge_agent, configured(tmp_path, "a"), "journal", "resend")
    assert (done.returncode, "1 fact in the streams again" in done.stdout) == (0, True), done
    again = await asyncio.to_thread(edge_agent, configured(tmp_path, "a"), "journal", "resend")
    assert (again.returncode, "No fact is withheld" in again.stdout) == (0, True), again
    async with open_journal(folder) as journal:
        assert (journal.withheld_count(), [one.head for one in journal.streams() if one.stream == "trade"]) == (0, [3])


def test_status_needs_somebody_only_while_something_is_withheld() -> None:
    assert needs_somebody(health(link=LinkView("in_step", 0, 0, quarantined=1, withheld=1)))
    assert not needs_somebody(health(link=LinkView("in_step", 0, 0)))
    assert resent(ResentView(0, 2)) == ["2 facts cannot be sent: the bytes are damaged. Report it to the vendor."]


@pytest.mark.parametrize("told", [True, False])
async def test_a_withheld_fact_is_issued_once_also_when_the_register_was_enrolled_again_meanwhile(tmp_path: Path, told: bool) -> None:
    source = "/t/acme/s/0001/r/02"
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(source, "1"), {})
        await journal.commit(a_commit(facts=3))
        ids = [decode_fact(wire).id for _, wire in journal.facts_after("trade", 0, 100, 1 << 20)]
        assert await journal.adopt(Identity(source, "2"), {}) == 3
        assert await journal.withhold("trade", 2, "no")
        whole = {"2": {"trade": StreamCursor(next=4, head_hash=journal.fact_hash("trade", 3))}}
        await journal.adopt(Identity(source, "3"), whole if told else {})
        assert await journal.resend() == (1, 0)
        assert journal.withheld_count() == 0
        last = [decode_fact(wire).id for _, wire in journal.facts_after("trade", 0, 100, 1 << 20)]
        assert (last[-1], last.count(ids[1])) == (ids[1], 1)
        assert await journal.resend() == (0, 0)
        assert journal.verify().problems == ()
