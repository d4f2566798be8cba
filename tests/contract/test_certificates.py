"""A certificate that does not fit, and a connection that breaks, are told in words that say what to look at; with a good one the link works."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.listening import accept_no_more
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector
from sync.link import Refused, Unreachable
from tests.simulation.network_front import write_certificates

ANSWER = (
    b'HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: 74\r\n\r\n'
    b'{"type":"urn:edge:problem:not-found","title":"t","status":404,"detail":""}'
)  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    write_certificates(folder, "localhost")
    return folder


async def asked(certificates: Path, name: str, answer: bytes = ANSWER) -> object:
    """What a register hears that asks somebody with the certificate ``name`` for its cursor, who gives ``answer`` and goes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem")
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    trust = ssl.create_default_context(cafile=certificates / "authority.pem")
    connector = HttpConnector(Settings(url, "token", "02", SystemClock(), trust))
    try:
        return await connector.cursor()
    finally:
        await connector.aclose()
        await accept_no_more(server)
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expired", "has expired, or this computer's clock is ahead"),
        ("early", "is not valid yet, or this computer's clock is behind"),
        ("other_name", "is another name's"),
        ("stranger", "is from an authority that is not trusted here"),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_said(name: str, words: str, certificates: Path) -> None:
    found = await asked(certificates, name)
    assert isinstance(found, Unreachable)
    assert f"its certificate {words}" in found.detail


async def test_with_a_good_certificate_central_is_heard(certificates: Path) -> None:
    assert isinstance(await asked(certificates, "good"), Refused)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "Central, or something on the way to it, broke the connection off."),
        (ANSWER[:-20], "Central, or something on the way to it, broke the connection off."),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "What answers at central's address does not speak HTTP as it should: a wrong address, or something on the way."),
    ],
)
async def test_a_connection_that_breaks_off_and_one_that_is_none_are_told_in_words(answer: bytes, words: str, certificates: Path) -> None:
    assert await asked(certificates, "good", answer) == Unreachable(words)
