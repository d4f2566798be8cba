"""The cable between register and central, as a TCP relay on loopback that can be cut, slowed, and made to lose answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
CALL_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 2.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset, as a router does that lost its state."""

T = TypeVar("T")


class Network:
    """Relays every connection made to ``port`` to ``upstream``, in a thread of its own; every method may be called from any thread.

    ``cut``: connections that are there are reset, new ones refused, at the same port. ``delay_seconds``: how long each piece takes on its
    way, in both directions. ``lose_answers``: what the register sends arrives, what central answers does not: the connection is reset when
    the first byte of it comes. ``port`` 0 takes a free one. Listens on entering the context; gone after it.
    """

    def __init__(self, upstream: tuple[str, int], *, port: int = 0) -> None:
        self.upstream = upstream
        self.delay_seconds = 0.0
        self.answers_lost = 0
        self._losing = False
        self._cut = False
        self._port = port
        self._server: asyncio.Server | None = None
        self._reserved: socket.socket | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._restore())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._run(self._sever())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._reserved is not None:
            self._reserved.close()

    @property
    def port(self) -> int:
        """Where the register finds central."""
        return self._port

    @property
    def url(self) -> str:
        """What the register is enrolled with."""
        return f"http://{HOST}:{self._port}"

    @property
    def is_cut(self) -> bool:
        """Whether the cable is out."""
        return self._cut

    @property
    def is_losing(self) -> bool:
        """Whether central's answers get lost."""
        return self._losing

    def cut(self) -> None:
        """Pull the cable."""
        if not self._cut:
            self._cut = True
            self._run(self._sever())

    def restore(self) -> None:
        """Put the cable back in."""
        if self._cut:
            self._cut = False
            self._run(self._restore())

    def lose_answers(self, on: bool) -> None:
        """From now on central's answers get lost, or not any more."""
        self._losing = on

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS_MAX)

    async def _restore(self) -> None:
        listener, self._reserved = self._reserved or self._bound(), None
        self._server = await asyncio.start_server(self._connected, sock=listener)
        self._port = listener.getsockname()[1]

    async def _sever(self) -> None:
        """Refuse connections, but keep the port: a socket that is bound and does not listen has every connection refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._reserved = self._bound()
        relays = list(self._relays)
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)

    def _bound(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((HOST, self._port))
        return listener

    async def _connected(self, register_in: asyncio.StreamReader, register_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        try:
            await self._relay(register_in, register_out)
        except (OSError, TimeoutError, asyncio.CancelledError):
            _reset(register_out)
        finally:
            self._relays.discard(task)

    async def _relay(self, register_in: asyncio.StreamReader, register_out: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            central_in, central_out = await asyncio.open_connection(*self.upstream)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(register_in, central_out, lambda: False))
                both.create_task(self._pump(central_in, register_out, lambda: self._losing))
        except* OSError:
            _reset(register_out)
        finally:
            _reset(central_out)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, loses: Callable[[], bool]) -> None:
        """Carry bytes one way until their end. Raises OSError when either side goes away, or the piece is lost."""
        while piece := await source.read(CHUNK_BYTES):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if loses():
                self.answers_lost += 1
                raise ConnectionResetError("lost on the way")
            sink.write(piece)
            await sink.drain()
        with contextlib.suppress(OSError):
            sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
