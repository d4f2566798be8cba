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

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CentralConflict, CentralRefused
from edge_agent.ports import Commit, FactDraft, Link, LinkReport
from sync.backoff import Pace
from sync.central.serving import EmbeddedCentral
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.envelope import Envelope, decode_fact
from sync.contract.example_sales import EXAMPLE_START_MS, cash_sale
from sync.enrol import Enrolment, enrol
from sync.journal import Journal
from sync.keys import Keys
from sync.pull import Pull
from sync.push import Push
from sync.replica import Replica
from tests.support_central import eventually
from tests.support_enrolled import STORES, TENANT, cart_row, customer_row, price_row
from tests.support_journal import new_id
from tests.support_replica import article, gtin

QUICK = Pace(base=0.01, cap=0.05, idle=5.0, frozen=5.0)


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
            data = cash_sale(common) | {"transactionId": sale, "sequenceNumber": self.sold}
            await self.journal.commit(Commit(new_id(), (), (FactDraft("trade", "retail.sale.completed.v1", new_id(), sale, EXAMPLE_START_MS, data),)))

    async def in_step(self) -> None:
        def reached() -> bool:
            return self.push.report.link is Link.IN_STEP and all(one.head == one.acknowledged for one in self.journal.streams())

        await eventually(reached, "in step")


def settings(enrolment: Enrolment) -> Settings:
    return Settings(enrolment.url, enrolment.register.token, enrolment.register.register, SystemClock())


async def enrolled(folder: Path, central: EmbeddedCentral, register: str = "02") -> tuple[Enrolment, Keys]:
    code = central.central.enrol_code("0001", register).code
    keys = Keys(folder, SystemRandom())
    return await enrol(central.url, code, "test device", keys, HttpEnroller(Settings(central.url, "", "", SystemClock()))), keys


@asynccontextmanager
async def opened(folder: Path, enrolment: Enrolment, keys: Keys) -> AsyncIterator[Register]:
    register = Register(folder, enrolment, keys)
    await register.journal.adopt(enrolment.identity)
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
        await eventually(lambda: clone.push.report.link is Link.FROZEN, "the clone is told")
        assert clone.push.report.reason == "fork"  # it showed central a fact of its own, so that both machines hear of it
        await clone.sell(2)
        await eventually(lambda: clone.push.report.waiting >= 0, "it goes on selling")
        code = central.central.enrol_code("0001", "02").code
    again = await enrol(central.url, code, "clone", keys_of(tmp_path / "clone"), HttpEnroller(Settings(central.url, "", "", SystemClock())))
    async with opened(tmp_path / "clone", again, keys_of(tmp_path / "clone")) as clone:
        await clone.in_step()
        assert [envelope.epoch for envelope in at_central(central)] == ["1"] * 5 + ["2"] * 3
        assert len({envelope.id for envelope in at_central(central)}) == 8
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
        known = replica.people.identify(Identifier(IdentifierKind.LOYALTY, "LOY-c2099"))
        assert known is not None
        live = await connector.identify(Identifier(IdentifierKind.LOYALTY, "LOY-c2099"))
        assert live is not None
        assert (live.id, live.name) == (known.id, known.name)
        assert replica.people.operator("1001") is not None
        cart = replica.people.cart_of("c1")
        assert cart is not None
        lease = await connector.claim(cart.id, cart.version, "key-of-basket-1")
        with pytest.raises(CentralConflict) as held:
            await connector.claim(cart.id, cart.version, "key-of-basket-2")
        assert held.value.reason == "held"
        await eventually(lambda: (now := replica.people.cart("CART-1")) is not None and now.held_by == "0001/02", "the copy says who holds it")
        await connector.complete(lease, "sale-1", [line.line for line in cart.lines])
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
