"""Cuts a stream of ESC/POS bytes into commands; pure, for any bytes at all, with bounded memory.

Lengths of arguments are a table after the Epson ESC/POS Command Reference; a command that is not in it takes none.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

ARGUMENT_BYTES_MAX = 262_144
"""A longer argument (a picture) is skipped as it comes and its command dropped; 576 dots by 3,600 lines fit."""
TEXT = "TEXT"
DROPPED = "DROPPED"

_INTRODUCERS = {0x10: "DLE", 0x1B: "ESC", 0x1C: "FS", 0x1D: "GS"}

_FIXED = {
    # command: bytes of arguments
    "ESC": {
        "!": 1, " ": 1, "$": 2, "%": 1, "-": 1, "3": 1, "+": 1, "A": 1, "=": 1, "?": 1, "E": 1, "G": 1, "J": 1, "K": 1, "M": 1, "R": 1,
        "T": 1, "V": 1, "W": 8, "\\": 2, "a": 1, "c": 2, "d": 1, "e": 1, "p": 3, "r": 1, "t": 1, "u": 1, "{": 1, "B": 2, "Q": 1, "U": 1,
    },
    "FS": {"!": 1, "-": 1, "?": 2, "C": 1, "S": 2, "W": 1, "p": 2},
    "GS": {
        "!": 1, "$": 2, "/": 1, "B": 1, "H": 1, "I": 1, "L": 2, "P": 2, "T": 1, "W": 2, "\\": 2, "^": 3, "a": 1, "b": 1, "f": 1, "h": 1,
        "j": 1, "r": 1, "w": 1, "|": 1, "E": 1,
    },
    "DLE": {"\x04": 1, "\x05": 1},
}  # fmt: skip

_REAL_TIME_DC4 = {1: 3, 2: 3, 3: 6, 7: 2, 8: 8}
"""``DLE DC4 fn ...``: bytes of arguments with fn."""


class Command(Struct, frozen=True):
    """One command: ``name`` as the manual writes it (``ESC !``, ``LF``; ``TEXT`` for characters), ``arguments`` as bytes.

    ``DROPPED`` stands for a command whose arguments were beyond ARGUMENT_BYTES_MAX.
    """

    name: str
    arguments: bytes = b""


class CommandParser:
    """Bytes in, commands out, whatever the cuts between the reads.

    >>> list(CommandParser().feed(b"\\x1b@Hi\\n\\x1dV\\x41\\x03"))
    [Command(name='ESC @', arguments=b''), Command(name='TEXT', arguments=b'Hi'), Command(name='LF', arguments=b''), Command(name='GS V', arguments=b'A\\x03')]
    """

    def __init__(self) -> None:
        self._family = ""
        self._name = ""
        self._arguments = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[Command]:
        """The commands that ``data`` completes. The parser has taken all of ``data`` only when the iterator is used up."""
        at = 0
        while at < len(data):
            if self._skip:
                taken = min(self._skip, len(data) - at)
                self._skip -= taken
                at += taken
                if not self._skip:
                    yield Command(DROPPED)
            elif self._name:
                at = self._take_arguments(data, at)
            elif self._family:
                self._name = f"{self._family} {chr(data[at])}"
                self._family = ""
                at += 1
            elif data[at] in _INTRODUCERS:
                self._family = _INTRODUCERS[data[at]]
                at += 1
            elif data[at] < 0x20:
                yield Command(_CONTROLS.get(data[at], "NUL"))
                at += 1
            else:
                end = _text_end(data, at)
                yield Command(TEXT, data[at:end])
                at = end
            if self._name and not self._skip and (command := self._complete()):
                yield command

    def _take_arguments(self, data: bytes, at: int) -> int:
        wanted = _wanted(self._name, self._arguments) - len(self._arguments)
        taken = data[at : at + wanted]
        self._arguments += taken
        return at + len(taken)

    def _complete(self) -> Command | None:
        wanted = _wanted(self._name, self._arguments)
        if wanted > ARGUMENT_BYTES_MAX:
            self._skip = wanted - len(self._arguments)
        elif len(self._arguments) < wanted:
            return None
        command = Command(self._name, bytes(self._arguments))
        self._name = ""
        self._arguments.clear()
        return None if self._skip else command


_CONTROLS = {0x09: "HT", 0x0A: "LF", 0x0C: "FF", 0x0D: "CR", 0x18: "CAN"}


def _text_end(data: bytes, at: int) -> int:
    while at < len(data) and data[at] >= 0x20:
        at += 1
    return at


def _wanted(name: str, have: bytearray) -> int:
    """How many bytes of arguments ``name`` wants, as far as the ones it has tell; more may be wanted once those are there."""
    family, letter = name.split(" ", 1)
    fixed = _FIXED[family].get(letter)
    if fixed is not None:
        return fixed
    match name:
        case "GS (" | "FS (":
            return 3 if len(have) < 3 else 3 + have[1] + 256 * have[2]
        case "GS 8":
            return 5 if len(have) < 5 else 5 + int.from_bytes(have[1:5], "little")
        case "GS v":
            return 6 if len(have) < 6 else 6 + (have[2] + 256 * have[3]) * (have[4] + 256 * have[5])
        case "ESC *":
            return 3 if len(have) < 3 else 3 + (have[1] + 256 * have[2]) * (3 if have[0] in (32, 33) else 1)
        case "GS *":
            return 2 if len(have) < 2 else 2 + have[0] * have[1] * 8
        case "GS V":
            return 1 if not have or have[0] in (0, 1, 48, 49) else 2
        case "GS k":
            return _wanted_by_barcode(have)
        case "ESC D":
            return len(have) if have and (have[-1] == 0 or len(have) > 32) else len(have) + 1
        case "DLE \x14":
            return _REAL_TIME_DC4.get(have[0], 1) if have else 1
        case _:
            return 0


def _wanted_by_barcode(have: bytearray) -> int:
    """``GS k m d1...dk NUL`` up to m = 6, ``GS k m n d1...dn`` from 65 on. What never ends is cut off at 256 bytes."""
    if not have:
        return 1
    if have[0] > 6:
        return 2 if len(have) < 2 else 2 + have[1]
    return len(have) if len(have) > 1 and (have[-1] == 0 or len(have) > 256) else len(have) + 1
