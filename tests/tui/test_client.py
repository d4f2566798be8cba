"""The client of the local API: the same over ASGI in process and over a Unix socket, with the faults that a wire has."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn

from edge_agent.client import RESEND_SECONDS, AgentClient, ApiProblem, Disconnected, ServiceUnreachable, newest
from edge_agent.views import CustomerRowView, Enter, Problem, Snapshot
from tests.support_service import ScriptedService, article
from tests.support_snapshots import BOOT, MARIA, READY, SALE, UNKNOWN_CODE, ident
from tests.support_till import until

replace = msgspec.structs.replace
TRANSPORTS = ["in process", "unix socket"]


@asynccontextmanager
async def listening(service: ScriptedService, socket: Path) -> AsyncIterator[httpx.AsyncBaseTransport]:
    """The service on a Unix socket."""
    server = uvicorn.Server(uvicorn.Config(service, uds=str(socket), log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started, "the server")
        yield httpx.AsyncHTTPTransport(uds=str(socket))
    finally:
        server.should_exit = True
        service.wake()
        await running


@asynccontextmanager
async def client_of(service: ScriptedService, transport: str, folder: Path) -> AsyncIterator[AgentClient]:
    """A client of the service over that transport."""
    numbers = itertools.count()

    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    if transport == "in process":
        async with AgentClient(service.transport, new_id=lambda: ident(f"id {next(numbers)}"), pause=at_once) as client:
            yield client
        return
    async with (
        listening(service, folder / "edge.sock") as wire,
        AgentClient(wire, new_id=lambda: ident(f"id {next(numbers)}"), pause=at_once) as client,
    ):
        yield client


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_everything_that_can_be_asked_comes_back_as_its_type(transport: str, tmp_path: Path) -> None:
    service = ScriptedService(READY)
    service.articles = [article("SKU-1", "Wool coat", "navy", "04006381333931", 19900, "199,00")]
    service.customers = [CustomerRowView("c-1", "Maria Fernandez", "gold", "…4711")]
    service.notes, service.sales, service.receipt = ["Likes tea."], [SALE], ["Berlin Mitte"]
    service.departments, service.notices = ["fashion"], [UNKNOWN_CODE]
    async with client_of(service, transport, tmp_path) as client:
        assert await client.snapshot() == READY
        assert (await client.articles("wool")).rows == service.articles
        assert (await client.customers("maria")).rows == service.customers
        assert (await client.customer_notes(MARIA.id)).notes == ["Likes tea."]
        assert await client.sales("000123") == [SALE]
        assert (await client.sale(SALE.id)).receipt == ["Berlin Mitte"]
        assert await client.departments() == ["fashion"]
        assert await client.notices() == [UNKNOWN_CODE]
        assert await client.devices() == READY.devices


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_answer_to_a_command_is_the_new_snapshot(transport: str, tmp_path: Path) -> None:
    service = ScriptedService(READY)
    async with client_of(service, transport, tmp_path) as client:
        answered = await client.send(Enter("4006381333931"))
        assert answered.view == READY.view + 1
        assert service.commands == [Enter("4006381333931")]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_refusal_is_a_problem_with_its_key_and_hint(transport: str, tmp_path: Path) -> None:
    service = ScriptedService(READY)
    refusal = Problem("about:blank", "Unknown", 404, "Not in the catalogue.", "code_unknown.article", "F4", {"code": "4"})
    service.on(Enter, lambda snapshot, command: refusal)
    async with client_of(service, transport, tmp_path) as client:
        with pytest.raises(ApiProblem) as caught:
            await client.send(Enter("4"))
        assert caught.value.problem == refusal


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_news_come_as_they_happen_each_newer_than_the_one_before(transport: str, tmp_path: Path) -> None:
    service = ScriptedService(READY)
    async with client_of(service, transport, tmp_path) as client:
        news = client.news()
        assert await anext(news) == READY
        service.publish(store="Second")
        second = await anext(news)
        service.publish(store="Third")
        third = await anext(news)
        assert [held.store for held in (second, third) if isinstance(held, Snapshot)] == ["Second", "Third"]
        await news.aclose()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_news_after_a_restart_of_the_service_begin_again_at_its_first_view(transport: str, tmp_path: Path) -> None:
    service = ScriptedService(replace(READY, view=700))
    async with client_of(service, transport, tmp_path) as client:
        news = client.news()
        await anext(news)
        service.snapshot = replace(READY, boot=ident("another boot"), view=1)
        service.wake()
        came = await anext(news)
        assert isinstance(came, Snapshot)
        assert (came.boot, came.view) == (ident("another boot"), 1)
        await news.aclose()


async def test_a_lost_answer_is_asked_for_again_under_the_same_id(tmp_path: Path) -> None:
    service = ScriptedService(READY)
    async with client_of(service, "in process", tmp_path) as client:
        service.lose_answers = 1
        await client.send(Enter("1"))
        assert len(service.commands) == len(service.repeated) == 1


async def test_a_service_that_starts_again_meanwhile_carries_the_command_out_once(tmp_path: Path) -> None:
    service, waited = ScriptedService(READY), list[float]()

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        service.down = len(waited) < 5

    async with AgentClient(service.transport, new_id=lambda: ident("one"), pause=pause) as client:
        service.down = True
        await client.send(Enter("1"))
    assert (len(service.commands), waited) == (1, list(RESEND_SECONDS[:5]))


async def test_answers_that_are_lost_again_and_again_are_an_unreachable_service(tmp_path: Path) -> None:
    service = ScriptedService(READY)
    async with client_of(service, "in process", tmp_path) as client:
        service.lose_answers = 1 + len(RESEND_SECONDS)
        with pytest.raises(ServiceUnreachable):
            await client.send(Enter("1"))


async def test_a_lost_service_is_told_once_and_its_return_brings_a_snapshot_even_when_nothing_changed(tmp_path: Path) -> None:
    service = ScriptedService(READY)
    async with client_of(service, "in process", tmp_path) as client:
        news = client.news()
        assert await anext(news) == READY
        service.down = True
        service.wake()
        lost = await anext(news)
        assert isinstance(lost, Disconnected)
        assert isinstance(lost.error, ServiceUnreachable)
        assert lost.error.reason == "refused"
        service.down = False
        assert await anext(news) == READY
        await news.aclose()


async def test_nothing_listens_is_unreachable_and_says_so(tmp_path: Path) -> None:
    where = str(tmp_path / "nothing.sock")
    async with AgentClient(httpx.AsyncHTTPTransport(uds=where), new_id=lambda: ident("x"), where=where) as client:
        with pytest.raises(ServiceUnreachable) as caught:
            await client.snapshot()
    assert caught.value.reason == "absent"


@pytest.mark.parametrize(("status", "body"), [(502, b"<html>Bad gateway</html>"), (500, b""), (302, b"")])
async def test_an_answer_that_is_no_problem_becomes_one(status: int, body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, content=body))
    async with AgentClient(transport, new_id=lambda: ident("x")) as client:
        with pytest.raises(ApiProblem) as caught:
            await client.snapshot()
        assert caught.value.problem.key == "client.answer"
        assert caught.value.problem.status == status


@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b'{"boot": 1}', b""])
async def test_a_good_answer_that_cannot_be_read_is_no_snapshot(body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    async with AgentClient(transport, new_id=lambda: ident("x")) as client:
        with pytest.raises(ServiceUnreachable, match="/v1/snapshot cannot be read"):
            await client.snapshot()


async def test_the_token_goes_with_every_request_and_only_when_there_is_one() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(200, content=b"[]")

    for token in ("", "sesame"):
        async with AgentClient(httpx.MockTransport(answer), "http://127.0.0.1:1", token, new_id=lambda: ident("x")) as client:
            await client.departments()
    assert seen == [None, "Bearer sesame"]


def test_of_two_snapshots_the_higher_view_is_newer_and_another_boot_newer_than_any() -> None:
    old, new = replace(READY, view=4), replace(READY, view=5)
    restarted = replace(READY, boot=ident("another boot"), view=1)
    assert newest(None, old) is old
    assert newest(old, new) is new
    assert newest(new, old) is new
    assert newest(new, restarted) is restarted
    assert READY.boot == BOOT
