"""One connection to a terminal: opened, greeted, used for one request, closed so that nothing of it can arrive late."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from types import TracebackType
from typing import Self

from drivers.terminals.counter_link.lines import LINE_BYTES_MAX, Answer, Hello, hello, parse
from edge_agent.domain.errors import DeviceAbsent, DeviceError, DeviceLost, FrameRejected

UNSENT_SECONDS_MAX = 5
"""What the terminal's side does not acknowledge for this long is given up by the operating system, also after this process died."""

_ABORTIVE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER on, 0 s: close discards what is unsent


class Exchange:
    """A greeted connection, as a context manager. It is closed abortively, so that bytes still unsent are not delivered afterwards.

    ``terminal_id`` is the name that the terminal must greet with; empty takes any. Raises DeviceAbsent while opening, when the
    terminal cannot be reached or is not the one expected; nothing of a request has been sent then.
    """

    def __init__(self, host: str, port: int, connect_seconds: float, terminal_id: str = "") -> None:
        self._host = host
        self._port = port
        self._connect_seconds = connect_seconds
        self._terminal_id = terminal_id
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.hello = Hello("", busy=False)

    async def __aenter__(self) -> Self:
        await self._connect()
        try:
            self.hello = await self._greeted()
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    async def say(self, line: bytes) -> None:
        """Send one line. Raises DeviceLost; bytes of it may have arrived all the same."""
        assert self._writer is not None, "not open"
        try:
            self._writer.write(line)
            async with asyncio.timeout(UNSENT_SECONDS_MAX):
                await self._writer.drain()
        except OSError as error:  # a TimeoutError is one
            raise self._lost("connection_lost", "went away") from error

    async def hear(self, wait_seconds: float) -> Answer:
        """The next answer. Raises DeviceLost when none that can be understood came within ``wait_seconds``; its reason is one of
        ``no_answer``, ``connection_lost``, ``line_too_long`` and ``malformed``."""
        assert self._reader is not None, "not open"
        try:
            async with asyncio.timeout(wait_seconds):
                line = await self._reader.readline()
        except TimeoutError as error:
            raise self._lost("no_answer", f"did not answer within {wait_seconds:g} s") from error
        except OSError as error:
            raise self._lost("connection_lost", "went away") from error
        except ValueError as error:  # asyncio's word for a line over the limit
            raise self._lost("line_too_long", f"sent a line of more than {LINE_BYTES_MAX} bytes") from error
        if not line.endswith(b"\n"):
            raise self._lost("connection_lost", "went away")
        try:
            return parse(line[:-1])
        except FrameRejected as rejected:
            raise DeviceLost(rejected.message, hint=rejected.hint, reason="malformed", where=self.where) from rejected

    @property
    def where(self) -> str:
        """The terminal's address, for messages."""
        return f"{self._host}:{self._port}"

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._connect_seconds):
                self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=LINE_BYTES_MAX - 1)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no resolver takes
            raise DeviceAbsent(
                f"The card terminal at {self.where} cannot be reached.",
                hint="Check that the terminal is switched on and on the network; cash works.",
                reason="unreachable",
                where=self.where,
            ) from error
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; elsewhere a process that dies leaves its last bytes to the system's own limits
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_SECONDS_MAX * 1000)

    async def _greeted(self) -> Hello:
        try:
            await self.say(hello())
            answer = await self.hear(self._connect_seconds)
        except DeviceLost as lost:
            reason = "not_a_terminal" if lost.reason in ("malformed", "line_too_long") else "not_answering"
            raise self._absent(reason, lost) from lost
        if not isinstance(answer, Hello):
            raise self._absent("not_a_terminal", None)
        if self._terminal_id not in ("", answer.terminal):
            raise DeviceAbsent(
                f"The card terminal at {self.where} is {answer.terminal}, expected {self._terminal_id}.",
                hint="Check the terminal's address: this one may stand at another counter.",
                reason="other_terminal",
                where=self.where,
            )
        return answer

    def _absent(self, reason: str, lost: DeviceError | None) -> DeviceAbsent:
        detail = lost.message if lost is not None else f"What listens at {self.where} is no card terminal."
        return DeviceAbsent(detail, hint="Check the terminal's screen and address, restart it if need be; cash works.", reason=reason, where=self.where)

    def _lost(self, reason: str, what: str) -> DeviceLost:
        hint = "Look at the terminal's screen; what became of the payment is asked of it."
        return DeviceLost(f"The card terminal at {self.where} {what}.", hint=hint, reason=reason, where=self.where)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = self._reader = None
