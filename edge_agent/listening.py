"""Stops listening for connections without losing one that just came."""

from __future__ import annotations

import asyncio
from contextlib import suppress

TURNS_OF_AN_ACCEPT = 5
"""A connection that was accepted is known to its protocol after so many turns of the event loop, at most."""


async def accept_no_more(server: asyncio.Server) -> None:
    """Take no new connection, and wait until those that were taken are known; ``server`` is to be closed next.

    ``Server.close`` alone is not enough: a connection that was accepted in the same turn of the loop is neither served nor closed then (asyncio attaches
    its transport to a server that is closed by that time, and gives up), and its socket stays open for as long as nobody collects it.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        with suppress(NotImplementedError):  # Windows' loop watches no sockets: it accepts ahead, and close ends that
            loop.remove_reader(listening.fileno())
    for _ in range(TURNS_OF_AN_ACCEPT):
        await asyncio.sleep(0)
