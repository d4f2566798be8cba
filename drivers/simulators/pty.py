"""A serial cable that can be pulled: a pseudo-terminal under a stable name, with the simulated device on its far end."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

WRITE_SECONDS_MAX = 1.0
"""A host that reads nothing for this long loses the rest, as on a wire."""

READ_BYTES = 4_096


class PtyCable:
    """A pty pair whose host end the product opens as if it were a serial port.

    ``link`` is a path for a symbolic link to the host end, so that the port comes back under the same name after
    ``unplug`` and ``plug`` although the pty behind it is a new one. ``on_bytes`` is called from the cable's own thread with
    what the host writes. Plugged on entering the context, pulled and cleaned up on leaving it; every method may be called
    from any thread, ``on_bytes`` included.
    """

    def __init__(self, link: Path | None = None, on_bytes: Callable[[bytes], None] | None = None) -> None:
        self._link = link
        self._on_bytes = on_bytes
        self._lock = threading.RLock()
        self._device: int | None = None  # the simulated device's end (the pty's master)
        self._host: int | None = None  # a hold on the host's end, so that the device's end is not told EIO while nobody has it open
        self._host_path = ""
        self._reader: threading.Thread | None = None
        self._wake_r = self._wake_w = -1

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.unplug()

    @property
    def path(self) -> str:
        """What to configure as the port: the link if there is one, else the present pty (``""`` while unplugged)."""
        return str(self._link) if self._link is not None else self._host_path

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._device is not None

    def plug(self) -> None:
        """Put the cable in: a new pty, and the link to it. Raises FileExistsError when something that is no link is in the link's place."""
        with self._lock:
            if self._device is not None:
                return
            if self._link is not None and self._link.exists() and not self._link.is_symlink():
                raise FileExistsError(f"{self._link} is not a link, and is left alone")
            self._device, self._host = os.openpty()
            tty.setraw(self._host)  # a cable does not echo
            os.set_blocking(self._device, False)
            self._host_path = os.ttyname(self._host)
            self._wake_r, self._wake_w = os.pipe()
            self._reader = threading.Thread(target=self._read, args=(self._device, self._wake_r), name="pty-cable", daemon=True)
            self._reader.start()
            try:
                if self._link is not None:
                    _point(self._link, self._host_path)
            except OSError:
                self.unplug()
                raise

    def unplug(self) -> None:
        """Pull it: the link goes, and who has the port open sees it hang up. Nothing happens when it is out already."""
        with self._lock:
            if self._device is None or self._host is None:
                return
            if self._link is not None:
                self._link.unlink(missing_ok=True)
            device, host, reader = self._device, self._host, self._reader
            wake_r, wake_w = self._wake_r, self._wake_w
            self._device = self._host = self._reader = None
            self._host_path = ""
            os.write(wake_w, b"x")
        if reader is not None and reader is not threading.current_thread():
            reader.join()
        for end in (host, device, wake_r, wake_w):
            os.close(end)

    def write(self, data: bytes) -> int:
        """Send to the host; the count of bytes that went down the wire (fewer when it is unplugged, or nobody reads)."""
        with self._lock:
            sent = 0
            while sent < len(data) and self._device is not None:
                if not select.select([], [self._device], [], WRITE_SECONDS_MAX)[1]:
                    break
                with suppress(BlockingIOError):
                    sent += os.write(self._device, data[sent:])
            return sent

    def _read(self, device: int, wake: int) -> None:
        while True:
            ready = select.select([device, wake], [], [])[0]
            if wake in ready:
                return
            with suppress(BlockingIOError):
                data = os.read(device, READ_BYTES)
                if self._on_bytes is not None:
                    self._on_bytes(data)
                if self._reader is not threading.current_thread():
                    return  # pulled by its own callback: the ends are closed


def _point(link: Path, target: str) -> None:
    """Make ``link`` point to ``target`` in one step, so that nobody sees it half made."""
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
