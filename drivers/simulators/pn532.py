"""An NFC reader with a PN532 on a pseudo-terminal: the chip's high speed UART protocol, as the production driver of nfcpy needs it.

By hand: ``python -m drivers.simulators.pn532 --link /tmp/nfc``, with one command per line of input (``text LOY-0042``, ``bank``,
``!remove``, ``!unplug`` ...); configure ``path = "port:/tmp/nfc"``. Source: NXP PN532 user manual UM0701-02.
"""

from __future__ import annotations

import argparse
import os
import sys
import termios
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.simulators._field import Field
from drivers.simulators._pn532_chip import Chip
from drivers.simulators._tag_lines import HELP, run
from drivers.simulators.pty import PtyCable
from drivers.simulators.tags import Tag
from edge_agent.clock import SystemRandom

ACK = bytes.fromhex("0000ff00ff00")
SYNTAX_ERROR = bytes.fromhex("0000ff01ff7f8100")
HOST_BYTES_MAX = 1_024
"""More unfinished bytes than any frame has are noise, and dropped."""

SET_BAUD_RATE, POWER_UP_BAUD = 0x10, 115_200
BAUDS = (9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600, 1_288_000)
_SPEEDS = {getattr(termios, f"B{baud}"): baud for baud in BAUDS if hasattr(termios, f"B{baud}")}


class PtyPn532:
    """A simulated reader; ``path`` is the serial port to open, stable over ``unplug`` and ``plug`` when ``link`` is given.

    The chip keeps the speed it was told until it loses power; what the host sends at another speed is lost on it. Plugged on
    entering the context; every method may be called from any thread.
    """

    def __init__(self, link: Path | None = None) -> None:
        self.field = Field()
        self._cable = PtyCable(link, self._hear)
        self._lock = threading.Lock()
        self._power_up()

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.unplug()

    @property
    def path(self) -> str:
        """The serial port to open."""
        return self._cable.path

    @property
    def baud(self) -> int:
        """The speed that the chip listens at."""
        return self._baud

    def plug(self) -> None:
        """Plug it in: the chip starts anew."""
        if not self._cable.plugged:
            self._power_up()
            self._cable.plug()

    def unplug(self) -> None:
        """Pull the plug."""
        self._cable.unplug()
        self.field.off()

    def put_tag(self, tag: Tag) -> None:
        """Hold ``tag`` to the reader."""
        self.field.put(tag)

    def remove_tag(self) -> None:
        """Take the tag away."""
        self.field.remove()

    def freeze(self) -> None:
        """Answer nothing any more, until it is plugged in again."""
        with self._lock:
            self._frozen = True

    def garble(self, frames: int) -> None:
        """Damage the next ``frames`` answers on their way to the host."""
        with self._lock:
            self._garbled = frames

    def _power_up(self) -> None:
        with self._lock:
            self._chip = Chip(self.field)
            self._pending = b""
            self._baud = self._next_baud = POWER_UP_BAUD
            self._frozen = False
            self._garbled = 0

    def _hear(self, data: bytes) -> None:
        with self._lock:
            self._pending += data
            for frame in self._frames():
                if frame == ACK:
                    self._baud = self._next_baud  # a new speed counts from the host's acknowledgement on (UM0701-02, 7.2.7)
                elif not self._frozen and self._understands():
                    self._cable.write(ACK)
                    self._answer(frame)

    def _understands(self) -> bool:
        """Whether the host sends at the chip's speed; one that already uses the new speed it asked for has acknowledged it."""
        host = self._host_baud()
        if host == self._next_baud:
            self._baud = host
        return host in (None, self._baud)

    def _answer(self, command: bytes) -> None:
        if command[:1] != b"\xd4" or len(command) < 2:
            self._cable.write(SYNTAX_ERROR)
            return
        if command[1] == SET_BAUD_RATE and len(command) == 3 and command[2] < len(BAUDS):
            self._next_baud = BAUDS[command[2]]
            result: bytes | None = b""
        else:
            result = self._chip.command(command[1], command[2:])
        frame = SYNTAX_ERROR if result is None else framed(bytes([0xD5, command[1] + 1]) + result)
        if self._garbled:
            self._garbled -= 1
            frame = frame[:5] + bytes(byte ^ 0x55 for byte in frame[5:])
        self._cable.write(frame)

    def _frames(self) -> Iterator[bytes]:
        """The complete frames among the pending bytes: ACK, or the data between the lengths and the check byte (UM0701-02, 6.2.1)."""
        while (start := self._pending.find(b"\x00\xff")) >= 0:
            rest = self._pending[start + 2 :]
            if len(rest) < 2:
                break
            if rest[:2] == b"\x00\xff":
                self._pending = rest[2:]
                yield ACK
                continue
            head = 5 if rest[:2] == b"\xff\xff" else 2
            length = int.from_bytes(rest[2:4], "big") if head == 5 else rest[0]
            if len(rest) < head + length + 1:
                break
            data, check = rest[head : head + length], rest[head + length]
            sound = sum(rest[head - 3 : head] if head == 5 else rest[:2]) & 0xFF == 0 and (sum(data) + check) & 0xFF == 0
            self._pending = rest[head + length + 1 :]
            if sound:
                yield data
        if len(self._pending) > HOST_BYTES_MAX:
            self._pending = b""

    def _host_baud(self) -> int | None:
        """The speed of the host's end of the line; None when it cannot be told."""
        try:
            end = os.open(self._cable.path, os.O_RDWR | os.O_NOCTTY)
        except OSError:
            return None
        try:
            return _SPEEDS.get(termios.tcgetattr(end)[5])
        except termios.error:
            return None
        finally:
            os.close(end)


def framed(data: bytes) -> bytes:
    """A normal information frame, or an extended one above 255 bytes.

    >>> framed(bytes.fromhex("d5033201060 7".replace(" ", ""))).hex()
    '0000ff06fad50332010607e800'
    """
    check = bytes([-sum(data) & 0xFF, 0x00])
    if len(data) <= 0xFF:
        return b"\x00\x00\xff" + bytes([len(data), -len(data) & 0xFF]) + data + check
    length = len(data).to_bytes(2, "big")
    return b"\x00\x00\xff\xff\xff" + length + bytes([-sum(length) & 0xFF]) + data + check


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a reader from standard input until it ends."""
    parser = argparse.ArgumentParser(prog="drivers.simulators.pn532", description="A simulated NFC reader (PN532).", epilog=HELP)
    parser.add_argument("--link", type=Path, help="where to make the link that the agent opens; without it the pty's own name is printed")
    chosen = parser.parse_args(arguments)
    with PtyPn532(chosen.link) as reader:
        print(f"reader at port:{reader.path}", flush=True)
        run(reader, SystemRandom(), sys.stdin)
    return 0


if __name__ == "__main__":
    sys.exit(main())
