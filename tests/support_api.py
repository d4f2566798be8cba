"""The local API of a register under test, reached in each of the ways that clients reach it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_agent import views as v
from edge_agent.client import AgentClient, ApiProblem
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.service import paying
from edge_agent.serving import Listener, bind_loopback, bind_unix
from tests.support_shop import MemoryCentral, Rig, register

COAT, SOCKS = "4006381333931", "4006381333948"
WAYS = ("in_process", "unix_socket", "loopback_with_token")
new_id = ClockIds(SystemClock(), SystemRandom())


@dataclass
class Served:
    """One way to a register's API: as many clients as a test wants, typed or plain."""

    rig: Rig
    transport: Callable[[], httpx.AsyncBaseTransport]
    base_url: str
    token: str

    def client(self, ids: Callable[[], str] = new_id) -> AgentClient:
        return AgentClient(self.transport(), self.base_url, self.token, new_id=ids)

    def plain(self, token: str | None = None) -> httpx.AsyncClient:
        """A client that says what it is told to, with the right token unless told another."""
        sent = self.token if token is None else token
        headers = {"Authorization": f"Bearer {sent}"} if sent else {}
        return httpx.AsyncClient(transport=self.transport(), base_url=self.base_url, headers=headers, timeout=30, trust_env=False)


@asynccontextmanager
async def served(rig: Rig, way: str, folder: Path) -> AsyncIterator[Served]:
    """The API of ``rig``, reached the named way (one of WAYS)."""
    token = secrets.token_urlsafe(32) if way == "loopback_with_token" else ""
    app: Any = await rig.api(token)
    if way == "in_process":
        yield Served(rig, lambda: httpx.ASGITransport(app), "http://register", token)
        return
    listening = bind_unix(folder / "api.sock") if way == "unix_socket" else bind_loopback(0)
    listener = Listener(app, listening, stopping=rig.core.let_go)
    await listener.start()
    try:
        if way == "unix_socket":
            yield Served(rig, lambda: httpx.AsyncHTTPTransport(uds=str(folder / "api.sock")), "http://register", token)
        else:
            yield Served(rig, httpx.AsyncHTTPTransport, f"http://127.0.0.1:{listening.getsockname()[1]}", token)
    finally:
        await listener.stop()


class FaultyWire(httpx.AsyncBaseTransport):
    """A wire with faults: ``down`` makes every request fail, ``lose_answers`` loses that many answers to commands that were carried out."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.down = False
        self.lose_answers = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("nothing listens", request=request)
        answer = await self.inner.handle_async_request(request)
        if self.down:
            await answer.aclose()
            raise httpx.ReadError("the service went away", request=request)
        if request.method == "POST" and self.lose_answers:
            self.lose_answers -= 1
            await answer.aclose()
            raise httpx.ReadError("the answer was lost", request=request)
        return answer

    async def aclose(self) -> None:
        await self.inner.aclose()


# --- for a client suite: a register with central and a scripted terminal, reached in every way -----------------------------------


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terminals are asked again, and the disk is tried again, at once."""
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.01)


@pytest.fixture(name="way", params=WAYS)
def fixture_way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="shop")
async def fixture_shop(way: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A register with central and a scripted terminal, and its API."""
    async with register(tmp_path / "state", central=MemoryCentral()) as rig, served(rig, way, tmp_path) as found:
        yield found


@asynccontextmanager
async def selling(shop: Served) -> AsyncIterator[AgentClient]:
    """A client with an open shift."""
    async with shop.client() as client:
        await client.send(v.OpenShift("1001", 10_000))
        yield client


async def until(client: AgentClient, condition: Callable[[v.Snapshot], bool], seconds: float = 5.0) -> v.Snapshot:
    """The first snapshot that fits, heard by long-poll."""
    async with asyncio.timeout(seconds):
        async for news in client.news():
            if isinstance(news, v.Snapshot) and condition(news):
                return news
    raise AssertionError("no such news")


async def refused(sending: Awaitable[object]) -> v.Problem:
    """Why it was refused."""
    with pytest.raises(ApiProblem) as caught:
        await sending
    return caught.value.problem
