"""What an ESC/POS printer says about itself: the four real-time status bytes, and the mark that the bytes before it are done. Pure.

Source: Epson ESC/POS Command Reference, ``DLE EOT n`` (real-time status, answered at once, also while off-line), ``GS r n``
(answered in the order of the data, so after everything sent before it) and ``GS a`` (automatic status, four bytes, skipped here).
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

STATUS_REQUESTS = (b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x03", b"\x10\x04\x04")
"""``DLE EOT 1..4``: printer, cause of off-line, cause of error, paper sensors."""
MARK_REQUEST = b"\x1dr\x01"
"""``GS r 1``: answered when all that was sent before it has been worked off."""


class Condition(Enum):
    """What hinders the printer, the gravest first; PAPER_LOW and READY do not hinder."""

    COVER_OPEN = "cover_open"
    PAPER_OUT = "paper_out"
    ERROR = "error"
    OFFLINE = "offline"
    PAPER_LOW = "paper_low"
    READY = ""


DETAILS = {
    Condition.COVER_OPEN: "The cover is open.",
    Condition.PAPER_OUT: "The paper is out.",
    Condition.ERROR: "The printer reports an error (paper jam, cutter, overheated).",
    Condition.OFFLINE: "The printer is off-line.",
    Condition.PAPER_LOW: "The paper is nearly out.",
    Condition.READY: "",
}


class PrinterStatus(Struct, frozen=True):
    """The printer's switches and sensors at one moment."""

    cover_open: bool
    paper_out: bool
    error: bool
    offline: bool
    paper_low: bool

    @classmethod
    def parse(cls, printer: int, offline: int, error: int, paper: int) -> PrinterStatus:
        """From the answers to ``DLE EOT 1``, ``2``, ``3`` and ``4``, one byte each.

        >>> PrinterStatus.parse(0x12, 0x12, 0x12, 0x12).condition
        <Condition.READY: ''>
        >>> PrinterStatus.parse(0x1A, 0x32, 0x12, 0x72).condition
        <Condition.PAPER_OUT: 'paper_out'>
        """
        return cls(
            cover_open=bool(offline & 0x04),
            paper_out=bool(offline & 0x20) or bool(paper & 0x60),
            error=bool(offline & 0x40) or bool(error & 0x6C),
            offline=bool(printer & 0x08),
            paper_low=bool(paper & 0x0C),
        )

    @property
    def condition(self) -> Condition:
        """The gravest of what the status says."""
        switches = (
            (Condition.COVER_OPEN, self.cover_open),
            (Condition.PAPER_OUT, self.paper_out),
            (Condition.ERROR, self.error),
            (Condition.OFFLINE, self.offline),
            (Condition.PAPER_LOW, self.paper_low),
        )
        return next((condition for condition, on in switches if on), Condition.READY)

    @property
    def prints(self) -> bool:
        """Whether a job sent now will be printed."""
        return self.condition in (Condition.READY, Condition.PAPER_LOW)


class AnswerReader:
    """Sorts a printer's bytes: real-time status bytes are returned, marks counted, automatic status blocks and noise skipped.

    The fixed bits tell them apart: ``0xx1xx10`` real-time status, ``0xx0xxxx`` an answer to ``GS r``, ``0xx1xx00`` the first of four
    automatic bytes.

    >>> reader = AnswerReader()
    >>> reader.feed(bytes.fromhex("12 10000000 00 11 1a")), reader.marks
    ([18, 26], 1)
    """

    def __init__(self) -> None:
        self.marks = 0
        self._skip = 0

    def feed(self, data: bytes) -> list[int]:
        """The real-time status bytes in ``data``."""
        statuses = []
        for byte in data:
            if self._skip:
                self._skip -= 1
            elif byte & 0x93 == 0x12:
                statuses.append(byte)
            elif byte & 0x93 == 0x10:
                self._skip = 3
            elif byte & 0x90 == 0x00:
                self.marks += 1
        return statuses
