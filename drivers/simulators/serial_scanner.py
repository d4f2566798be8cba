"""A bar code scanner on a pseudo-terminal: scans, misbehaves, is unplugged and plugged in again.

By hand: ``python -m drivers.simulators.serial_scanner --link /tmp/scanner``, with one code per line of input. A line may begin
with an AIM identifier (``]E04006381333931``), hold ``\\xNN`` for any byte, or be one of the commands that ``--help`` lists.
What the host sends, beeps for instance, is printed.
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import reduce
from operator import xor
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.simulators.pty import PtyCable

HOST_BYTES_MAX = 4_096
"""How much of what the host sent is kept; older bytes are forgotten."""

NOISE = bytes([0x00, 0xFF, 0xF8, 0x80, 0x00, 0xE0, 0xFE, 0x00])
"""What a line carries when the plug scrapes: breaks and framing errors, no terminator in it."""


class PtyScanner:
    """A simulated scanner; ``path`` is the port to configure, stable over ``unplug`` and ``plug`` when ``link`` is given.

    Every ``scan`` sends prefix, AIM identifier, code, terminator and, with ``lrc``, the check byte, as the real one would. Plugged
    on entering the context; every method may be called from any thread.
    """

    def __init__(self, link: Path | None = None, *, terminator: bytes = b"\r", prefix: bytes = b"", lrc: bool = False) -> None:
        self._terminator = terminator
        self._prefix = prefix
        self._lrc = lrc
        self._heard: deque[int] = deque(maxlen=HOST_BYTES_MAX)
        self._news = threading.Condition()
        self._cable = PtyCable(link, self._hear)

    def __enter__(self) -> Self:
        self._cable.plug()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._cable.unplug()

    @property
    def path(self) -> str:
        """The port to configure."""
        return self._cable.path

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._cable.plugged

    def plug(self) -> None:
        """Plug it in."""
        self._cable.plug()

    def unplug(self) -> None:
        """Pull the plug: the port goes, and who has it open sees it go."""
        self._cable.unplug()

    def scan(self, code: str | bytes, *, aim: str = "", terminator: bytes | None = None) -> None:
        """Read ``code`` (text is sent as UTF-8), with the AIM identifier ``aim`` and this scanner's own or another terminator."""
        ending = self._terminator if terminator is None else terminator
        body = aim.encode("ascii") + (code.encode() if isinstance(code, str) else code) + ending
        self._cable.write(self._prefix + body + (bytes([reduce(xor, body, 0)]) if self._lrc else b""))

    def half_frame(self, code: str | bytes) -> None:
        """Send the first half of ``code`` and nothing more, as a cable with a loose contact does."""
        data = code.encode() if isinstance(code, str) else code
        self._cable.write(self._prefix + data[: (len(data) + 1) // 2])

    def noise(self, data: bytes = NOISE) -> None:
        """Send bytes that are no code."""
        self._cable.write(data)

    def endless(self, count: int = 20_000) -> int:
        """Send ``count`` bytes of one code that never ends; how many went down the wire."""
        return self._cable.write(self._prefix + b"0123456789" * (count // 10))

    def heard(self) -> bytes:
        """What the host has sent, up to HOST_BYTES_MAX bytes."""
        with self._news:
            return bytes(self._heard)

    def wait_heard(self, condition: Callable[[bytes], bool], wait_seconds: float) -> bool:
        """Whether what the host has sent met ``condition`` within ``wait_seconds``."""
        with self._news:
            return self._news.wait_for(lambda: condition(bytes(self._heard)), wait_seconds)

    def forget_heard(self) -> None:
        """Forget what the host has sent."""
        with self._news:
            self._heard.clear()

    def _hear(self, data: bytes) -> None:
        with self._news:
            self._heard.extend(data)
            self._news.notify_all()


COMMANDS = r"""type a line:
  4006381333931         scan it; it may begin with an AIM identifier (]E04006381333931) and hold \xNN for any byte
  !unplug, !plug        pull the cable, put it in again
  !noise                bytes that are no code
  !half CODE            the first half of it and nothing more
  !endless              a code without an end
"""


def unescaped(line: str) -> bytes:
    r"""The bytes of a typed line: UTF-8, with ``\xNN`` for any byte.

    >>> unescaped(r"]C1010400638133393110AB\x1d17261231")
    b']C1010400638133393110AB\x1d17261231'
    """
    pieces = re.split(r"\\x([0-9A-Fa-f]{2})", line)
    return b"".join(bytes([int(piece, 16)]) if odd % 2 else piece.encode() for odd, piece in enumerate(pieces))


def obey(scanner: PtyScanner, line: str) -> None:
    """Do what one typed line says."""
    match line.split(" ", 1):
        case [""]:
            return
        case ["!unplug"]:
            scanner.unplug()
        case ["!plug"]:
            scanner.plug()
        case ["!noise"]:
            scanner.noise()
        case ["!half", code]:
            scanner.half_frame(unescaped(code))
        case ["!endless"]:
            scanner.endless()
        case _:
            scanner.scan(unescaped(line))


class _Talking(PtyScanner):
    """A scanner that prints what the host sends."""

    def _hear(self, data: bytes) -> None:
        super()._hear(data)
        print(f"host sent {data!r}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a scanner from standard input until it ends."""
    parser = argparse.ArgumentParser(
        prog="drivers.simulators.serial_scanner",
        description="A simulated bar code scanner: one code per line of input.",
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--link", type=Path, help="where to make the link that the agent opens; without it the pty's own name is printed")
    parser.add_argument("--terminator", default=r"\x0d", help=r"what ends each code, with \xNN for control characters (default: \x0d)")
    parser.add_argument("--prefix", default="", help="what begins each code")
    parser.add_argument("--lrc", action="store_true", help="add a check byte")
    chosen = parser.parse_args(arguments)
    with _Talking(chosen.link, terminator=unescaped(chosen.terminator), prefix=unescaped(chosen.prefix), lrc=chosen.lrc) as scanner:
        print(f"scanner at {scanner.path}", flush=True)
        with suppress(KeyboardInterrupt):
            for line in sys.stdin:
                before = scanner.path
                obey(scanner, line.rstrip("\n"))
                if scanner.path not in ("", before):
                    print(f"scanner at {scanner.path}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
