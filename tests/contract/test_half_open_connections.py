"""Strangers who open connections and say nothing, or never finish: everybody else is answered, and the log stays short."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from litestar import Litestar, Request, get, post
from litestar.response import Stream

from edge_agent.serving import Listener, bind_loopback, bind_unix
from sync.bounded_http import LOGGED_EVERY_SECONDS, Connections, Seldom, connections_max
from sync.central.serving import EmbeddedCentral

ROOT = Path(__file__).parents[2]
HALF = b"GET / HTTP/1.1\r\nX"
SAYINGS = {"nothing": b"", "half a head": HALF, "half a body": b"POST /post HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf"}
LOG_BYTES_MAX = 4_096
ANSWER_SECONDS = 5.0


@contextmanager
def strangers(where: str | tuple[str, int], count: int, saying: bytes = HALF) -> Iterator[list[socket.socket]]:
    """So many connections that have said this, and hold the line."""
    held: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
            held.append(one)
            one.connect(where)
            try:
                one.sendall(saying)
            except OSError:
                continue  # closed already
        yield held
    finally:
        for one in held:
            one.close()


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@get("/", sync_to_thread=False)
def hello() -> str:
    return "hello"


@get("/slow")
async def slow() -> str:
    await asyncio.sleep(1.0)
    return "slow"


LONG = 8 * 1024 * 1024


@get("/long")
async def long() -> Stream:
    return Stream(bytes(64 * 1024) for _ in range(LONG // (64 * 1024)))


@post("/post", status_code=200)
async def taken(request: Request) -> str:  # type: ignore[type-arg] # of whatever
    return str(len(await request.body()))


@asynccontextmanager
async def served(connections: Connections, path: Path | None = None) -> AsyncIterator[str | tuple[str, int]]:
    listening = bind_unix(path) if path is not None else bind_loopback(0)
    listener = Listener(Litestar([hello, slow, long, taken], logging_config=None, openapi_config=None), listening, connections=connections)
    await listener.start()
    try:
        yield str(path) if path is not None else listening.getsockname()
    finally:
        await listener.stop()


def client_of(where: str | tuple[str, int]) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=where) if isinstance(where, str) else httpx.AsyncHTTPTransport()
    url = "http://local" if isinstance(where, str) else f"http://{where[0]}:{where[1]}"
    return httpx.AsyncClient(transport=transport, base_url=url, timeout=ANSWER_SECONDS, trust_env=False)


@pytest.mark.parametrize("how", ["socket", "port"])
@pytest.mark.parametrize("saying", SAYINGS.values(), ids=SAYINGS)
async def test_a_crowd_that_never_finishes_keeps_nobody_from_being_answered(tmp_path: Path, how: str, saying: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with served(Connections(20), tmp_path / "s" if how == "socket" else None) as where, client_of(where) as before, client_of(where) as after:
        under_way = asyncio.create_task(before.get("/slow"))
        await asyncio.sleep(0.1)
        crowd = strangers(where, 300, saying)
        held = await asyncio.to_thread(crowd.__enter__)
        try:
            assert (await after.get("/")).text == "hello"
            assert (await after.post("/post", content=b"12345")).text == "5"
            assert (await under_way).text == "slow", "whoever waits for us is not closed"
            assert sum(map(is_open, held)) <= 20
        finally:
            crowd.__exit__(None, None, None)
        assert (await after.get("/")).text == "hello"
    assert len(caplog.text) < LOG_BYTES_MAX


async def test_control_without_a_bound_the_whole_crowd_stays() -> None:
    async with served(Connections(10_000)) as where:
        with strangers(where, 300) as held:
            await asyncio.sleep(0.5)
            assert all(map(is_open, held))


async def test_when_everybody_waits_for_us_the_next_one_is_told_to_come_again() -> None:
    async with served(Connections(5)) as where, client_of(where) as many, client_of(where) as one:
        busy = [asyncio.create_task(many.get("/slow")) for _ in range(5)]
        await asyncio.sleep(0.3)
        refused = await one.get("/")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert [(await task).text for task in busy] == ["slow"] * 5
        assert (await one.get("/")).text == "hello"


@pytest.mark.parametrize("saying", SAYINGS.values(), ids=SAYINGS)
async def test_whoever_keeps_us_waiting_is_closed_in_time_also_when_it_drips(saying: bytes) -> None:
    async with served(Connections(50, head_seconds=0.3, body_quiet_seconds=0.3)) as where:
        with strangers(where, 3, saying) as (silent, *dripping):
            async with asyncio.timeout(ANSWER_SECONDS):
                while is_open(silent) or (saying == HALF and any(map(is_open, dripping))):
                    for one in dripping:
                        try:
                            one.send(b"x")
                        except OSError:
                            continue
                    await asyncio.sleep(0.05)


async def test_whoever_only_pauses_between_requests_is_kept() -> None:
    async with served(Connections(50, head_seconds=0.1, body_quiet_seconds=0.1)) as where, client_of(where) as client:
        streams = set()
        for _ in range(3):
            answer = await client.get("/")
            streams.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
            await asyncio.sleep(0.3)
            assert (await client.get("/slow")).text == "slow"
        assert len(streams) == 1


def test_central_answers_beside_a_crowd(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    central = EmbeddedCentral(tmp_path, connections=Connections(30))
    url = httpx.URL(central.start())
    try:
        with strangers((url.host, url.port or 0), 300), httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as client:
            assert client.get(f"{url}/schema/openapi.json").status_code == 200
    finally:
        central.stop()
    assert len(caplog.text) < LOG_BYTES_MAX


def test_the_program_answers_with_few_descriptors_and_its_log_stays_short(tmp_path: Path) -> None:
    """As many connections as would use up every descriptor that the process may have."""
    few = 512
    with (tmp_path / "log").open("wb") as log:
        program = subprocess.Popen(
            [sys.executable, "-m", "sync.central.cli", "serve", "--data", str(tmp_path / "central")], cwd=ROOT, stdout=subprocess.PIPE, stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, few)),
        )  # fmt: skip
        try:
            assert program.stdout is not None
            url = httpx.URL(program.stdout.readline().decode().strip())
            with strangers((url.host, url.port or 0), few + 200), httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as client:
                for _ in range(5):
                    assert client.get(f"{url}/schema/openapi.json").status_code == 200
        finally:
            program.terminate()
            program.wait(20)
            program.stdout.close()  # type: ignore[union-attr] # it was asked for
    assert (tmp_path / "log").stat().st_size < LOG_BYTES_MAX


def test_the_bound_is_below_what_the_process_may_open() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 16 <= connections_max(10**9) < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    assert connections_max(20) == 20


def test_what_strangers_cause_is_logged_once_a_minute_and_bugs_always() -> None:
    seldom = Seldom()

    def passed(name: str, level: int, message: str, at: float) -> bool:
        record = logging.LogRecord(name, level, "", 0, message, None, None)
        record.created = at
        return seldom.filter(record)

    accepting = "socket.accept() out of system resource\nsocket: <x>"
    assert [passed("asyncio", logging.ERROR, accepting, at) for at in (0.0, 1.0, LOGGED_EVERY_SECONDS, LOGGED_EVERY_SECONDS + 1)] == [True, False, True, False]
    assert [passed("uvicorn.error", logging.WARNING, "Invalid HTTP request received.", 5.0) for _ in range(2)] == [True, False]
    assert all(passed("uvicorn.error", logging.ERROR, "Exception in ASGI application\n", 5.0) for _ in range(3))
    assert all(passed("asyncio", logging.ERROR, "Task exception was never retrieved", 5.0) for _ in range(3))


async def test_who_takes_nothing_of_an_answer_is_given_up_and_who_takes_it_slowly_is_not(tmp_path: Path) -> None:
    where = str(tmp_path / "api.sock")
    connections = Connections(10, take_seconds=0.3)
    async with served(connections, Path(where)):
        ask = b"GET /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        with strangers(where, 2, ask) as (quiet, slow):
            slow.setblocking(False)
            came = 0
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(60):
                while piece := await loop.sock_recv(slow, 256 * 1024):
                    came += len(piece)
                    await asyncio.sleep(0.1)  # together much longer than a reader may take nothing
            assert came > LONG
            quiet.setblocking(False)
            came = 0
            with suppress(OSError):
                while piece := await loop.sock_recv(quiet, LONG):
                    came += len(piece)
            assert came < LONG
