"""What a driver is: the three narrow shapes between a wire and the shop.

A **Transport** moves bytes, a **Framer** cuts them into frames (pure), a **Driver** turns frames into readings or jobs into
outcomes. The supervisor owns the driver's life: it opens, serves and closes it in one thread per device, so a driver is plain
blocking code without threads, logs or retries of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from threading import Event
from typing import Protocol, runtime_checkable

from msgspec import Struct

from edge_agent.domain.reading import Reading


class Frame(Struct, frozen=True):
    """One framed unit of bytes. ``ended_by_gap`` is true when silence, not a terminator, ended it."""

    data: bytes
    ended_by_gap: bool = False


class Transport(Protocol):
    """A wire. Every failure is a ``DeviceError`` from ``edge_agent.domain.errors``; foreign exceptions stop here."""

    def open(self) -> None:
        """Open exclusively. Raises DeviceAbsent, DeviceBusy or DeviceDenied, each with the hint that mends it."""

    def read(self, wait_seconds: float) -> bytes:
        """What is there now, or what arrives first within ``wait_seconds``; ``b""`` when nothing came. Raises DeviceLost."""

    def write(self, data: bytes) -> None:
        """Write all of it, or raise DeviceLost."""

    def close(self) -> None:
        """Close; never raises, may be called twice and from the thread that reads."""


class Framer(Protocol):
    """Bytes in, frames out; pure. Holds at most ``READING_BYTES_MAX`` bytes whatever comes."""

    def feed(self, data: bytes, at: float) -> Sequence[Frame]:
        """The frames that ``data``, read at monotonic second ``at``, completes."""

    def tick(self, at: float) -> Sequence[Frame]:
        """The frames that silence until ``at`` completes (idle-gap framing)."""

    @property
    def dropped(self) -> int:
        """How many frames were dropped (too long, never ended) since the framer was made."""


class DeviceState(Enum):
    """Where a device's session stands."""

    ABSENT = "absent"  # its port is not there
    OPENING = "opening"
    READY = "ready"
    DEGRADED = "degraded"  # works, with a reservation that its `detail` names (paper low, frames dropped)
    LOST = "lost"  # was there and went away; the supervisor tries again


class DeviceReport(Struct, frozen=True):
    """A device's state at one moment, as the supervisor tells it.

    ``detail`` is an English sentence for IT and logs; ``reason`` its stable key for screens (``""`` when READY).
    ``generation`` counts the sessions of this device since start: 1 is the first that opened.
    """

    name: str
    kind: str
    state: DeviceState
    generation: int
    since_ms: int
    detail: str = ""
    reason: str = ""
    hint: str = ""
    readings: int = 0
    dropped: int = 0


class Hands(Struct, frozen=True):
    """What the supervisor lends a driver for one session.

    ``emit`` hands over a reading, ``degraded`` reports a reservation (``""`` ends it) as (reason, detail); both may be called from the driver's
    thread only. ``stop`` is set when the session has to end. ``now_ms`` is wall time, ``monotonic`` seconds that never jump.
    """

    emit: Callable[[Reading], None]
    degraded: Callable[[str, str], None]
    stop: Event
    now_ms: Callable[[], int]
    monotonic: Callable[[], float]
    generation: int


class Driver(Protocol):
    """One configured device. Construction opens nothing.

    ``serve`` runs in the supervisor's thread for this device between ``open`` and ``close``; it returns soon (within 0.5 s)
    after ``hands.stop`` is set, and raises ``DeviceLost`` when the wire is gone. ``close`` never raises.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    def present(self) -> bool:
        """Whether opening is worth a try now (the port exists). Cheap; never raises."""

    def open(self) -> None:
        """Raises DeviceAbsent, DeviceBusy, DeviceDenied or DeviceLost."""

    def serve(self, hands: Hands) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class Beeper(Protocol):
    """A driver that can also make its device say good or bad (a scanner with host commands)."""

    def beep(self, good: bool) -> bool:
        """Ask for the sound; False where the device cannot. Never blocks, never raises; callable from any thread."""


class Wire(Struct, frozen=True):
    """Where a device is, as far as its configuration tells: under which ``key``, and what only one device can have."""

    key: str
    address: str


@runtime_checkable
class Wired(Protocol):
    """A driver, of a device or a terminal, that says where its device is; two on one wire would take each other's bytes."""

    @property
    def wire(self) -> Wire: ...


@runtime_checkable
class Counting(Protocol):
    """A driver that counts the frames it had to drop; the number stands on its reports."""

    @property
    def dropped(self) -> int:
        """Frames dropped since the driver was made. Callable from any thread."""
