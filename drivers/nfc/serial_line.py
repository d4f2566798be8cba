"""The serial line under nfcpy's chip drivers: exclusive, with time-outs, and one kind of exception (OSError) however it breaks."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import serial

if os.name == "posix":
    import fcntl
    import termios

    TERMINAL_ERRORS: tuple[type[Exception], ...] = (termios.error,)  # not an OSError
else:
    TERMINAL_ERRORS = ()

_GONE: tuple[type[Exception], ...] = (TypeError, *TERMINAL_ERRORS)  # a port that goes away between two of pyserial's steps is a TypeError there

START = b"\x00\x00\xff"
ACK = b"\x00\x00\xff\x00\xff\x00"
NORMAL_BAUD = 115_200
FAST_BAUDS = (921_600, 460_800, 230_400)
"""Speeds that nfcpy moves a PN532 to (the fastest that the port can do)."""

WRITE_SECONDS_MAX = 1.0
LOOK_SECONDS = 0.05
"""So long one look for bytes waits. Silence is counted in looks, not by the clock: on a busy computer this thread may be held up for longer
than any time-out, and what counts is how often it looked and found nothing."""
SILENT_LOOKS_MIN = 10
"""nfcpy gives a chip 100 ms to acknowledge; on a busy computer that calls a reader lost that is there, and costs the tap."""

# SetSerialBaudRate to 115,200 baud, and its answer (PN532 user manual 7.2.7), after the zeros that wake a sleeping chip.
_SET_NORMAL_BAUD = bytes(10) + bytes.fromhex("0000ff03fdd410041800")
_SET_NORMAL_BAUD_DONE = bytes.fromhex("0000ff02fed5111a00")


class SerialLine:
    """What nfcpy calls a transport, of type ``TTY``, on one checked device path.

    nfcpy's own lets ``termios.error`` through when the cable is pulled and fails with an IndexError on a short frame; this one
    raises OSError for both, which nfcpy's drivers expect. ``open`` and ``port`` are nfcpy's; the port it names is always ours.
    """

    TYPE = "TTY"
    manufacturer_name = None
    product_name = None

    def __init__(self, path: str) -> None:
        self._path = path
        self.tty: serial.Serial | None = None

    @property
    def port(self) -> str:
        """The device path."""
        return self._path

    @property
    def baudrate(self) -> int:
        """The present speed; 0 when closed."""
        return self.tty.baudrate if self.tty is not None else 0

    @baudrate.setter
    def baudrate(self, value: int) -> None:
        with _as_os_error():
            self._open_tty().baudrate = value

    def open(self, port: str, baudrate: int = NORMAL_BAUD) -> None:
        """Open for this process alone, or change the speed when it is open. Raises OSError (serial.SerialException is one)."""
        assert port == self._path, port
        if self.tty is not None:
            self.baudrate = baudrate
            return
        with _as_os_error():
            self.tty = serial.Serial(self._path, baudrate, timeout=LOOK_SECONDS, write_timeout=WRITE_SECONDS_MAX, exclusive=True)
        if os.name == "posix" and not self._path.startswith("/dev/pts/"):  # a pty would stay locked when its holder is killed
            with suppress(OSError):
                fcntl.ioctl(self.tty.fileno(), termios.TIOCEXCL)

    def read(self, timeout: int) -> bytearray:
        """One frame, begun within ``timeout`` milliseconds (and never before SILENT_LOOKS_MIN looks in vain).

        Raises OSError: ETIMEDOUT for silence, EIO for bytes that are no frame.
        """
        looks = max(SILENT_LOOKS_MIN, math.ceil(timeout / 1000 / LOOK_SECONDS))
        with _as_os_error():
            tty = self._open_tty()
            frame = _taken(tty, len(ACK), looks)
            if not frame:
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            if frame == ACK:
                return frame
            if len(frame) < len(ACK) or not frame.startswith(START):
                raise OSError(errno.EIO, "not a frame")
            length = frame[3]
            if length == 0xFF:  # an extended frame
                frame += _taken(tty, 3, looks)
                length = int.from_bytes(frame[5:7], "big")
            return frame + _taken(tty, length + 1, looks)

    def write(self, frame: bytes | bytearray) -> None:
        """Send a frame; what had arrived before is dropped. Raises OSError.

        A write that took too long raises nothing: pyserial says so too when all was written and this thread was only held up. A line that
        takes no bytes brings no answer either, and that is looked for.
        """
        with _as_os_error(), suppress(serial.SerialTimeoutException):
            tty = self._open_tty()
            tty.reset_input_buffer()
            tty.write(bytes(frame))

    def close(self) -> None:
        """Close; never raises."""
        tty, self.tty = self.tty, None
        if tty is not None:
            with suppress(OSError, *_GONE):
                tty.close()

    def slow_down(self) -> bool:
        """Bring back a PN532 that a killed program left at a higher speed: whether one answered. Raises OSError when the line is gone."""
        for fast in FAST_BAUDS:
            self.baudrate = fast
            self.write(_SET_NORMAL_BAUD)
            try:
                answered = self.read(100) == ACK and self.read(100) == _SET_NORMAL_BAUD_DONE
            except OSError as error:
                if error.errno not in (errno.ETIMEDOUT, errno.EIO):
                    raise
                answered = False
            if answered:
                self.write(ACK)  # the chip changes its speed when it sees this
            self.baudrate = NORMAL_BAUD
            if answered:
                return True
        return False

    def _open_tty(self) -> serial.Serial:
        if self.tty is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return self.tty


def _taken(tty: serial.Serial, count: int, looks: int) -> bytearray:
    """``count`` bytes; fewer after ``looks`` looks in a row that found nothing. What came in parts, or late because we looked late, is whole."""
    taken, silent = bytearray(), 0
    while len(taken) < count and silent < looks:
        came = tty.read(count - len(taken))
        taken += came
        silent = 0 if came else silent + 1
    return taken


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except _GONE as error:
        raise OSError(errno.ENODEV, "the serial port is gone") from error
    except ValueError as error:  # a speed that this port cannot do
        raise OSError(errno.EINVAL, str(error)) from error
