"""The cable between register and central, as a TCP relay on loopback that can be cut, slowed, and made to lose answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from functools import partial
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
        self._listening: socket.socket | None = None
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
        listener.listen()
        self._port = listener.getsockname()[1]
        self._listening = listener
        self._loop.add_reader(listener, self._accept, listener)

    async def _sever(self) -> None:
        """Refuse connections, but keep the port: a socket that is bound and does not listen has every connection refused."""
        listener, self._listening = self._listening, None
        if listener is None:
            return
        self._loop.remove_reader(listener)
        listener.close()
        ending = list(self._relays)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._reserved = self._bound()

    def _bound(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((HOST, self._port))
        return listener

    def _accept(self, listener: socket.socket) -> None:
        """Take one connection. Not ``loop.sock_accept``: a task that is cancelled as the accept succeeds would drop the socket without closing it."""
        try:
            register, _ = listener.accept()
        except OSError:
            return  # it went away before it was taken
        register.setblocking(False)
        relay = self._loop.create_task(self._relay(register))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)
        relay.add_done_callback(partial(_closed, register))

    async def _relay(self, register: socket.socket) -> None:
        """Carry bytes both ways until both have ended; when one side breaks, both are reset."""
        whole = False
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as central:
            central.setblocking(False)
            try:
                async with asyncio.timeout(CONNECT_SECONDS_MAX):
                    await self._loop.sock_connect(central, self.upstream)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pump(register, central, lambda: False))
                    both.create_task(self._pump(central, register, lambda: self._losing))
                whole = True
            except* (OSError, TimeoutError):
                pass
            finally:
                for end in () if whole else (register, central):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    async def _pump(self, source: socket.socket, sink: socket.socket, loses: Callable[[], bool]) -> None:
        """Carry bytes one way until their end. Raises OSError when either side goes away, or the piece is lost."""
        while piece := await self._loop.sock_recv(source, CHUNK_BYTES):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if loses():
                self.answers_lost += 1
                raise ConnectionResetError("lost on the way")
            await self._loop.sock_sendall(sink, piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _closed(register: socket.socket, relay: asyncio.Task[None]) -> None:
    """The relay ended, however it did: so does its connection."""
    register.close()
