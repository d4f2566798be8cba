"""The one place that reads the computer's clock and its random source; everybody else is given one."""

from __future__ import annotations

import secrets
import time
from typing import Protocol

from edge_agent.domain.ids import RANDOM_BITS, uuid7


class Clock(Protocol):
    """Wall time for people and facts, monotonic time for waiting."""

    def now_ms(self) -> int:
        """Wall time, milliseconds since 1970 (UTC). May jump, and stand anywhere after 1970."""

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""


class NewId(Protocol):
    """Makes identifiers that are unique across all registers."""

    def __call__(self) -> str:
        """A new UUIDv7 in canonical text."""


class Random(Protocol):
    """Random bytes for salts, and fractions for jitter."""

    def token_bytes(self, count: int) -> bytes: ...

    def fraction(self) -> float:
        """At least 0.0, less than 1.0."""


class SystemClock:
    """The computer's own clocks. One that was never set and stands before 1970 is told as 1970: facts have no time before that."""

    def now_ms(self) -> int:
        return max(time.time_ns() // 1_000_000, 0)

    def monotonic(self) -> float:
        return time.monotonic()


class SystemRandom:
    """The operating system's random source."""

    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        return secrets.randbelow(1 << 53) / (1 << 53)


class ClockIds:
    """UUIDv7 identifiers from a clock and a random source."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    def __call__(self) -> str:
        bits = int.from_bytes(self._random.token_bytes(10), "big") & ((1 << RANDOM_BITS) - 1)
        return uuid7(self._clock.now_ms(), bits)
