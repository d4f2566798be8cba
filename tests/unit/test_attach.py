"""A counter on loopback shows the token of the run that answers it, also when a request waited while the service began anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from edge_agent.attach import _WithToken
from edge_agent.listening import accept_no_more


@asynccontextmanager
async def service(asked: list[str], wanted: str, file: Path) -> AsyncIterator[str]:
    """Answers 401 to every token but ``wanted``, which it writes into ``file`` only when it is asked for the first time."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
        body = (await reader.readexactly(length)).decode()
        token = next((line.split(" ")[-1] for line in head.splitlines() if line.lower().startswith("authorization:")), "")
        asked.append(f"{token} {body}")
        if wanted:
            file.write_text(wanted + "\n")
        status = "200 OK" if token == wanted else "401 Unauthorized"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await accept_no_more(server)
        server.close()
        await server.wait_closed()


async def test_a_request_with_the_token_of_the_run_before_is_sent_once_more_whole(tmp_path: Path) -> None:
    file = tmp_path / "api.token"
    file.write_text("old\n")
    asked: list[str] = []
    async with service(asked, "new", file) as url, httpx.AsyncClient(transport=_WithToken(file)) as http:
        assert (await http.post(f"{url}/v1/commands", content=b"the command")).status_code == 200
    assert asked == ["old the command", "new the command"]


async def test_a_token_that_is_refused_is_not_shown_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / "api.token"
    file.write_text("wrong\n")
    asked: list[str] = []
    async with service(asked, "", file) as url, httpx.AsyncClient(transport=_WithToken(file)) as http:
        assert (await http.get(f"{url}/v1/snapshot")).status_code == 401
    assert asked == ["wrong "]
