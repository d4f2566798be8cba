"""The client of the local API on the real service, a whole register over its journal: the same in process and over the Unix socket it binds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.client import RESEND_SECONDS, AgentClient, ApiProblem, Disconnected, ServiceUnreachable
from edge_agent.domain.reading import Reading
from edge_agent.views import AddArticle, AttachCustomer, Enter, OpenShift, PayCash, Snapshot
from tests.support_api import FaultyWire, Served, new_id, served
from tests.support_shop import MemoryCentral, Rig, register

COAT, SOCKS = "4006381333931", "4006381333948"


@pytest.fixture(params=["in_process", "unix_socket"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


def client_of(shop: Served, ids: Callable[[], str] = new_id) -> tuple[AgentClient, FaultyWire]:
    """A client on a wire that can be broken."""
    wire = FaultyWire(shop.transport())
    return AgentClient(wire, shop.base_url, new_id=ids, pause=at_once), wire


@asynccontextmanager
async def selling(way: str, folder: Path) -> AsyncIterator[tuple[AgentClient, Rig, FaultyWire]]:
    """A client of a register with an open shift."""
    async with register(folder / "state", central=MemoryCentral()) as rig, served(rig, way, folder) as shop:
        client, wire = client_of(shop)
        async with client:
            await client.send(OpenShift("1001", 10_000))
            yield client, rig, wire


async def scan(rig: Rig, code: str) -> None:
    await rig.till.scanned(Reading(code.encode(), "scanner-1", rig.core.ports.clock.now_ms()))


async def next_of(news: AsyncIterator[Snapshot | Disconnected], fits: Callable[[Snapshot | Disconnected], bool]) -> Snapshot | Disconnected:
    """The first news that fits, with a deadline."""
    async with asyncio.timeout(5):
        async for came in news:
            if fits(came):
                return came
    raise AssertionError("no such news")


async def test_everything_that_can_be_asked_comes_back_as_its_type(way: str, tmp_path: Path) -> None:
    async with selling(way, tmp_path) as (client, _, _):
        await client.send(Enter(COAT))
        await client.send(AttachCustomer("c-maria"))
        sold = await client.send(PayCash(20_000))
        assert sold.last_sale is not None
        assert (await client.snapshot()).boot == sold.boot
        assert [row.name for row in (await client.articles("wool")).rows] == ["Wool coat"]
        assert [row.name for row in (await client.customers("maria")).rows] == ["Maria Fernandez"]
        assert (await client.customer_notes("c-maria")).notes == []
        assert [sale.receipt for sale in await client.sales("000001")] == [sold.last_sale.receipt]
        assert any("Wool coat" in line for line in (await client.sale(sold.last_sale.id)).receipt)
        assert await client.departments() == ["Fashion", "Food"]
        assert "notice.shift_opened" in [notice.key for notice in await client.notices()]
        assert await client.devices() == []
        assert (await client.status()).boot == sold.boot
        assert (await client.verification()).problems == []


async def test_the_answer_to_a_command_is_the_new_snapshot_and_it_is_on_disk(way: str, tmp_path: Path) -> None:
    async with selling(way, tmp_path) as (client, rig, _):
        before = await client.snapshot()
        answered = await client.send(Enter(COAT))
        assert answered.view > before.view
        assert [line.sku for line in answered.basket.lines] == ["COAT"]
        assert rig.journal.tail(1)[0].row.type == "LineAdded"


async def test_a_refusal_is_a_problem_with_its_key_and_hint(way: str, tmp_path: Path) -> None:
    async with selling(way, tmp_path) as (client, _, _):
        with pytest.raises(ApiProblem) as caught:
            await client.send(AddArticle("NOWHERE"))
        assert caught.value.problem.status == 422
        assert caught.value.problem.key.startswith("code_unknown.")
        assert caught.value.problem.hint


async def test_news_come_as_they_happen_each_newer_than_the_one_before(way: str, tmp_path: Path) -> None:
    async with selling(way, tmp_path) as (client, rig, _):
        news = client.news()
        first = await anext(news)
        assert isinstance(first, Snapshot)
        views = [first.view]
        for count, code in enumerate((COAT, SOCKS), 1):
            await scan(rig, code)
            came = await next_of(news, lambda now, count=count: isinstance(now, Snapshot) and now.basket is not None and len(now.basket.lines) == count)
            views.append(came.view)
        assert views == sorted(set(views))
        await news.aclose()


async def test_a_lost_answer_is_asked_for_again_under_the_same_id_and_sells_once(way: str, tmp_path: Path) -> None:
    async with selling(way, tmp_path) as (client, _, wire):
        wire.lose_answers = 1
        answered = await client.send(Enter(COAT))
        assert (wire.lose_answers, [line.pieces for line in answered.basket.lines]) == (0, [1])


async def test_answers_lost_again_and_again_are_an_unreachable_service_that_carried_it_out_once(way: str, tmp_path: Path) -> None:
    async with selling(way, tmp_path) as (client, _, wire):
        wire.lose_answers = 1 + len(RESEND_SECONDS)
        with pytest.raises(ServiceUnreachable):
            await client.send(Enter(COAT))
        assert [line.pieces for line in (await client.snapshot()).basket.lines] == [1]


async def test_a_lost_service_is_told_once_and_its_return_brings_a_snapshot_even_when_nothing_changed(way: str, tmp_path: Path) -> None:
    async with selling(way, tmp_path) as (client, rig, wire):
        news = client.news()
        held = await anext(news)
        lost = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0)
        wire.down = True
        rig.core.let_go()
        async with asyncio.timeout(5):
            assert isinstance(await lost, Disconnected)
            wire.down = False
            assert await anext(news) == held
        await news.aclose()


async def test_news_after_a_restart_of_the_service_begin_again_with_what_was_on_disk(way: str, tmp_path: Path) -> None:
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop:
        client, wire = client_of(shop)
        await client.send(OpenShift("1001", 10_000))
        sold = await client.send(Enter(COAT))
        news = client.news()
        assert (await anext(news)).view == sold.view
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop:
        await wire.inner.aclose()
        wire.inner = shop.transport()
        came = await next_of(news, lambda now: isinstance(now, Snapshot))
        assert came.boot != sold.boot
        assert [line.sku for line in came.basket.lines] == ["COAT"]
        await news.aclose()
        await client.aclose()
