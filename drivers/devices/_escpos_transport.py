"""The TCP wire to a network printer: opened exclusively, partial writes and time-outs accounted for."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from edge_agent.domain.errors import DeviceAbsent, DeviceDenied, DeviceLost

READ_BYTES_MAX = 4_096
"""The most that one read returns; a printer answers with single bytes."""
SEND_BYTES_MAX = 4_096
"""The most that one send hands to the kernel, so that progress is seen on long jobs."""
SEND_BUFFER_BYTES = 16_384
"""What the operating system may hold back: little, so that a printer that stops taking bytes is noticed while it is sent to."""
SEND_SLICE_SECONDS = 0.25
"""The longest single wait within a write, so that a stop is seen in time."""


class TcpTransport:
    """A ``drivers.contract.Transport`` to ``host``:``port``.

    ``timeout_seconds`` limits the connect and each wait for the other end to take more bytes. ``accepted`` counts the bytes that the
    operating system took since ``open``: 0 after a failed write means that nothing can have reached the printer. A write that waits gives up
    when ``stopping`` says so.
    """

    def __init__(self, host: str, port: int, timeout_seconds: float, stopping: Callable[[], bool] = lambda: False) -> None:
        self._address = (host, port)
        self._timeout_seconds = timeout_seconds
        self._stopping = stopping
        self._socket: socket.socket | None = None
        self.accepted = 0

    @property
    def where(self) -> str:
        """The address, for messages."""
        return f"{self._address[0]}:{self._address[1]}"

    def open(self) -> None:
        """Connect. Raises DeviceAbsent (no such host, no answer, refused) or DeviceDenied (a firewall or the system forbids it)."""
        assert self._socket is None, "opened twice"
        try:
            wire = socket.create_connection(self._address, timeout=self._timeout_seconds)
        except PermissionError as error:
            raise DeviceDenied(
                f"Connection to {self.where}: expected to be allowed, got {error.strerror}.",
                hint=f"Allow this computer to reach {self.where} in its firewall.",
                reason="connection_denied",
                where=self.where,
            ) from error
        except (socket.gaierror, UnicodeError) as error:
            raise DeviceAbsent(
                f"Connection to {self.where}: the host name is not known.",
                hint="Correct the host of the device or use its IP address.",
                reason="host_unknown",
                where=self.where,
            ) from error
        except ConnectionRefusedError as error:
            raise DeviceAbsent(
                f"Connection to {self.where}: refused.",
                hint="Check the port of the device, and that no other program holds its only connection.",
                reason="connection_refused",
                where=self.where,
            ) from error
        except OSError as error:
            raise DeviceAbsent(
                f"Connection to {self.where}: no answer within {self._timeout_seconds:g} s ({error}).",
                hint="Check that the device is on, its network cable, and its address.",
                reason="no_connection",
                where=self.where,
            ) from error
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.accepted = 0
        self._socket = wire

    def read(self, wait_seconds: float) -> bytes:
        """What is there now, or what arrives first within ``wait_seconds``; ``b""`` when nothing came. Raises DeviceLost."""
        wire = self._wire()
        try:
            wire.settimeout(max(wait_seconds, 0.0))
            data = wire.recv(READ_BYTES_MAX)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise self._lost(str(error)) from error
        if not data:
            raise self._lost("the other end closed the connection")
        return data

    def write(self, data: bytes) -> None:
        """Write all of it, or raise DeviceLost; ``accepted`` then tells how far it came."""
        wire = self._wire()
        rest = memoryview(data)
        waits_left = waits = max(1, round(self._timeout_seconds / SEND_SLICE_SECONDS))
        wire.settimeout(self._timeout_seconds / waits)
        while rest:
            taken = self._send(wire, rest[:SEND_BYTES_MAX])
            self.accepted += taken
            rest = rest[taken:]
            waits_left = waits if taken else waits_left - 1
            if not waits_left or (not taken and self._stopping()):
                raise self._lost(f"no byte taken for {self._timeout_seconds:g} s", "no_answer")

    def close(self) -> None:
        """Close; never raises, may be called twice and from another thread, whose read or write then ends."""
        wire, self._socket = self._socket, None
        if wire is None:
            return
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            wire.close()

    def _send(self, wire: socket.socket, part: memoryview) -> int:
        """How many bytes were taken within one slice of the time-out."""
        try:
            return wire.send(part)
        except TimeoutError:
            return 0
        except OSError as error:
            raise self._lost(str(error)) from error

    def _wire(self) -> socket.socket:
        if self._socket is None:
            raise self._lost("closed here")
        return self._socket

    def _lost(self, why: str, reason: str = "connection_lost") -> DeviceLost:
        return DeviceLost(
            f"Connection to {self.where}: lost ({why}).",
            hint="Check that the device is on and its network cable; it is tried again by itself.",
            reason=reason,
            where=self.where,
        )
