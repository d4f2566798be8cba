"""What answers in central's place, or central itself gone wrong, cannot do to a register: fill its memory, hold it up, or make it forget a fact."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
import zstandard

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.errors import ContractBroken
from edge_agent.listening import accept_no_more
from edge_agent.ports import Commit
from sync.backoff import Pace
from sync.connectors import _http_exchange, http
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.messages import EnrolRequest, SnapshotManifest
from sync.feed_store import parse_page
from sync.identity import Identity
from sync.link import Busy, Fetched, Page, Refused, Unreachable
from sync.push import Push
from tests.support_central import SOURCE, FakeCentral, eventually, html, problem
from tests.support_enrolled import enrolled, running_central
from tests.support_journal import a_fact, new_id, open_journal
from tests.support_replica import NOW_MS, FixedClock

QUICK = Pace(base=0.002, cap=0.01, idle=5.0, frozen=5.0, withhold=0.02)
NDJSON = b"Content-Type: application/x-ndjson\r\n"


@asynccontextmanager
async def answering(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[HttpConnector]:
    """A connector to something that listens on loopback and answers every request with ``answer``."""

    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())  # type: ignore[arg-type]  # it runs in one
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                await reader.readuntil(b"\r\n\r\n")
                await answer(writer)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
            finally:
                writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    connector = HttpConnector(Settings(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "token-1", "02", SystemClock()))
    try:
        yield connector
    finally:
        await connector.aclose()
        await accept_no_more(server)
        server.close()
        for each in talks:
            each.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def zeros(size: int, coding: str) -> bytes:
    if coding == "zstd":
        return zstandard.ZstdCompressor(19).compress(bytes(size))
    plain = gzip.compress(bytes(size), 6)
    return plain if coding == "gzip" else gzip.compress(plain, 6)


@pytest.mark.parametrize(("coding", "size"), [("zstd", 400_000_000), ("gzip", 400_000_000), ("gzip, gzip", 400_000_000)])
async def test_a_compressed_answer_does_not_unfold_in_memory(coding: str, size: int) -> None:
    bomb = zeros(size, coding)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + NDJSON + f"Content-Encoding: {coding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode() + bomb)
        await writer.drain()

    async with answering(answer) as connector:
        tracemalloc.start()
        try:
            found = await connector.page("customers", "")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert isinstance(found, Unreachable)
    assert peak < 200_000_000


async def test_a_refusal_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n")
        while sent < 64 * 1024 * 1024:
            writer.write(bytes(65_536))
            sent += 65_536
            await writer.drain()

    manifest = SnapshotManifest("catalogue", 1, "c", "0" * 64, 1000, 1, NOW_MS, "/edge/v1/snapshots/catalogue/file")
    async with answering(answer) as connector:
        found = await connector.fetch(manifest, Path("/nonexistent"))
    assert isinstance(found, Unreachable)
    assert sent < 32 * 1024 * 1024


async def test_an_answer_that_trickles_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http_exchange, "EXCHANGE_SECONDS_MAX", 0.2)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + NDJSON + b"\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with answering(answer) as connector, asyncio.timeout(5):
        assert isinstance(await connector.page("customers", ""), Unreachable)
        assert isinstance(await connector.push([b"{}"]), Unreachable)


async def test_nothing_that_was_asked_takes_longer_than_three_times_what_one_part_of_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ASK_SECONDS", 0.1)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + NDJSON + b"\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with answering(answer) as connector, asyncio.timeout(10):
        assert await connector.cursor() == Unreachable("Central does not come to an end in time.")


class Trickle(httpx.AsyncByteStream):
    """A file that comes on by one piece in five seconds of ``clock``, without end."""

    def __init__(self, clock: FixedClock, piece: bytes) -> None:
        self.clock, self.piece, self.pieces = clock, piece, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.clock.ms += 5_000
            self.pieces += 1
            yield self.piece


@pytest.mark.parametrize(("piece", "minutes"), [(b"x", 1), (bytes(5_461), 1), (bytes(5_500), None)])
async def test_a_snapshot_that_trickles_is_given_up_and_kept_as_far_as_it_came(piece: bytes, minutes: int | None, tmp_path: Path) -> None:
    clock, size = FixedClock(), 1_000_000
    trickle = Trickle(clock, piece)
    transport = httpx.MockTransport(lambda request: httpx.Response(206, headers={"Content-Range": f"bytes 0-{size - 1}/{size}"}, stream=trickle))
    connector = HttpConnector(Settings("https://central.example", "token-1", "02", clock, transport=transport))
    manifest = SnapshotManifest("catalogue", 1, "c", "0" * 64, size, 1, NOW_MS, "/edge/v1/snapshots/catalogue/file")
    found = await connector.fetch(manifest, tmp_path / "file.part")
    await connector.aclose()
    came = (tmp_path / "file.part").stat().st_size
    if minutes is None:
        assert (found, came) == (Fetched(), size)
        assert trickle.pieces * 5 > 60 * 10, "however long it takes"
    else:
        assert found == Unreachable(f"The snapshot's file trickles: {12 * len(piece)} bytes in 60 s, expected at least 65536.")
        assert came == 12 * len(piece)


async def test_a_snapshot_whose_answer_never_begins_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(http, "EXCHANGE_SECONDS_MAX", 0.2)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    manifest = SnapshotManifest("catalogue", 1, "c", "0" * 64, 1000, 1, NOW_MS, "/edge/v1/snapshots/catalogue/file")
    async with answering(answer) as connector, asyncio.timeout(5):
        assert isinstance(await connector.fetch(manifest, tmp_path / "file.part"), Unreachable)


async def test_why_central_cannot_be_reached_is_said_in_words() -> None:
    connector = HttpConnector(Settings("http://127.0.0.1:9", "token-1", "02", SystemClock()))
    found = await connector.cursor()
    await connector.aclose()
    assert found == Unreachable("Central cannot be reached: nothing listens at its address.")


async def test_no_cookie_of_a_portal_is_kept_or_sent_back() -> None:
    central = FakeCentral()
    seen: list[bool] = []

    async def portal(request: httpx.Request) -> httpx.Response:
        seen.append("cookie" in request.headers)
        answer = html()
        answer.headers["set-cookie"] = f"session={len(seen)}; Path=/"
        return answer

    central.routes["/edge/v1/"] = portal
    connector = central.connector()
    await connector.page("customers", "")
    await connector.page("customers", "")
    await connector.aclose()
    assert seen == [False, False]


@pytest.mark.parametrize(("own", "seconds"), [(False, 60.0), (True, 86_400.0)])
async def test_a_portal_cannot_make_the_facts_wait_for_a_day(own: bool, seconds: float) -> None:
    central = FakeCentral()

    async def busy(_: httpx.Request) -> httpx.Response:
        answer = problem(503, "busy") if own else html(503)
        answer.headers["retry-after"] = "86400"
        return answer

    central.routes["/edge/v1/"] = busy
    connector = central.connector()
    assert await connector.push([b"{}"]) == Busy(seconds)
    await connector.aclose()


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("body", [b'{"type":"urn:edge:problem:x","title":"t","status":409,"more":' + DEEP + b"}", DEEP, b'{"registers":{"a":' + DEEP + b"}}"])
@pytest.mark.parametrize(("status", "media_type"), [(200, "application/json"), (409, "application/problem+json"), (200, "application/x-ndjson")])
async def test_brackets_without_end_are_an_answer_that_is_not_centrals(body: bytes, status: int, media_type: str) -> None:
    central = FakeCentral()

    async def deep(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"content-type": media_type})

    central.routes["/edge/v1/"] = deep
    connector = central.connector()
    kind = Unreachable if status == 200 else Refused
    assert isinstance(await connector.push([b"{}"]), kind)
    assert isinstance(await connector.cursor(), kind)
    page = await connector.page("customers", "")
    assert isinstance(page, Page if media_type == "application/x-ndjson" else kind)
    if isinstance(page, Page):
        with pytest.raises(ContractBroken):
            parse_page(page.body)
    await connector.aclose()


@pytest.mark.parametrize(
    "changed", [{"register": "../01"}, {"store": ""}, {"epoch": "0"}, {"token": "gr\u00fcn"}, {"token": "a\r\nX: y"}, {"country": "Germany"}, {"issuedMs": -1}]
)
async def test_an_enrolment_that_no_register_could_sell_with_is_refused(changed: dict[str, object]) -> None:
    given = {"tenant": "acme", "store": "0001", "storeName": "B", "register": "02", "epoch": "1", "token": "t", "country": "DE", "issuedMs": 1}
    central = FakeCentral()

    async def enrolments(_: httpx.Request) -> httpx.Response:
        return httpx.Response(201, json=given | changed)

    central.routes["/edge/v1/enrolments"] = enrolments
    enroller = HttpEnroller(Settings("https://central.example", "", "", SystemClock(), transport=central))
    with pytest.raises(ContractBroken):
        await enroller.enrol(EnrolRequest("ABCD-EFGH", "A" * 43, "A" * 86))


def test_central_says_what_is_wrong_with_brackets_without_end(tmp_path: Path) -> None:
    with running_central(tmp_path) as central, httpx.Client(base_url=central.url, timeout=30) as http:
        register = enrolled(http, central.central)
        for path in ("/edge/v1/events", "/edge/v1/enrolments", "/edge/v1/carts/x/claim", "/edge/v1/carts/x/release", "/edge/v1/carts/x/complete"):
            kind = "application/cloudevents-batch+json" if path.endswith("events") else "application/json"
            told = http.post(path, content=b"[" * 5_000 + b"]" * 5_000, headers=register.headers | {"Content-Type": kind})
            assert (told.status_code, told.json()["type"]) == (400, "urn:edge:problem:invalid"), path


@pytest.mark.parametrize(
    "row",
    [
        b'{"op":"put","key":"c1","rev":99999999999999999999,"data":{}}',
        b'{"op":"del","key":"c1","rev":1,"validFromMs":-99999999999999999999}',
        b'{"op":"put","key":"c1","data":' + DEEP + b"}",
    ],
)
def test_a_feeds_row_with_numbers_that_no_column_holds_is_refused(row: bytes) -> None:
    with pytest.raises(ContractBroken):
        parse_page(row + b'\n{"op":"end","cursor":"1","more":false,"count":1,"asOfMs":1}\n')


def test_a_feeds_end_with_a_time_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(ContractBroken):
        parse_page(b'{"op":"end","cursor":"1","more":false,"count":0,"asOfMs":99999999999999999999}\n')


# --- an acknowledgement that cannot be true ---


@pytest.mark.parametrize("lie", [-5, 0, 2**70])
async def test_a_cursor_that_no_register_can_have_is_not_an_answer(lie: int) -> None:
    central = FakeCentral()

    async def lying(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"source": SOURCE, "epoch": "1", "streams": {"trade": {"next": lie, "headHash": "0" * 64}}, "frozen": ""})

    central.routes["/edge/v1/registers/"] = lying
    connector = central.connector()
    assert isinstance(await connector.cursor(), Unreachable)
    await connector.aclose()


async def test_facts_that_were_not_sent_are_not_acknowledged_by_a_number_alone(tmp_path: Path) -> None:
    """Three facts are sent; the answer wants the seventh. The other three have to arrive all the same."""
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(SOURCE, "1"))
        for _ in range(6):
            await journal.commit(Commit(new_id(), (), (a_fact("trade"),)))
        central, lies = FakeCentral(), 0
        take = central._take

        def lying(batch: list[tuple[dict[str, object], bytes]]) -> httpx.Response:
            nonlocal lies
            answer = take(batch[:3])
            told = msgspec.json.decode(answer.content)
            if lies < 3:
                lies += 1
                told["registers"][SOURCE]["streams"]["trade"]["next"] = 7
            return httpx.Response(200, json=told)

        central._take = lying  # type: ignore[method-assign]  # a central that is wrong about itself
        believed: list[tuple[int, int]] = []
        acknowledge = journal.acknowledge

        async def acknowledged(destination: str, next: dict[str, int]) -> None:
            believed.append((next["trade"], len(central.stream("trade").wires) + 1))
            await acknowledge(destination, next)

        journal.acknowledge = acknowledged  # type: ignore[method-assign]
        central.facts_max = 500
        connector = central.connector()
        push = Push(journal, connector, SystemClock(), SystemRandom(), lambda _: None, QUICK)
        push._limit = 3
        task = asyncio.create_task(push.run())
        try:
            await eventually(lambda: len(central.stream("trade").wires) == 6, "all six facts are at central")
            assert believed
            assert all(next <= true for next, true in believed), "what central does not have was never taken for acknowledged"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await connector.aclose()


async def test_an_acknowledgement_of_another_epoch_moves_no_cursor(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(SOURCE, "1"))
        await journal.commit(Commit(new_id(), (), (a_fact("trade"), a_fact("trade"))))
        central, answers = FakeCentral(), 0

        async def anothers(_: httpx.Request) -> httpx.Response:
            nonlocal answers
            answers += 1
            ack = {"next": 3, "accepted": 2, "duplicates": 0, "quarantined": []}
            return httpx.Response(200, json={"registers": {SOURCE: {"epoch": "2", "streams": {"trade": ack}}}})

        central.routes["/edge/v1/events"] = anothers
        connector = central.connector()
        push = Push(journal, connector, SystemClock(), SystemRandom(), lambda _: None, QUICK)
        task = asyncio.create_task(push.run())
        try:
            await eventually(lambda: answers > 3 or journal.streams()[0].acknowledged > 0, "it was answered, and answered again")
            assert [status.acknowledged for status in journal.streams()] == [0, 0, 0]
            assert "not about this register" in push.report.detail
            del central.routes["/edge/v1/events"]
            await eventually(lambda: journal.streams()[0].acknowledged == 2, "what central has is acknowledged")
            assert len(central.stream("trade").wires) == 2
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await connector.aclose()
