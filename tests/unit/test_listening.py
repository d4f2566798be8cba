"""A server that ends forgets no connection that came in that moment."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from edge_agent.listening import accept_no_more


async def closed_after(turns: int) -> None:
    """A server that is closed so many turns of the loop after somebody has knocked."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()[:2]):
        for _ in range(turns):
            await asyncio.sleep(0)
        await accept_no_more(server)
        server.close()
        for _ in range(10):
            await asyncio.sleep(0)
    await server.wait_closed()


def left_open(turns: int) -> list[str]:
    gc.collect()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        asyncio.run(closed_after(turns))
        gc.collect()
    return [str(warning.message) for warning in said if issubclass(warning.category, ResourceWarning)]


@pytest.mark.parametrize("turns", range(8))
def test_a_connection_that_comes_while_a_server_ends_is_closed(turns):
    assert left_open(turns) == []
