"""The NFC reader's serial line: a slow computer is no lost reader, a silent reader is one."""

from __future__ import annotations

import errno

import pytest
import serial

from drivers.nfc.serial_line import ACK, LOOK_SECONDS, SILENT_LOOKS_MIN, SerialLine

FRAME = bytes.fromhex("0000ff06fad50332010607e800")
LONG = b"\x00\x00\xff\xff\xff\x01\x00\xff" + bytes(256) + b"\x00\x00"
NOTHING = b""


class HeldUp:
    """A port as pyserial shows it to a thread that is held up: each look finds what is given, in parts, or nothing though it is on its way."""

    def __init__(self, *looks: bytes) -> None:
        self.looks = list(looks)
        self.looked = 0
        self.baudrate = 115_200
        self.written: list[bytes] = []

    def read(self, size: int) -> bytes:
        self.looked += 1
        found = self.looks.pop(0) if self.looks else NOTHING
        if len(found) > size:
            self.looks.insert(0, found[size:])
        return found[:size]

    def reset_input_buffer(self) -> None: ...

    def write(self, data: bytes) -> int:
        self.written.append(data)
        raise serial.SerialTimeoutException("Write timeout")  # said after a pause of this thread too, when all was written


def line_on(port: HeldUp) -> SerialLine:
    line = SerialLine("/dev/ttyUSB0")
    line.tty = port  # type: ignore[assignment]  # the part of a port that is used
    return line


@pytest.mark.parametrize("frame", [ACK, FRAME, LONG], ids=["acknowledgement", "frame", "extended frame"])
@pytest.mark.parametrize("piece", [1, 2, 5])
def test_a_frame_that_is_found_in_parts_and_late_is_whole(frame: bytes, piece: int) -> None:
    pieces = [frame[at : at + piece] for at in range(0, len(frame), piece)]
    late = [look for part in pieces for look in (*[NOTHING] * (SILENT_LOOKS_MIN - 1), part)]
    assert line_on(HeldUp(*late)).read(100) == frame


@pytest.mark.parametrize(("milliseconds", "looks"), [(0, SILENT_LOOKS_MIN), (100, SILENT_LOOKS_MIN), (2_000, int(2 / LOOK_SECONDS))])
def test_silence_is_so_many_looks_in_vain_however_long_they_took(milliseconds: int, looks: int) -> None:
    port = HeldUp()
    with pytest.raises(OSError, match="timed out") as caught:
        line_on(port).read(milliseconds)
    assert caught.value.errno == errno.ETIMEDOUT
    assert port.looked == looks


def test_a_frame_that_breaks_off_is_none() -> None:
    with pytest.raises(OSError, match="not a frame") as caught:
        line_on(HeldUp(ACK[:3])).read(100)
    assert caught.value.errno == errno.EIO


def test_a_write_that_seemed_to_take_too_long_is_answered_all_the_same() -> None:
    port = HeldUp(ACK)
    line = line_on(port)
    line.write(FRAME)
    assert (port.written, line.read(100)) == ([FRAME], ACK)
