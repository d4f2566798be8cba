"""A small central for tests of the register's side, with a network that loses, doubles and falsifies; it shares no code with ``sync.central``."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import zstandard

from edge_agent.clock import SystemClock
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector

SOURCE = "/t/acme/s/0001/r/02"
FIRST_HASH = "0" * 64


async def eventually(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait for ``condition``; AssertionError with ``what`` after ``seconds``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, f"did not happen within {seconds} s: {what}"
        await asyncio.sleep(0.002)


@dataclass
class Stream:
    next: int = 1
    hash: str = FIRST_HASH
    wires: list[bytes] = field(default_factory=list)


def problem(status: int, type: str, **members: Any) -> httpx.Response:
    body = {"type": f"urn:edge:problem:{type}", "title": type, "status": status, "detail": f"because {type}", **members}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json", "date": "Sun, 22 Nov 2026 23:00:00 GMT"})


def html(status: int = 200) -> httpx.Response:
    return httpx.Response(status, html="<html>Welcome to our guests' network. Accept the terms.</html>")


class FakeCentral(httpx.AsyncBaseTransport):
    """Keeps streams as the contract says. ``faults`` happen to the next requests, one each:

    ``lose`` the request, ``lose_answer`` (it was taken), ``double`` it, ``html``, ``redirect``, ``busy``, ``unauthorised``, ``forbidden``, ``error``, ``slow``.
    """

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.epoch = "1"
        self.frozen = ""
        self.faults: deque[str] = deque()
        self.requests: list[tuple[str, str]] = []
        self.batches: list[list[tuple[str, int]]] = []
        self.encodings: tuple[str, ...] = ("zstd", "gzip", "identity")
        self.seen_encodings: list[str] = []
        self.facts_max = 500
        self.bytes_max = 1 << 20
        self.proxy_bytes_max = 1 << 30
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False
        self.says_index = True
        self.believes = True
        """Whether a register that says that its disk ends before central is frozen; False as in a central that does not know such a fact."""
        self.quarantines: Callable[[dict[str, Any]], bool] = lambda _: False
        self.routes: dict[str, Callable[[httpx.Request], Awaitable[httpx.Response]]] = {}
        self.calm = asyncio.Event()
        self.calm.set()

    def connector(self) -> HttpConnector:
        return HttpConnector(Settings("https://central.example", "token-1", "02", SystemClock(), transport=self))

    def stream(self, name: str) -> Stream:
        return self.streams.setdefault(name, Stream())

    def taken_from_another(self, name: str) -> None:
        """Another machine with this register's disk sent the next fact of the stream."""
        stream = self.stream(name)
        stream.wires.append(b'{"another machine":%d}' % stream.next)
        stream.next, stream.hash = stream.next + 1, hashlib.sha256(stream.wires[-1]).hexdigest()

    def ids(self, name: str) -> list[str]:
        return [json.loads(wire)["id"] for wire in self.stream(name).wires]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.raw_path.decode()))
        await self.calm.wait()
        fault = self.faults.popleft() if self.faults else ""
        match fault:
            case "lose":
                raise httpx.ConnectError("lost", request=request)
            case "html":
                return html()
            case "redirect":
                return httpx.Response(302, headers={"location": "http://portal.example/login"})
            case "busy":
                return httpx.Response(503, headers={"retry-after": "0", "content-type": "text/plain"}, content=b"busy")
            case "unauthorised":
                return problem(401, "unauthorised")
            case "forbidden":
                return html(403)
            case "error":
                return html(502)
            case "slow":
                await asyncio.sleep(3600)
        answer = await self._answer(request)
        if answer.headers.get("content-type") == "application/x-ndjson":
            answer.headers.setdefault("date", "Sun, 22 Nov 2026 23:00:00 GMT")
        if fault == "double":
            answer = await self._answer(request)
        if fault == "lose_answer":
            raise httpx.ReadError("lost", request=request)
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        for prefix, route in self.routes.items():
            if path.startswith(prefix):
                return await route(request)
        assert request.headers["authorization"] == "Bearer token-1"
        if path == "/edge/v1/events":
            return self._events(request, await request.aread())
        if path == "/edge/v1/registers/02/cursor":
            streams = {name: {"next": one.next, "headHash": one.hash} for name, one in self.streams.items()}
            return httpx.Response(200, json={"source": SOURCE, "epoch": self.epoch, "streams": streams, "frozen": self.frozen})
        return problem(404, "not-found")

    def _events(self, request: httpx.Request, body: bytes) -> httpx.Response:
        encoding = request.headers["content-encoding"]
        assert request.headers["content-type"] == "application/cloudevents-batch+json"
        self.seen_encodings.append(encoding)
        if len(body) > self.proxy_bytes_max:
            return html(413)
        if encoding not in self.encodings:
            return problem(415, "encoding-unsupported")
        if encoding == "zstd":
            body = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)).read()
        elif encoding == "gzip":
            body = gzip.decompress(body)
        batch = self._cut(body)
        self.batches.append([(fact["stream"], int(fact["sequence"])) for fact, _ in batch])
        if len(batch) > self.facts_max or len(body) > self.bytes_max:
            return problem(413, "too-large")
        for index, (fact, _) in enumerate(batch):
            if self.refuses(fact):
                return problem(422, "envelope-invalid", **({"index": index} if self.says_index else {}))
        if self.frozen:
            return problem(409, "register-frozen")
        return self._take(batch)

    def _cut(self, body: bytes) -> list[tuple[dict[str, Any], bytes]]:
        """The facts of a batch and their own bytes, by the position of each in the text."""
        text = body.decode()
        found, at = [], 1
        decoder = json.JSONDecoder()
        while text[at - 1] != "]" and at < len(text):
            fact, end = decoder.raw_decode(text, at)
            found.append((fact, text[at:end].encode()))
            at = end + 1
        return found

    def _take(self, batch: list[tuple[dict[str, Any], bytes]]) -> httpx.Response:
        acks: dict[str, Any] = {}
        for fact, _ in batch:
            stream, number = self.stream(fact["stream"]), int(fact["sequence"])
            if fact["source"] != SOURCE or fact["epoch"] != self.epoch:
                return problem(409, "epoch-retired")
            ahead = sum(1 for other, _ in batch if other["stream"] == fact["stream"] and int(other["sequence"]) < number)
            if number > stream.next + ahead:
                return problem(409, "sequence-gap", stream=fact["stream"], expected=stream.next)
        for fact, wire in batch:
            stream, number = self.stream(fact["stream"]), int(fact["sequence"])
            ack = acks.setdefault(fact["stream"], {"next": 1, "accepted": 0, "duplicates": 0, "quarantined": []})
            if number < stream.next:
                if stream.wires[number - 1] != wire:
                    self.frozen = "fork"
                    return problem(409, "sequence-fork")
                ack["duplicates"] += 1
            else:
                assert fact["prevhash"] == stream.hash, "the chain is broken"
                stream.next, stream.hash = number + 1, hashlib.sha256(wire).hexdigest()
                stream.wires.append(wire)
                ack["accepted"] += 1
                self._hear(fact)
                if self.quarantines(fact):
                    ack["quarantined"].append({"sequence": number, "problem": {"type": "urn:edge:problem:sum", "title": "sum", "status": 422}})
            ack["next"] = stream.next
        return self._acknowledged(acks)

    def _hear(self, fact: dict[str, Any]) -> None:
        """Freeze a register that says that its disk ends before central, where it is so."""
        if fact.get("type") != "retail.register.behind.v1" or not self.believes:
            return
        told = fact["data"]
        if told["epoch"] == self.epoch:
            wires = self.stream(told["stream"]).wires[told["central"] - 1 : told["central"]]
            if [hashlib.sha256(wire).hexdigest() for wire in wires] == [told["headHash"]] and told["ours"] < told["central"]:
                self.frozen = "behind"

    def _acknowledged(self, acks: dict[str, Any]) -> httpx.Response:
        body = {"registers": {SOURCE: {"epoch": self.epoch, "streams": acks}}}
        return httpx.Response(200, json=body, headers={"date": "Sun, 22 Nov 2026 23:00:00 GMT"})
