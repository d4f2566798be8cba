"""The simulated network, and the real central platform behind it, which can be killed."""

from __future__ import annotations

import asyncio
from contextvars import Context
from email.utils import formatdate
from functools import cache
from typing import Any

import httpx
from litestar.di import Provide

from sync.central.api.app import _app
from sync.central.central import Central
from sync.central.limits import Limits
from sync.contract.rows import CartRow, CustomerRow, StoreRow
from tests.simulation.sim_loop import Life, Seeded, SimClock, SimTurns
from tests.simulation.sim_world import START_MS, World, as_after_a_crash


class SimNetwork(httpx.AsyncBaseTransport):
    """Between one register and central: requests and answers get lost, doubled, come late, or are answered by a stranger."""

    def __init__(self, world: World, central: SimCentral) -> None:
        self._world = world
        self._central = central

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world, random, faults = self._world, self._world.random, self._world.faults
        body = await request.aread()
        patience = float(request.extensions["timeout"]["read"] or 30.0)
        await asyncio.sleep(random.between(0.001, 0.05))
        if not world.network_up or random.chance(faults.lost_request):
            world.count("request lost")
            if random.chance(0.5):
                raise httpx.ConnectError("no route", request=request)
            await asyncio.sleep(patience)
            raise httpx.ReadTimeout("no answer", request=request)
        if random.chance(faults.stranger):
            world.count("stranger answered")
            status = random.one_of((200, 302, 403, 502))
            return httpx.Response(status, html="<html>Accept the terms.</html>", request=request)
        times = 2 if random.chance(faults.doubled) else 1
        answers: list[asyncio.Future[httpx.Response]] = []
        for time in range(times):
            delay = random.between(patience * 0.5, patience * 3) if random.chance(faults.late) else random.between(0.0005, 0.02)
            answers.append(self._deliver(request, body, delay + time * random.between(0.0, 2.0)))
        if times == 2:
            world.count("request doubled")
        done, _ = await asyncio.wait(answers, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if not done or random.chance(faults.lost_answer) or not world.network_up:
            world.count("answer lost or late")
            if done:
                await asyncio.sleep(random.between(0.0, patience))
            raise httpx.ReadTimeout("no answer", request=request)
        await asyncio.sleep(random.between(0.0005, 0.02))
        return done.pop().result()

    def _deliver(self, request: httpx.Request, body: bytes, delay: float) -> asyncio.Future[httpx.Response]:
        """Have central answer ``delay`` later; the answer comes to a future that central's own death leaves open, or breaks."""
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        outside = Context()  # what is on the wire belongs to nobody's life

        def arrive() -> None:
            self._central.receive(request, body, answer)

        asyncio.get_running_loop().call_later(delay, arrive, context=outside)
        return answer


class SimCentral:
    """The reference central over its own folder; it can be killed and started again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clock = SimClock(world.loop, START_MS)
        self._random = Seeded(f"central-{world.seed}")
        self._generation = 0
        self._folder = world.folder / "central-0"
        self._life: Life | None = None
        self._context: Context | None = None
        self._pending: list[asyncio.Future[httpx.Response]] = []
        self.central: Central | None = None

    def start(self) -> None:
        """Open it. Its writer works on the loop; while it is being opened, at once."""
        life = Life("central")
        turns = SimTurns(self._world.loop, life, lambda: self._random.between(0.0002, 0.002), tick_seconds=30.0)
        turns.at_once = True
        context = life.context()
        self.central = context.run(lambda: Central(self._folder, self._clock, self._random, tenant="acme", ops_token="ops", turns=turns))
        _platforms[:] = [self.central._platform]
        self._life, self._context, self._turns = life, context, turns

    def seed_shop(self, carts: list[CartRow], customers: list[CustomerRow], registers: list[str]) -> None:
        assert self.central is not None
        self.central.seed_stores([StoreRow(store="0001", store_name="Berlin Mitte", country="DE", registers=registers)])
        self.central.seed("customers", [(row.id, _plain(row)) for row in customers])
        self.central.seed("carts", [(row.id, _plain(row)) for row in carts])

    def enrol_code(self, register: str) -> str:
        """A code, made while nobody is in a hurry."""
        assert self.central is not None
        self._turns.at_once = True
        made = self.central.enrol_code("0001", register)
        self._turns.at_once = False
        return made.code

    def heads(self) -> dict[str, int] | None:
        """The last fact of each stream that it has on its disk; None while it is down."""
        if self._life is None or self.central is None:
            return None
        rows = self.central._platform.readers.now(lambda db: db.execute("SELECT stream, next - 1 FROM chain").fetchall())
        return dict(rows)

    def open_for_business(self) -> None:
        """From now on its writer takes its time."""
        self._turns.at_once = False

    def kill(self) -> None:
        """The power goes: what was committed is on its disk, what was under way is answered by nobody."""
        if self._life is None:
            return
        self._life.end()
        self._life = None
        self._generation += 1
        there, self._folder = self._folder, self._world.folder / f"central-{self._generation}"
        as_after_a_crash(there, self._folder)
        for answer in self._pending:
            if not answer.done():
                answer.set_exception(httpx.ReadError("the connection was reset"))
        self._pending.clear()
        self.central = None

    def restart(self) -> None:
        if self._life is None:
            self.start()
            self.open_for_business()

    def receive(self, request: httpx.Request, body: bytes, answer: asyncio.Future[httpx.Response]) -> None:
        """A request arrives."""
        if answer.cancelled():
            answer = self._world.loop.create_future()  # who asked is gone; the request is here all the same
        if self._life is None or self._context is None:
            if not answer.done():
                answer.set_exception(httpx.ConnectError("connection refused"))
            answer.exception() if answer.done() and not answer.cancelled() else None
            return
        self._pending = [pending for pending in self._pending if not pending.done()]
        self._pending.append(answer)
        self._world.loop.create_task(self._answer(request, body, answer), context=self._context.copy())

    async def _answer(self, request: httpx.Request, body: bytes, answer: asyncio.Future[httpx.Response]) -> None:
        status, headers, content = await call_asgi(central_app(), request, body)
        headers.append(("date", formatdate(self._clock.now_ms() / 1000, usegmt=True)))
        if not answer.done():
            answer.set_result(httpx.Response(status, headers=headers, content=content, request=request))


_platforms: list[Any] = []


@cache
def central_app() -> Any:
    """Central's application over whichever platform was started last: to build it takes a third of a second, and a day has many restarts."""
    return _app(Limits(), Provide(lambda: _platforms[0], sync_to_thread=False))


async def call_asgi(app: Any, request: httpx.Request, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """One request through an ASGI application: status, headers, body."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": "http",
        "path": request.url.path, "raw_path": request.url.raw_path.split(b"?")[0], "query_string": request.url.query, "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw], "server": ("central", 80), "client": ("register", 1),
    }  # fmt: skip
    sent: list[dict[str, Any]] = []
    given = False

    async def receive() -> dict[str, Any]:
        nonlocal given
        if given:
            await asyncio.get_running_loop().create_future()  # the client stays on the line
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return start["status"], [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]], content


def _plain(row: Any) -> dict[str, Any]:
    import msgspec

    made: dict[str, Any] = msgspec.to_builtins(row)
    return made
