"""Tells systemd how the service is: ready, stopping, still turning (sd_notify(3), without a library for its ten lines)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

from msgspec import Struct

BEATS_PER_TIMEOUT = 3
"""sd_watchdog_enabled(3) asks for at least two."""


class Notifier(Struct, frozen=True):
    """The manager's socket (``""``: nobody listens, every call does nothing) and the watchdog's patience in seconds, or None.

    >>> Notifier.of({}).ready("selling")
    >>> Notifier.of({"NOTIFY_SOCKET": "@manager", "WATCHDOG_USEC": "30000000"}).watchdog_seconds
    30.0
    """

    address: str = ""
    watchdog_seconds: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """What this process's environment says. A watchdog meant for another process (``WATCHDOG_PID``) is not ours."""
        wanted = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(environ.get("NOTIFY_SOCKET", ""), int(wanted) / 1_000_000 if ours and wanted.isdigit() and int(wanted) else None)

    def ready(self, status: str = "") -> None:
        """The API answers and the journal is open: what waits for the unit may go on."""
        self._send("READY=1", status)

    def status(self, status: str) -> None:
        """One line for ``systemctl status``; no names, no codes."""
        self._send("", status)

    def stopping(self) -> None:
        """The way down has begun."""
        self._send("STOPPING=1")

    async def keep_alive(self) -> None:
        """Beat for the watchdog from the event loop, until cancelled; returns at once without a watchdog.

        It is the loop that is watched: a blocked one stops the beats, and the manager ends and restarts the process.
        """
        if not self.address or self.watchdog_seconds is None:
            return
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_seconds / BEATS_PER_TIMEOUT)

    def _send(self, state: str, status: str = "") -> None:
        if not self.address:
            return
        lines = [line for line in (state, f"STATUS={' '.join(status.split())}" if status else "") if line]
        path = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
                manager.connect(path)
                manager.send("\n".join(lines).encode())
        except OSError:  # the manager itself is being restarted: it does not hold one lost word against us
            return
