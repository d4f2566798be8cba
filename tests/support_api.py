"""The local API of a register under test, reached in each of the ways that clients reach it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from edge_agent.client import AgentClient
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.serving import Listener, bind_loopback, bind_unix
from tests.support_shop import Rig

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
