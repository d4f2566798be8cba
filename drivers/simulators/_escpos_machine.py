"""The receipt printer without its socket: bytes in, answers and effects out; pure but for the switches that somebody turns."""

from __future__ import annotations

from collections import deque

from msgspec import Struct
from msgspec.structs import replace

from drivers.simulators._escpos_commands import DROPPED, Command, CommandParser
from drivers.simulators._escpos_paper import Asked, Effect, Paper, Pulse

QUEUE_BYTES_MAX = 65_536
"""The printer's receive buffer: while it holds this much the host has to wait."""


class Switches(Struct, frozen=True):
    """What is the matter with the printer.

    ``stuck``: takes connections and bytes and does nothing. ``answers_in_order``: whether it knows ``GS r``. ``drop_after_bytes``: cuts the
    connection after so many more bytes. ``lines_left``: the paper ends after so many more lines. ``slow_line_seconds``: time per line.
    """

    paper_low: bool = False
    paper_out: bool = False
    cover_open: bool = False
    offline: bool = False
    error: bool = False
    stuck: bool = False
    answers_in_order: bool = True
    drop_after_bytes: int | None = None
    lines_left: int | None = None
    slow_line_seconds: float = 0.0

    @property
    def out_of_paper(self) -> bool:
        return self.paper_out or self.lines_left == 0

    @property
    def blocked(self) -> bool:
        """Whether the printer is off-line: bytes are kept, nothing is printed, only real-time commands are answered."""
        return self.out_of_paper or self.cover_open or self.offline or self.error

    def real_time_status(self, which: int, drawer_open: bool) -> bytes:
        """The answer to ``DLE EOT which``; none to one that this printer has not.

        >>> Switches(paper_out=True).real_time_status(4, False).hex(), Switches().real_time_status(1, False).hex()
        ('7e', '16')
        """
        bits: dict[int, tuple[tuple[int, bool], ...]] = {
            1: ((0x04, not drawer_open), (0x08, self.blocked)),
            2: ((0x04, self.cover_open), (0x20, self.out_of_paper), (0x40, self.error)),
            3: ((0x08, self.error),),
            4: ((0x0C, self.paper_low or self.out_of_paper), (0x60, self.out_of_paper)),
        }
        return bytes([0x12 | sum(mask for mask, on in bits[which] if on)]) if which in bits else b""

    def ordered_status(self, which: int, drawer_open: bool) -> bytes:
        """The answer to ``GS r which``: 1 the paper sensors, 2 the drawer's pin."""
        if not self.answers_in_order or which % 48 not in (1, 2):
            return b""
        if which % 48 == 2:
            return bytes([not drawer_open])
        return bytes([0x03 if self.paper_low else 0x00])


class Machine:
    """A printer's inside: a receive buffer, a command parser, the paper, the drawer. Time comes with each call, in monotonic seconds."""

    def __init__(self, columns: int) -> None:
        self.switches = Switches()
        self.paper = Paper(columns)
        self.drawer_open = False
        self.pulses = 0
        self._parser = CommandParser()
        self._queue: deque[Command] = deque()
        self._queued_bytes = 0
        self._line_at: float | None = None

    def connected(self) -> None:
        """A new connection begins: half a command of the last one is forgotten, what was complete is still printed."""
        self._parser = CommandParser()

    @property
    def full(self) -> bool:
        """Whether the host has to wait with more bytes."""
        return self._queued_bytes >= QUEUE_BYTES_MAX

    def feed(self, data: bytes) -> bytes:
        """Take ``data``; real-time commands are done and answered at once, everything else waits for ``work``."""
        if self.switches.stuck:
            return b""
        answers = bytearray()
        for command in self._parser.feed(data):
            if command.name.startswith("DLE"):
                answers += self._real_time(command)
            elif command.name != DROPPED:
                self._queue.append(command)
                self._queued_bytes += _size(command)
        return bytes(answers)

    def work(self, now: float) -> tuple[bytes, list[Effect]]:
        """Do what waits and can be done by ``now``: answers in order, and effects (pieces of paper, drawer pulses)."""
        answers = bytearray()
        effects: list[Effect] = []
        while self._queue and not self.switches.blocked and not self.switches.stuck and not self._busy_seconds(now):
            command = self._queue.popleft()
            self._queued_bytes -= _size(command)
            for effect in self.paper.execute(command):
                if isinstance(effect, Asked):
                    answers += self._answer(effect)
                else:
                    effects.append(effect)
                    if isinstance(effect, Pulse):
                        self._pulse()
            if command.name == "LF":
                self._line_printed(now)
        return bytes(answers), effects

    def wait_seconds(self, now: float) -> float | None:
        """How long until ``work`` can go on by itself; None when there is nothing to do."""
        if not self._queue or self.switches.blocked or self.switches.stuck:
            return None
        return self._busy_seconds(now)

    def _busy_seconds(self, now: float) -> float:
        """How much longer the last line takes."""
        return 0.0 if self._line_at is None else max(self._line_at + self.switches.slow_line_seconds - now, 0.0)

    def _line_printed(self, now: float) -> None:
        self._line_at = now
        if self.switches.lines_left:
            self.switches = replace(self.switches, lines_left=self.switches.lines_left - 1)

    def _real_time(self, command: Command) -> bytes:
        match command.name, tuple(command.arguments):
            case "DLE \x04", (which,):
                return self.switches.real_time_status(which, self.drawer_open)
            case "DLE \x05", (1 | 2,):
                self.switches = replace(self.switches, error=False)
            case "DLE \x14", (1, 0 | 1, _):
                self._pulse()
        return b""

    def _answer(self, asked: Asked) -> bytes:
        if asked.name == "GS r":
            return self.switches.ordered_status(asked.what, self.drawer_open)
        return b"_SIMULATED\0" if 65 <= asked.what <= 69 else b"\x20"

    def _pulse(self) -> None:
        self.drawer_open = True
        self.pulses += 1


def _size(command: Command) -> int:
    return len(command.arguments) + 8
