"""What the push and the connector promise, over HTTP, against a central whose network loses, doubles and falsifies."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from edge_agent import ports
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.cart import Lease
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CentralConflict, CentralRefused, CentralUnreachable, ContractBroken
from edge_agent.ports import Commit, Link, LinkReport
from sync.backoff import Backoff, Pace
from sync.connectors import http
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector
from sync.contract.envelope import decode_fact, fact_hash
from sync.contract.messages import RegisterCursor
from sync.journal import Journal
from sync.journal_facts import Identity
from sync.link import Acknowledged, Busy, Frozen, Refused, Unreachable
from sync.push import Push
from tests.support import HalfRandom
from tests.support_central import SOURCE, FakeCentral, eventually, html, problem
from tests.support_journal import a_fact, new_id, open_journal
from tests.support_replica import NOW_MS, customer

QUICK = Pace(base=0.002, cap=0.01, idle=5.0, frozen=5.0)


class Till:
    """A journal, a central and the push between them."""

    def __init__(self, journal: Journal, central: FakeCentral) -> None:
        self.journal = journal
        self.central = central
        self.reports: list[LinkReport] = []
        self.connector = central.connector()
        self.push = Push(journal, self.connector, SystemClock(), SystemRandom(), self.reports.append, QUICK)
        journal.on_facts(self.push.wake)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.push.run())

    async def sell(self, count: int, stream: str = "trade", **data: object) -> None:
        for _ in range(count):
            await self.journal.commit(Commit(new_id(), (), (a_fact(stream, **data),)))

    async def in_step(self, what: str = "everything is acknowledged") -> None:
        await eventually(lambda: all(one.head == one.acknowledged for one in self.journal.streams()) and self.push.report.link is Link.IN_STEP, what)

    def links(self) -> list[tuple[str, str]]:
        """Every (link, reason) told, without repetitions."""
        told = [(report.link.value, report.reason) for report in self.reports]
        return [one for place, one in enumerate(told) if place == 0 or told[place - 1] != one]

    def same_as_central(self) -> None:
        for status in self.journal.streams():
            mine = [wire for _, wire in self.journal.facts_after(status.stream, 0, 10_000, 1 << 30)]
            assert self.central.stream(status.stream).wires == mine
        assert self.journal.verify().problems == ()

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await self.connector.aclose()
        await self.journal.close()


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with a_till(tmp_path) as made:
        yield made


@asynccontextmanager
async def a_till(folder: Path) -> AsyncIterator[Till]:
    journal = open_journal(folder)
    await journal.adopt(Identity(SOURCE, "1"))
    made = Till(journal, FakeCentral())
    try:
        yield made
    finally:
        await made.stop()


# --- the push ---


async def test_facts_reach_central_byte_for_byte_in_one_compressed_batch_of_all_streams(till: Till) -> None:
    await till.sell(30)
    await till.sell(2, "people")
    await till.sell(1, "ops")
    till.start()
    await till.in_step()
    till.same_as_central()
    assert [len(batch) for batch in till.central.batches] == [33]
    assert till.central.seen_encodings == ["zstd"]
    assert till.links()[-1] == ("in_step", "")
    assert till.push.report.waiting == 0
    await till.sell(1)
    await till.in_step()
    assert [len(batch) for batch in till.central.batches] == [33, 1]
    assert till.push.report.clock_offset_ms is not None


async def test_a_thousand_facts_go_in_batches_within_the_limits(till: Till) -> None:
    await asyncio.gather(*(till.sell(1) for _ in range(1_200)))
    await till.sell(6, filler="x" * 200_000)
    till.start()
    await till.in_step()
    till.same_as_central()
    sizes = [len(batch) for batch in till.central.batches]
    assert max(sizes) <= 500
    assert sum(sizes) == 1_206
    assert len(sizes) >= 4


@pytest.mark.parametrize("fault", ["lose", "lose_answer", "double", "html", "redirect", "busy", "unauthorised", "forbidden", "error"])
async def test_whatever_the_network_does_each_fact_arrives_once_in_order(till: Till, fault: str) -> None:
    await till.sell(5)
    till.central.facts_max = 500
    till.central.faults.extend(["", fault, fault])  # the first request asks for the cursor
    till.start()
    await till.in_step()
    await till.sell(5)
    await till.in_step()
    till.same_as_central()
    assert till.central.stream("trade").next == 11


async def test_a_bad_day_of_everything_at_once_loses_and_doubles_nothing(till: Till) -> None:
    chance = iter(hashlib.sha512(b"a bad day").digest() * 40)
    kinds = ["lose", "lose_answer", "double", "html", "redirect", "busy", "unauthorised", "error", "", ""]
    till.central.faults.extend(kinds[next(chance) % len(kinds)] for _ in range(300))
    till.start()
    for _ in range(60):
        await till.sell(3)
        await till.sell(1, "people")
        await asyncio.sleep(0)
    till.central.faults.clear()
    till.push.retry_now()
    await till.in_step()
    till.same_as_central()
    assert len(till.central.ids("trade")) == len(set(till.central.ids("trade"))) == 180
    assert len(till.central.ids("people")) == 60


async def test_down_is_told_once_and_up_is_told_once(till: Till) -> None:
    await till.sell(1)
    till.central.faults.extend(["lose"] * 8)
    till.start()
    await till.in_step()
    assert till.links() == [("offline", "unreachable"), ("sending", ""), ("in_step", "")]
    down = till.reports[0]
    assert (down.waiting, bool(down.detail), bool(down.hint)) == (1, True, True)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("html", "unreachable"),
        ("redirect", "unreachable"),
        ("unauthorised", "refused_401"),
        ("forbidden", "refused_403"),
        ("busy", "busy"),
        ("error", "unreachable"),
    ],
)
async def test_what_is_wrong_is_said_and_facts_keep_waiting(till: Till, fault: str, reason: str) -> None:
    await till.sell(2)
    till.central.faults.extend([fault] * 1000)
    till.start()
    await eventually(lambda: till.push.report.reason == reason, reason)
    await till.sell(1)
    await eventually(lambda: till.push.report.waiting == 3, "the count of waiting facts is told")
    assert till.push.report.link is Link.OFFLINE
    assert till.push.report.hint
    assert till.central.stream("trade").next == 1


async def test_a_portal_that_swallows_batches_is_not_an_acknowledgement(till: Till) -> None:
    async def portal(request: httpx.Request) -> httpx.Response:
        others = {"registers": {"/t/acme/s/0001/r/03": {"epoch": "1", "streams": {"trade": {"next": 3, "accepted": 2, "duplicates": 0, "quarantined": []}}}}}
        return answers.pop(0) if answers else httpx.Response(200, json=others)

    answers = [httpx.Response(200, json={"ok": True}), html(), httpx.Response(200, json={"registers": {}}), httpx.Response(204)]
    await till.sell(2)
    till.central.routes["/edge/v1/events"] = portal
    till.start()
    await eventually(lambda: till.central.requests.count(("POST", "/edge/v1/events")) > 6, "it was tried often")
    assert till.journal.streams()[0].acknowledged == 0
    assert till.push.report.link is Link.OFFLINE
    till.central.routes.clear()
    await till.in_step()
    till.same_as_central()


async def test_an_encoding_that_central_does_not_know_is_not_tried_again(till: Till) -> None:
    till.central.encodings = ("gzip",)
    await till.sell(1)
    till.start()
    await till.in_step()
    await till.sell(1)
    await till.in_step()
    assert till.central.seen_encodings == ["zstd", "gzip", "gzip"]
    till.central.encodings = ("identity",)
    await till.sell(1)
    await till.in_step()
    assert till.central.seen_encodings[3:] == ["gzip", "identity"]


async def test_batches_shrink_to_what_is_taken_and_grow_again(till: Till) -> None:
    await till.sell(100)
    till.central.facts_max = 7
    till.start()
    await till.in_step()
    till.same_as_central()
    till.central.facts_max = 500
    await asyncio.gather(*(till.sell(1) for _ in range(600)))
    await till.in_step()
    till.same_as_central()
    assert max(len(batch) for batch in till.central.batches[-6:]) > 60


async def test_a_proxy_that_lets_nothing_pass_withholds_nothing(till: Till) -> None:
    till.central.proxy_bytes_max = 10
    await till.sell(3)
    till.start()
    await eventually(lambda: "on the way" in till.push.report.detail, "it says who is in the way")
    assert till.journal.quarantined() == []
    till.central.proxy_bytes_max = 1 << 30
    await till.in_step()
    till.same_as_central()


@pytest.mark.parametrize("says_index", [True, False])
async def test_a_fact_that_cannot_be_taken_is_found_and_another_says_so(till: Till, says_index: bool) -> None:
    till.central.says_index = says_index
    till.central.refuses = lambda fact: fact["data"].get("poison", False)
    await till.sell(20)
    await till.sell(1, poison=True)
    await till.sell(20)
    await till.sell(3, "people")
    await till.sell(1, "people", poison=True)
    await till.sell(2, "people")
    culprit = json.loads(till.journal.facts_after("trade", 20, 1, 1)[0][1])
    till.start()
    await till.in_step()
    till.same_as_central()
    trade = [decode_fact(wire) for wire in till.central.stream("trade").wires]
    assert [fact.number for fact in trade] == list(range(1, 42))
    assert [fact.type for fact in trade].count("retail.fact.withheld.v1") == 1
    told = json.loads(bytes(trade[20].data))
    assert (told["factId"], told["type"]) == (culprit["id"], "retail.sale.completed.v1")
    assert told["reason"]
    assert len(till.central.stream("people").wires) == 6
    assert [(one.stream, one.number) for one in till.journal.quarantined()] == [("trade", 21), ("people", 4)]
    assert till.push.report.quarantined == 2


async def test_a_withheld_fact_that_is_refused_as_well_stops_its_stream_alone(till: Till) -> None:
    till.central.refuses = lambda fact: fact["stream"] == "people"
    await till.sell(2, "people")
    await till.sell(2)
    till.start()
    await eventually(lambda: till.push.report.reason == "withheld_refused", "it is told")
    await till.sell(3)
    await eventually(lambda: till.central.stream("trade").next == 6, "the other stream goes on")
    assert till.push.report.link is Link.FROZEN
    assert till.central.stream("people").next == 1


async def test_what_central_puts_aside_is_mirrored_and_counted(till: Till) -> None:
    till.central.quarantines = lambda fact: fact["sequence"].endswith("2")
    await till.sell(3)
    till.start()
    await till.in_step()
    (aside,) = till.journal.quarantined()
    assert (aside.stream, aside.number, json.loads(aside.problem)["title"]) == ("trade", 2, "sum")
    assert till.push.report.quarantined == 1


async def test_central_that_was_restored_is_sent_again_what_it_lost(till: Till) -> None:
    await till.sell(6)
    till.start()
    await till.in_step()
    trade = till.central.stream("trade")
    del trade.wires[3:]
    trade.next, trade.hash = 4, fact_hash(trade.wires[-1])
    await till.sell(1)
    await till.in_step()
    assert trade.next == 8
    till.same_as_central()


async def test_a_disk_that_lost_its_tail_is_told_before_anything_is_sent(till: Till) -> None:
    await till.sell(2)
    await till.journal.acknowledge("central", {"trade": 3})
    trade = till.central.stream("trade")
    trade.next, trade.hash = 9, "a" * 64
    till.start()
    await eventually(lambda: till.push.report.link is Link.FROZEN, "frozen")
    assert till.push.report.reason == "tail_lost"
    assert "up to 8" in till.push.report.detail
    assert till.central.batches == []


async def test_a_cloned_disk_is_told_and_shows_central_one_contested_fact(tmp_path: Path) -> None:
    async with a_till(tmp_path / "one") as one, a_till(tmp_path / "two") as two:
        two.central.streams = one.central.streams
        await one.sell(3)
        await two.sell(3)
        one.start()
        await one.in_step()
        two.start()
        await eventually(lambda: two.push.report.link is Link.FROZEN, "frozen")
        assert two.push.report.reason == "fork"
        assert [len(batch) for batch in two.central.batches] == [1]
        assert "Two machines" in two.push.report.hint


@pytest.mark.parametrize(
    ("answer", "reason"), [("sequence-fork", "fork"), ("register-frozen", "frozen"), ("epoch-retired", "epoch"), ("chain-broken", "chain")]
)
async def test_central_that_freezes_the_register_stops_sending_and_not_selling(till: Till, answer: str, reason: str) -> None:
    async def refuse(request: httpx.Request) -> httpx.Response:
        return problem(409, answer)

    till.central.routes["/edge/v1/events"] = refuse
    await till.sell(1)
    till.start()
    await eventually(lambda: till.push.report.link is Link.FROZEN, "frozen")
    assert till.push.report.reason == reason
    sent = len(till.central.requests)
    await till.sell(5)
    await asyncio.sleep(0.05)
    assert len(till.central.requests) == sent
    till.central.routes.clear()
    till.push.retry_now()
    await till.in_step("somebody looked and central takes facts again")
    till.same_as_central()


async def test_waiting_grows_and_never_undercuts_what_central_asks_for() -> None:
    backoff = Backoff(Pace(base=1.0, cap=30.0), HalfRandom())
    assert [backoff.next() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert backoff.next(120) == 135.0
    assert backoff.next(10**9) == 3615.0
    backoff.reset()
    assert backoff.next() == 0.5


# --- the connector ---


async def test_the_connector_fits_the_ports_and_opens_nothing_by_being_made() -> None:
    central = FakeCentral()
    connector = http.connect(Settings("https://central.example", "t", "02", SystemClock(), transport=central))
    asked: ports.Central = connector
    assert isinstance(asked, HttpConnector)
    assert isinstance(http.enroller(Settings("https://central.example", "", "", SystemClock(), transport=central)), http.HttpEnroller)
    await connector.aclose()
    assert central.requests == []


async def test_every_answer_to_a_push_is_one_value() -> None:
    central = FakeCentral()
    connector = central.connector()
    wire = b'{"stream":"trade","sequence":"1","source":"%s","epoch":"1","prevhash":"%s"}' % (SOURCE.encode(), b"0" * 64)
    answer = await connector.push([wire])
    assert isinstance(answer, Acknowledged)
    assert answer.server_ms == 1_795_388_400_500
    assert isinstance(await connector.cursor(), RegisterCursor)
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: connector.push([wire]), connector.cursor, lambda: connector.page("carts", ""), lambda: connector.manifest("catalogue"),
    ]  # fmt: skip
    kinds = {
        "lose": Unreachable,
        "html": Unreachable,
        "redirect": Unreachable,
        "busy": Busy,
        "unauthorised": Refused,
        "forbidden": Refused,
        "error": Unreachable,
    }
    for fault, kind in kinds.items():
        for ask in asked:
            central.faults.append(fault)
            assert type(await ask()) is kind, fault
    central.frozen = "fork"
    assert await connector.push([wire.replace(b'"1","source', b'"2","source')]) == Frozen("frozen", "because register-frozen")
    await connector.aclose()


def a_people_central() -> FakeCentral:
    central = FakeCentral()
    held: dict[str, str] = {}

    async def people(request: httpx.Request) -> httpx.Response:
        match request.url.params.get("value", ""):
            case "LOY1":
                return httpx.Response(200, json=customer("k/1", "Anna Berg", loyalty="LOY1"))
            case "broken":
                return httpx.Response(200, json={"id": 5})
            case _:
                if request.url.raw_path == b"/edge/v1/customers/k%2F1/cart":
                    return httpx.Response(200, json=a_cart)
                return problem(404, "not-found")

    async def carts(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = json.loads(await request.aread() or b"{}")
        if path.endswith("/claim"):
            if body["version"] != 4:
                return problem(409, "cart-changed", version=4)
            if held.get("key", body["key"]) != body["key"]:
                return problem(409, "cart-held", heldBy="0001/03", untilMs=9)
            held["key"] = body["key"]
            return httpx.Response(200, json={"cart": "c1", "version": 4, "token": "lease", "untilMs": 99})
        if path.endswith(("/release", "/complete")):
            return httpx.Response(204) if body["token"] == "lease" else problem(409, "lease-gone")
        return httpx.Response(200, json=a_cart) if path == "/edge/v1/carts/c1" else problem(404, "not-found")

    a_cart = {"id": "c1", "customer": "k/1", "version": 4, "currency": "EUR", "channel": "web", "openedMs": 1, "heldBy": "",
              "lines": [{"line": "l1", "sku": "TS-1", "pieces": 2, "unitPriceMinor": 500}]}  # fmt: skip
    central.routes = {"/edge/v1/customers": people, "/edge/v1/carts": carts}
    return central


async def test_customers_and_carts_are_asked_for_claimed_and_given_back() -> None:
    connector = a_people_central().connector()
    found = await connector.identify(Identifier(IdentifierKind.LOYALTY, "LOY1"))
    assert found is not None
    assert found.name == "Anna Berg"
    assert found.as_of_ms > NOW_MS - 10**12
    assert await connector.identify(Identifier(IdentifierKind.PHONE, "+49")) is None
    cart = await connector.cart_of("k/1")
    assert cart is not None
    assert cart == await connector.cart("c1") or cart.total_minor == 1000
    assert await connector.cart("c2") is None
    lease = await connector.claim("c1", 4, "key-12345")
    assert lease == Lease("c1", 4, "lease", 99) == await connector.claim("c1", 4, "key-12345")
    with pytest.raises(CentralConflict) as held:
        await connector.claim("c1", 4, "key-99999")
    assert (held.value.reason, held.value.args_shown["held_by"]) == ("held", "0001/03")
    with pytest.raises(CentralConflict) as changed:
        await connector.claim("c1", 3, "key-12345")
    assert (changed.value.reason, changed.value.args_shown["version"]) == ("changed", "4")
    await connector.complete(lease, "sale-1", ["l1"])
    await connector.release(lease)
    await connector.release(Lease("c1", 4, "other", 1))
    await connector.release(Lease("c1", 4, "", 0))
    await connector.complete(Lease("c1", 4, "", 0), "sale-1", ["l1"])
    with pytest.raises(CentralConflict) as lost:
        await connector.complete(Lease("c1", 4, "other", 1), "sale-1", ["l1"])
    assert lost.value.reason == "lease_gone"
    with pytest.raises(ContractBroken):
        await connector.identify(Identifier(IdentifierKind.LOYALTY, "broken"))
    await connector.aclose()


async def test_central_that_does_not_answer_is_given_up_after_a_second_at_the_latest() -> None:
    central = a_people_central()
    connector = central.connector()
    loop = asyncio.get_running_loop()
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: connector.identify(Identifier(IdentifierKind.LOYALTY, "LOY1")), lambda: connector.cart("c1"), lambda: connector.claim("c1", 4, "key-12345"),
    ]  # fmt: skip
    central.faults.extend(["slow"] * 3)
    began = loop.time()
    results = await asyncio.gather(*(ask() for ask in asked), return_exceptions=True)
    assert loop.time() - began < 10  # central would take an hour
    assert [type(result) for result in results] == [CentralUnreachable] * 3
    for fault in ("lose", "html", "redirect", "error", "busy"):
        for ask in asked:
            central.faults.append(fault)
            with pytest.raises(CentralUnreachable):
                await ask()
    central.faults.append("unauthorised")
    with pytest.raises(CentralRefused):
        await asked[0]()
    await connector.aclose()
