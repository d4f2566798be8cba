"""A scripted service: an ASGI app that answers the local API's requests from snapshots handed to it, and remembers what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

from edge_agent.views import (
    ENCODER,
    Amount,
    AnyCommand,
    ArticleView,
    CustomerNotesView,
    CustomerRowView,
    DeviceView,
    Found,
    NoticeView,
    Problem,
    Request,
    SaleDetailView,
    SaleView,
    Snapshot,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Reaction = Callable[[Snapshot, AnyCommand], Snapshot | Problem]


class ScriptedService:
    """Say what a command does with ``on(CommandType, reaction)``; a command without a reaction only numbers a new view.

    ``publish`` is news from outside; ``commands`` are the commands that came, in order, with a command repeated under its id counted
    once in ``commands`` and in ``repeated``. ``down`` makes every request fail as if the service were not there; ``lose_answers`` loses
    that many answers after the command was carried out.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.commands: list[AnyCommand] = []
        self.repeated: list[str] = []
        self.asked: list[str] = []
        self.down = False
        self.lose_answers = 0
        self.articles: list[ArticleView] = []
        self.more = False
        self.customers: list[CustomerRowView] = []
        self.notes: list[str] | None = None
        self.sales: list[SaleView] = []
        self.receipt: list[str] = []
        self.departments: list[str] = []
        self.notices: list[NoticeView] = []
        self.hold: asyncio.Event | None = None
        self._reactions: dict[type, Reaction] = {}
        self._ids: dict[str, None] = {}
        self._news = asyncio.Event()

    def on(self, command: type, reaction: Reaction) -> None:
        """What a command leads to."""
        self._reactions[command] = reaction

    def publish(self, snapshot: Snapshot | None = None, **changes: object) -> None:
        """A newer snapshot: this one, or the present one with changes; it is given the next number."""
        came = msgspec.structs.replace(snapshot or self.snapshot, **changes)
        self.snapshot = msgspec.structs.replace(came, view=self.snapshot.view + 1)
        self._news.set()
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._news.set()
        self._news = asyncio.Event()

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """A transport that ends here."""
        return _Transport(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3)."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode(), keep_blank_values=True).items()}
        status, answer = await self._answer(scope["method"], scope["path"], query, body)
        kind = b"application/problem+json" if status >= 400 else b"application/json"
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.asked.append(f"{method} {path}")
        if path == "/v1/events":
            return await self._events(query)
        if path == "/v1/commands":
            return await self._command(body)
        found = self._query(path, query)
        if found is None:
            return 404, ENCODER.encode(Problem("about:blank", "Not found", 404, f"Nothing at {path}.", "client.answer", shown={"status": "404"}))
        return 200, ENCODER.encode(found)

    async def _events(self, query: dict[str, str]) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(float(query["wait"])):
                while not self.down and self.snapshot.boot == query["boot"] and self.snapshot.view <= int(query["after"]):
                    await self._news.wait()
        except TimeoutError:
            return 204, b""
        return 200, ENCODER.encode(self.snapshot)

    async def _command(self, body: bytes) -> tuple[int, bytes]:
        request = msgspec.json.decode(body, type=Request)
        if self.hold is not None:
            await self.hold.wait()
        if request.id in self._ids:
            self.repeated.append(request.id)
            return 200, ENCODER.encode(self.snapshot)
        self._ids[request.id] = None
        self.commands.append(request.command)
        reaction = self._reactions.get(type(request.command), lambda snapshot, command: snapshot)
        result = reaction(self.snapshot, request.command)
        if isinstance(result, Problem):
            return result.status, ENCODER.encode(result)
        self.publish(result)
        return 200, ENCODER.encode(self.snapshot)

    def _query(self, path: str, query: dict[str, str]) -> object | None:
        wanted = query.get("q", "").casefold().split()
        age = self.snapshot.at_ms - 120_000
        match path.removeprefix("/v1/").split("/"):
            case ["snapshot"]:
                return self.snapshot
            case ["articles"]:
                return Found([one for one in self.articles if _has(f"{one.name} {one.variant} {one.gtin} {one.sku}", wanted)], "local", age, self.more)
            case ["customers"]:
                return Found([one for one in self.customers if _has(f"{one.name} {one.hint}", wanted)], "local", age)
            case ["customers", customer, "notes"] if self.notes is not None:
                return CustomerNotesView(customer, self.notes)
            case ["sales"]:
                return [one for one in self.sales if _has(f"{one.receipt} {one.total.text}", wanted)]
            case ["sales", sale]:
                return next((SaleDetailView(one, self.receipt) for one in self.sales if one.id == sale), None)
            case ["departments"]:
                return self.departments
            case ["notices"]:
                return self.notices
            case ["devices"]:
                devices: list[DeviceView] = self.snapshot.devices
                return devices
        return None


class _Transport(httpx.AsyncBaseTransport):
    """ASGI in process, with the faults of a wire."""

    def __init__(self, service: ScriptedService) -> None:
        self._service = service
        self._inner = httpx.ASGITransport(service)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._service.down:
            raise httpx.ConnectError("nothing listens", request=request)
        answer = await self._inner.handle_async_request(request)
        if self._service.down:
            raise httpx.ReadError("the service went away", request=request)
        if request.method == "POST" and self._service.lose_answers:
            self._service.lose_answers -= 1
            raise httpx.ReadError("the answer was lost", request=request)
        return answer


def _has(text: str, wanted: list[str]) -> bool:
    return all(word in text.casefold() for word in wanted)


def article(sku: str, name: str, variant: str, gtin: str, minor: int, text: str, per: str = "piece") -> ArticleView:
    """One article of a search."""
    return ArticleView(sku, name, variant, gtin, Amount(minor, text), "kg" if per == "kg" else "piece")


def refusal(key: str, detail: str, hint: str = "", **shown: str) -> Problem:
    """A command that the service refuses."""
    return Problem("about:blank", "Refused", 409, detail, key, hint, shown)
