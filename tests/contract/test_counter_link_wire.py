"""Counter Link byte by byte: what the driver sends, and what it makes of a peer that sends anything at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from drivers.terminals.counter_link import CounterLinkTerminal
from drivers.terminals.counter_link.lines import LINE_BYTES_MAX
from edge_agent.domain.tender import Approved, Attempt, AttemptKind, AttemptState, NotProcessed, Unknown
from edge_agent.listening import accept_no_more
from edge_agent.ports import Step

HELLO = b'{"say":"hello","counterLink":1,"terminal":"T-1","busy":false}\n'
ID = "01924d6a-9b00-7000-8000-000000000000"
REF = b"7P28CAXD4T"
APPROVED = b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","amountMinor":1250,"currency":"EUR","card":{"brand":"Visa"}}\n'

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def peer(talk: Peer, **times: float) -> AsyncIterator[CounterLinkTerminal]:
    """A driver whose terminal is ``talk``."""
    failures: list[BaseException] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except OSError:
            pass  # the driver closed
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield CounterLinkTerminal("counter", "127.0.0.1", port, **({"connect_seconds": 5.0, "answer_seconds": 5.0} | times))
    await accept_no_more(server)
    server.close()
    await server.wait_closed()
    assert not failures


def sale(kind: AttemptKind = AttemptKind.SALE) -> Attempt:
    return Attempt(
        id=ID, tender="t", kind=kind, terminal="counter", state=AttemptState.SENT, amount_minor=1250, currency="EUR", wire_ref=REF.decode(),
        started_ms=0, updated_ms=0, original=ID if kind is AttemptKind.VOID else "",
    )  # fmt: skip


def no_steps(step: Step) -> None:
    raise AssertionError(step)


async def test_the_bytes_of_every_request_are_these() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(HELLO)
        heard.append(await reader.readline())
        writer.write(APPROVED)
        await reader.read()

    async with peer(talk) as driver:
        assert isinstance(await driver.submit(sale(), no_steps), Approved)
        await driver.submit(sale(AttemptKind.VOID), no_steps)
        await driver.query(sale())
        await driver.abort(sale())
        await driver.totals()
    assert heard[0::2] == [b'{"counterLink":1,"do":"hello"}\n'] * 5
    assert heard[1::2] == [
        b'{"do":"payment","ref":"7P28CAXD4T","amountMinor":1250,"currency":"EUR"}\n',
        b'{"do":"void","ref":"7P28CAXD4T","original":"7P28CAXD4T","amountMinor":1250,"currency":"EUR"}\n',
        b'{"do":"status","ref":"7P28CAXD4T"}\n',
        b'{"do":"abort","ref":"7P28CAXD4T"}\n',
        b'{"do":"totals"}\n',
    ]


@pytest.mark.parametrize(
    "greeting",
    [b"", b"\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xfe\x00\n", b'{"say":"hello"', b"x" * (LINE_BYTES_MAX + 1), b"[" * 60_000 + b"\n", APPROVED,
     b'{"say":"hello","counterLink":2,"terminal":"T-1","busy":false}\n', b'{"say":"hello","counterLink":true,"terminal":"T-1","busy":false}\n'],
)  # fmt: skip
async def test_what_does_not_greet_like_a_terminal_gets_no_request(greeting: bytes) -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(greeting)
        await writer.drain()
        writer.write_eof()
        asked.append(await reader.read())

    async with peer(talk) as driver:
        outcome = await driver.submit(sale(), no_steps)
        assert isinstance(outcome, NotProcessed)
        assert outcome.reason in ("not_answering", "not_a_terminal")
        assert not (await driver.health()).answers
    assert b"".join(asked) == b'{"counterLink":1,"do":"hello"}\n' * 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection_lost"),
        (APPROVED[:-1], "connection_lost"),  # not ended: perhaps cut
        (b"\n", "malformed"),
        (b"null\n", "malformed"),
        (b"\x80\n", "malformed"),
        (b"[" * 50_000 + b"\n", "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","amountMinor":1250.0,"currency":"EUR"}\n', "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","amountMinor":true,"currency":"EUR"}\n', "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","amountMinor":NaN,"currency":"EUR"}\n', "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","amountMinor":-1,"currency":"EUR"}\n', "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","currency":"EUR"}\n', "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","outcome":"declined","reason":"no"}\n', "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"maybe"}\n', "malformed"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"approved","amountMinor":' + b"9" * 5_000 + b',"currency":"EUR"}\n', "malformed"),
        (b" " * LINE_BYTES_MAX + b"\n", "line_too_long"),
        (b"x" * (3 * LINE_BYTES_MAX), "line_too_long"),
        (HELLO, "unexpected"),
        (b'{"say":"status","ref":"7P28CAXD4T","state":"not_found"}\n', "unexpected"),
        (APPROVED.replace(REF, b"7P28CAXD4S"), "other_ref"),
        (b'{"say":"step","ref":"7P28CAXD4S","step":"enter_pin"}\n' + APPROVED, "other_ref"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"refused","reason":"ref_known"}\n', "refused_unclear"),
        (b'{"say":"result","ref":"7P28CAXD4T","outcome":"refused","reason":"news_from_a_later_version"}\n', "refused_unclear"),
    ],
)
async def test_what_is_no_clear_answer_leaves_the_outcome_unknown(answer: bytes, reason: str) -> None:
    async with peer(_answering(answer)) as driver:
        assert await driver.submit(sale(), no_steps) == Unknown(reason)
        assert isinstance(await driver.query(sale()), Unknown) or b"not_found" in answer


async def test_members_that_are_not_known_do_not_matter() -> None:
    async with peer(_answering(APPROVED.replace(b'"say"', b'"since":1.5e3,"tip":{"a":[null]},"say"'))) as driver:
        assert isinstance(await driver.submit(sale(), no_steps), Approved)


async def test_a_repeated_step_is_reported_once_and_an_answer_in_pieces_is_one() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _greet(reader, writer)
        for step in (b"present_card", b"present_card", b"enter_pin", b"present_card"):
            writer.write(b'{"say":"step","ref":"7P28CAXD4T","step":"' + step + b'"}\n')
        for place in range(len(APPROVED)):
            writer.write(APPROVED[place : place + 1])
            await writer.drain()
        await reader.read()

    steps: list[str] = []
    async with peer(talk) as driver:
        assert isinstance(await driver.submit(sale(), lambda step: steps.append(step.key)), Approved)
    assert steps == ["present_card", "enter_pin", "present_card"]


async def test_a_peer_that_sends_for_ever_is_left_within_the_limits() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _greet(reader, writer)
        while True:
            writer.write(b"0123456789abcdef" * 1_024)
            await writer.drain()

    async with peer(talk) as driver:
        assert await driver.submit(sale(), no_steps) == Unknown("line_too_long")


async def test_a_driver_that_gives_up_resets_the_connection_so_that_nothing_arrives_later() -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _greet(reader, writer)
        try:
            ended.set_result("closed" if not await reader.read() else "bytes")
        except ConnectionResetError:
            ended.set_result("reset")

    async with peer(talk, answer_seconds=0.2) as driver:
        assert await driver.submit(sale(), no_steps) == Unknown("no_answer")
        async with asyncio.timeout(5):
            assert await ended == "reset"


async def test_an_address_that_no_resolver_takes_is_an_unreachable_terminal() -> None:
    for host in ("a..b", "x" * 300, "\udcff"):
        assert await CounterLinkTerminal("counter", host, 9, connect_seconds=2.0).submit(sale(), no_steps) == NotProcessed("unreachable")


async def test_a_connection_that_does_not_come_about_in_time_is_an_unreachable_terminal() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]  # nobody accepts: a further connection is not answered
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            driver = CounterLinkTerminal("counter", *full.getsockname(), connect_seconds=0.3)
            assert await driver.submit(sale(), no_steps) == NotProcessed("unreachable")
        finally:
            for one in waiting:
                one.close()


async def test_totals_are_the_terminals_own_sums_or_nothing() -> None:
    row = {"currency": "EUR", "payments": 2, "paymentsMinor": 3_000, "voids": 1, "voidsMinor": 1_000}
    async with peer(_answering(json.dumps({"say": "totals", "totals": [row]}).encode() + b"\n")) as driver:
        totals = await driver.totals()
        assert totals is not None
        assert [(total.currency, total.payments_minor - total.voids_minor) for total in totals] == [("EUR", 2_000)]
    async with peer(_answering(json.dumps({"say": "totals", "totals": [row] * 51}).encode() + b"\n")) as driver:
        assert await driver.totals() is None


def _answering(answer: bytes) -> Peer:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _greet(reader, writer)
        writer.write(answer)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    return talk


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(HELLO)
    await reader.readline()
