"""The register's disk and wire against the reference central itself, over real sockets."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from edge_agent.bootstrap import Agent
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.demo.network import Network
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CentralConflict, CentralRefused
from edge_agent.ports import Commit, FactDraft, Link, LinkReport
from sync.backoff import Pace
from sync.central.serving import EmbeddedCentral
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.envelope import Envelope, decode_fact
from sync.contract.example_sales import EXAMPLE_START_MS, cash_sale
from sync.contract.facts import BEHIND, SALE, STARTED
from sync.enrol import enrol
from sync.enrolment import Enrolment
from sync.feed_store import FeedState
from sync.journal import Journal
from sync.keys import Keys
from sync.pull import Pull
from sync.push import Push
from sync.replica import Replica
from tests.support_central import eventually
from tests.support_enrolled import STORES, TENANT, cart_row, customer_row, price_row
from tests.support_journal import new_id
from tests.support_replica import article, gtin

QUICK = Pace(base=0.01, cap=0.05, idle=5.0, frozen=5.0, withhold=0.05)


@pytest.fixture
def central(tmp_path: Path) -> Iterator[EmbeddedCentral]:
    made = EmbeddedCentral(tmp_path / "central", random=SystemRandom(), tenant=TENANT)
    made.start()
    made.central.seed_stores(STORES)
    yield made
    made.stop()


class Register:
    """A device with its own folder, enrolled, with its journal open and its push running."""

    def __init__(self, folder: Path, enrolment: Enrolment, keys: Keys) -> None:
        self.folder = folder
        self.enrolment = enrolment
        self.key = keys.journal_key()
        self.journal = Journal.open(folder, self.key, clock=SystemClock(), random=SystemRandom(), new_id=new_id, ballast_bytes=4096)
        self.connector = HttpConnector(settings(enrolment))
        self.reports: list[LinkReport] = []
        self.push = Push(self.journal, self.connector, SystemClock(), SystemRandom(), self.reports.append, QUICK)
        self.journal.on_facts(self.push.wake)
        self.sold = 0

    async def sell(self, count: int = 1) -> None:
        who = self.enrolment.register
        for _ in range(count):
            self.sold += 1
            common = {
                "retailStoreId": who.store, "workstationId": who.register, "businessDayDate": "2026-11-20", "shiftId": "shift-1", "operatorId": "1001",
                "atMs": EXAMPLE_START_MS,
            }  # fmt: skip
            sale = new_id()
            data = cash_sale(common) | {"transactionId": sale, "sequenceNumber": self.sold, "receiptCode": f"R-{self.sold}"}
            await self.journal.commit(Commit(new_id(), (), (FactDraft("trade", "retail.sale.completed.v1", new_id(), sale, EXAMPLE_START_MS, data),)))

    async def in_step(self) -> None:
        def reached() -> bool:
            return self.push.report.link is Link.IN_STEP and all(one.head == one.acknowledged for one in self.journal.streams())

        await eventually(reached, "in step")


def settings(enrolment: Enrolment) -> Settings:
    return Settings(enrolment.url, enrolment.register.token, enrolment.register.register, SystemClock())


async def enrolled(folder: Path, central: EmbeddedCentral, register: str = "02", url: str = "") -> tuple[Enrolment, Keys]:
    code = central.central.enrol_code("0001", register).code
    keys = Keys(folder, SystemRandom())
    at = url or central.url
    return await enrol(at, code, "test device", keys, HttpEnroller(Settings(at, "", "", SystemClock()))), keys


@asynccontextmanager
async def opened(folder: Path, enrolment: Enrolment, keys: Keys) -> AsyncIterator[Register]:
    register = Register(folder, enrolment, keys)
    await register.journal.adopt(enrolment.identity, enrolment.register.earlier)
    task = asyncio.create_task(register.push.run())
    try:
        yield register
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await register.connector.aclose()
        await register.journal.close()


async def test_sales_reach_the_central_platform_once_across_its_restarts(tmp_path: Path, central: EmbeddedCentral) -> None:
    async with opened(tmp_path / "till", *await enrolled(tmp_path / "till", central)) as register:
        await register.sell(20)
        await register.in_step()
        await asyncio.to_thread(central.stop)
        await register.sell(15)
        await eventually(lambda: register.push.report.link is Link.OFFLINE, "offline")
        await asyncio.to_thread(central.start)
        await register.in_step()
        stored = [bytes(fact.event) for fact in central.central.facts(limit=1000)]
        assert stored == [wire for _, wire in register.journal.facts_after("trade", 0, 1000, 1 << 30)]
        assert len(stored) == 35
        assert register.journal.quarantined() == []
        assert register.push.report.clock_offset_ms is not None
        links = [one for one, _ in itertools.groupby(report.link for report in register.reports)]
        assert links.count(Link.OFFLINE) == 1  # down once, up once, however often it was tried


async def test_a_code_is_used_once_and_a_wrong_one_is_refused(tmp_path: Path, central: EmbeddedCentral) -> None:
    code = central.central.enrol_code("0001", "02").code
    enroller = HttpEnroller(Settings(central.url, "", "", SystemClock()))
    await enrol(central.url, code, "one", Keys(tmp_path / "one", SystemRandom()), enroller)
    for wrong in (code, "NOSUC-HCODE"):
        with pytest.raises(CentralRefused) as told:
            await enrol(central.url, wrong, "two", Keys(tmp_path / "two", SystemRandom()), enroller)
        assert "enrol-code" in told.value.hint
    assert not (tmp_path / "two" / "enrolment.json").exists()


async def test_a_cloned_disk_is_told_on_both_sides_and_a_new_enrolment_sends_what_was_kept(tmp_path: Path, central: EmbeddedCentral) -> None:
    enrolment, keys = await enrolled(tmp_path / "till", central)
    async with opened(tmp_path / "till", enrolment, keys) as register:
        await register.sell(3)
        await register.in_step()
    shutil.copytree(tmp_path / "till", tmp_path / "clone")
    async with opened(tmp_path / "till", enrolment, keys) as register:
        register.sold = 3
        await register.sell(2)
        await register.in_step()
    async with opened(tmp_path / "clone", enrolment, keys) as clone:
        clone.sold = 10
        await clone.sell(1)
        # Whether it asked before or after that sale: it says that its disk is behind, or shows the sale, which is a fork. Central freezes the register.
        await eventually(lambda: clone.push.report.reason in ("frozen", "fork"), "both machines hear of it")
        assert "Two machines" in clone.push.report.detail
        await clone.sell(2)
        await eventually(lambda: clone.push.report.waiting >= 0, "it goes on selling")
        code = central.central.enrol_code("0001", "02").code
    again = await enrol(central.url, code, "clone", keys_of(tmp_path / "clone"), HttpEnroller(Settings(central.url, "", "", SystemClock())))
    async with opened(tmp_path / "clone", again, keys_of(tmp_path / "clone")) as clone:
        await clone.in_step()
        sales = [envelope for envelope in at_central(central) if envelope.type == SALE]
        assert [envelope.epoch for envelope in sales] == ["1"] * 5 + ["2"] * 6, "what both disks have is told again"
        assert len({envelope.id for envelope in sales}) == central.central.reconcile().sales == 8
    async with opened(tmp_path / "till", enrolment, keys) as register:
        await eventually(lambda: register.push.report.link is Link.FROZEN, "the other machine is told that it was replaced")
        assert register.push.report.reason == "epoch"


def at_central(central: EmbeddedCentral) -> list[Envelope]:
    return [decode_fact(bytes(fact.event)) for fact in central.central.facts(limit=1000)]


def keys_of(folder: Path) -> Keys:
    return Keys(folder, SystemRandom())


async def test_two_machines_that_wrote_the_same_number_freeze_the_register_at_central(tmp_path: Path, central: EmbeddedCentral) -> None:
    enrolment, keys = await enrolled(tmp_path / "till", central)
    async with opened(tmp_path / "till", enrolment, keys) as register:
        await register.sell(1)
        await register.in_step()
    shutil.copytree(tmp_path / "till", tmp_path / "clone")
    async with opened(tmp_path / "till", enrolment, keys) as register, opened(tmp_path / "clone", enrolment, keys_of(tmp_path / "clone")) as clone:
        await eventually(lambda: clone.push.report.link is Link.IN_STEP and register.push.report.link is Link.IN_STEP, "both compared")
        register.sold, clone.sold = 1, 50
        await register.sell(1)
        await register.in_step()
        await clone.sell(1)
        await eventually(lambda: clone.push.report.link is Link.FROZEN, "the clone is told why")
        assert clone.push.report.reason == "fork"
        assert "Two machines" in clone.push.report.detail
        await register.sell(1)
        await eventually(lambda: register.push.report.link is Link.FROZEN, "so is the other one")
        assert register.push.report.reason == "frozen"
        assert "Two machines" in register.push.report.detail


async def test_an_old_copy_of_a_disk_freezes_the_register_and_after_a_new_enrolment_everything_goes_on(tmp_path: Path, central: EmbeddedCentral) -> None:
    """Central has three sales that this disk lost; what the disk holds waits, and is sent in the new epoch."""
    enrolment, keys = await enrolled(tmp_path / "till", central)
    async with opened(tmp_path / "till", enrolment, keys) as register:
        await register.sell(3)
        await register.in_step()
    shutil.copytree(tmp_path / "till", tmp_path / "backup")
    async with opened(tmp_path / "till", enrolment, keys) as register:
        register.sold = 3
        await register.sell(3)
        await register.in_step()
    async with opened(tmp_path / "backup", enrolment, keys_of(tmp_path / "backup")) as restored:
        await eventually(lambda: restored.push.report.link is Link.FROZEN, "it is told")
        assert restored.push.report.reason == "frozen"
        assert "its disk has trade up to 3, central up to 6" in restored.push.report.detail
        assert "enrol" in restored.push.report.hint
        restored.sold = 6
        await restored.sell(2)
        await eventually(lambda: restored.push.report.waiting == 2, "selling goes on")
        assert [envelope.type for envelope in at_central(central)] == [SALE] * 6 + [BEHIND]
        code = central.central.enrol_code("0001", "02").code
    keys = keys_of(tmp_path / "backup")
    again = await enrol(central.url, code, "backup", keys, HttpEnroller(Settings(central.url, "", "", SystemClock())))
    async with opened(tmp_path / "backup", again, keys) as restored:
        await restored.in_step()
        await restored.sell(1)
        await restored.in_step()
    assert [(envelope.epoch, envelope.type) for envelope in at_central(central)][7:] == [("2", SALE)] * (3 + 3), "what both disks have is told again"
    found = central.central.reconcile()
    assert (found.ok, found.attention, found.sales, found.quarantined) == (True, [], 9, 0)


async def test_a_second_machine_that_spoke_first_is_found_by_the_first_one(tmp_path: Path, central: EmbeddedCentral) -> None:
    """The clone sold, in step with central; the original has nothing that central has under the same number. After it was enrolled again it sells on."""
    enrolment, keys = await enrolled(tmp_path / "till", central)
    async with opened(tmp_path / "till", enrolment, keys) as register:
        await register.sell(3)
        await register.in_step()
    shutil.copytree(tmp_path / "till", tmp_path / "clone")
    async with opened(tmp_path / "clone", enrolment, keys_of(tmp_path / "clone")) as clone:
        clone.sold = 10
        await clone.sell(1)
        await started(clone)
        await clone.in_step()
        async with opened(tmp_path / "till", enrolment, keys) as register:
            await eventually(lambda: register.push.report.link is Link.FROZEN, "the original is told")
            assert "number 1 of ops came twice" in register.push.report.detail
            await clone.sell(1)
            await eventually(lambda: clone.push.report.link is Link.FROZEN, "with its next sale the clone is told")
            assert clone.push.report.detail == register.push.report.detail
            code = central.central.enrol_code("0001", "02").code
    again = await enrol(central.url, code, "till", keys, HttpEnroller(Settings(central.url, "", "", SystemClock())))
    async with opened(tmp_path / "till", again, keys) as register:
        register.sold = 3
        await register.sell(1)
        await register.in_step()
    told = [("2", BEHIND), *[("2", SALE)] * (3 + 1)]
    assert sorted((envelope.epoch, envelope.type) for envelope in at_central(central)[5:]) == told, "what both disks have is told again"
    assert (central.central.reconcile().attention, central.central.reconcile().sales) == ([], 5)


async def started(register: Register) -> None:
    """Have the register tell that its service started."""
    who = register.enrolment.register
    data = {
        "retailStoreId": who.store, "workstationId": who.register, "businessDayDate": "", "shiftId": "", "operatorId": "", "atMs": EXAMPLE_START_MS,
        "version": "1", "bootId": "b", "cleanStop": True,
    }  # fmt: skip
    await register.journal.commit(Commit(new_id(), (), (FactDraft("ops", STARTED, new_id(), "b", EXAMPLE_START_MS, data),)))


async def test_a_fact_with_an_impossible_envelope_is_withheld_and_the_rest_arrives(tmp_path: Path, central: EmbeddedCentral) -> None:
    async with opened(tmp_path / "till", *await enrolled(tmp_path / "till", central)) as register:
        await register.sell(2)
        bad = FactDraft("trade", "retail.sale.completed.v1", new_id(), "x" * 200, EXAMPLE_START_MS, {"retailStoreId": "0001", "workstationId": "02"})
        await register.journal.commit(Commit(new_id(), (), (bad,)))
        await register.sell(2)
        await register.in_step()
        types = [envelope.type for envelope in at_central(central)]
        assert types.count("retail.sale.completed.v1") == 4
        assert types.count("retail.fact.withheld.v1") == 1
        (aside,) = [fact for fact in register.journal.quarantined() if "Withheld" in fact.problem]
        assert (aside.stream, aside.number) == ("trade", 3)
        assert [fact for fact in central.central.facts(limit=100) if fact.problem] == []


async def test_what_central_publishes_arrives_and_carts_are_claimed_and_sold(tmp_path: Path, central: EmbeddedCentral) -> None:
    platform = central.central
    rows = [(f"A-{number}", article(f"A-{number}", f"Shirt {number}", gtin(number))) for number in range(3_000)]
    platform.seed("catalogue", rows)
    platform.seed("prices", [price_row(f"A-{number}") for number in range(100)] + [price_row("A-1", 2499, "USD", "us")])
    platform.seed("customers", [(f"c{number}", customer_row(f"c{number}")) for number in range(2_100)])
    platform.seed("carts", [("CART-1", cart_row())])
    platform.seed("staff", [("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": ["sale.void"]})])
    enrolment, keys = await enrolled(tmp_path / "till", central)
    replica = Replica(tmp_path / "till" / "replica", keys.journal_key(), SystemClock())
    connector = HttpConnector(settings(enrolment))
    pull = Pull(connector, replica, replica.feeds, tmp_path / "till", SystemClock(), SystemRandom(), pace=QUICK)
    task = asyncio.create_task(pull.run())
    try:
        await eventually(lambda: all(replica.state(feed).cursor is not None for feed in replica.feeds), "every feed is copied")
        found = replica.catalogue.by_gtin(gtin(2_999))
        assert found is not None
        assert found.sku == "A-2999"
        assert [one.amount_minor for one in replica.catalogue.prices("A-1")] == [1999]  # the other market's price stays away
        (known,) = replica.people.identify(Identifier(IdentifierKind.LOYALTY, "LOY-c2099"))
        (live,) = await connector.identify(Identifier(IdentifierKind.LOYALTY, "LOY-c2099"))
        assert (live.id, live.name) == (known.id, known.name)
        assert replica.people.operator("1001") is not None
        cart = replica.people.cart_of("c1")
        assert cart is not None
        lease = await connector.claim(cart.id, cart.version, "key-of-basket-1")
        with pytest.raises(CentralConflict) as held:
            await connector.claim(cart.id, cart.version, "key-of-basket-2")
        assert held.value.reason == "held"
        await eventually(lambda: (now := replica.people.cart("CART-1")) is not None and now.held_by == "0001/02", "the copy says who holds it")
        await connector.complete(lease, "sale-1", {line.line: line.pieces for line in cart.lines})
        await eventually(lambda: replica.people.cart("CART-1") is None, "the sold cart is gone")
        platform.seed("catalogue", [("A-2999", article("A-2999", "Polo", gtin(2_999)))])
        await eventually(lambda: [one.sku for one in replica.catalogue.find("polo", 5)] == ["A-2999"], "a change arrives")
        async with httpx.AsyncClient(base_url=central.url, headers={"Authorization": f"Bearer {platform.ops_token}"}, trust_env=False) as operator:
            assert (await operator.delete("/ops/feeds/customers/c7")).is_success
        await eventually(lambda: replica.people.customer("c7") is None, "a deletion arrives")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.aclose()
        replica.close()


async def test_who_was_attached_while_the_line_was_cut_is_looked_up_anew_when_central_is_back(tmp_path: Path, central: EmbeddedCentral) -> None:
    platform = central.central
    platform.seed("customers", [("c1", customer_row("c1"))])
    platform.seed("staff", [("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})])
    with Network(("127.0.0.1", int(central.url.rpartition(":")[2]))) as cable:
        await enrolled(tmp_path / "till", central, url=cable.url)
        agent = await Agent.start(Config(state=str(tmp_path / "till")), keys_of(tmp_path / "till"), SystemClock(), SystemRandom())
        try:
            await eventually(lambda: agent.replica.people.customer("c1") is not None and agent.replica.people.operator("1001") is not None, "the copies")
            await eventually(lambda: agent.push.report.link is Link.IN_STEP, "in step")
            await asyncio.to_thread(cable.cut)
            await agent.till.day.open("1001", 0, "")
            await eventually(lambda: agent.push.report.link is Link.OFFLINE, "offline")
            await agent.till.clienteling.chosen("c1", "")
            await eventually(lambda: agent.presenter.snapshot().customer.unanswered, "the copy is what is left")
            await asyncio.to_thread(cable.restore)
            await eventually(lambda: agent.presenter.snapshot().customer.fresh, "central's own word", 30.0)
            assert not agent.presenter.snapshot().customer.unanswered
        finally:
            await agent.stop()


@pytest.mark.parametrize("cursor", ["not-a-cursor", "x" * 1_000, "\u00fc\u4e00-1-1"], ids=["another's", "too long for it", "beyond ASCII"])
async def test_feeds_whose_cursor_central_does_not_know_are_copied_anew(tmp_path: Path, central: EmbeddedCentral, cursor: str) -> None:
    platform = central.central
    platform.seed("prices", [price_row("A-1")])
    platform.seed("customers", [("c1", customer_row("c1"))])
    enrolment, keys = await enrolled(tmp_path / "till", central)
    replica = Replica(tmp_path / "till" / "replica", keys.journal_key(), SystemClock())
    for feed in replica.feeds:
        replica.apply(feed, [], FeedState(cursor, "", 1))
    connector = HttpConnector(settings(enrolment))
    pull = Pull(connector, replica, replica.feeds, tmp_path / "till", SystemClock(), SystemRandom(), pace=QUICK)
    task = asyncio.create_task(pull.run())
    try:
        await eventually(lambda: all(replica.state(feed).cursor != cursor for feed in replica.feeds), "every feed is copied anew")
        assert [one.amount_minor for one in replica.catalogue.prices("A-1")] == [1999]
        assert replica.people.customer("c1") is not None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.aclose()
        replica.close()


async def test_a_register_that_sells_nothing_hears_of_its_freezing_with_the_next_news_of_a_feed(tmp_path: Path, central: EmbeddedCentral) -> None:
    platform = central.central
    await enrolled(tmp_path / "till", central)
    config = Config(state=str(tmp_path / "till"))
    agent = await Agent.start(config, keys_of(tmp_path / "till"), SystemClock(), SystemRandom())
    try:
        await eventually(lambda: agent.push.report.link is Link.IN_STEP and agent.replica.state("prices").cursor is not None, "in step")
        async with httpx.AsyncClient(base_url=central.url, headers={"Authorization": f"Bearer {platform.ops_token}"}, trust_env=False) as operator:
            assert (await operator.post("/ops/registers/0001/02/freeze", json={"reason": "Stolen"})).status_code == 204
        platform.seed("prices", [price_row("A-1")])
        await eventually(lambda: agent.push.report.link is Link.FROZEN, "it is told, long before it would ask by itself")
        assert (agent.push.report.reason, agent.push.report.detail) == ("frozen", "Stolen")
    finally:
        await agent.stop()
