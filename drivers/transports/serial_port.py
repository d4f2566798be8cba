"""Moves bytes over a serial port, a USB CDC device, a pseudo-terminal or a serial server, on pyserial."""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
import select
import threading

import serial
from msgspec import Struct
from serial.tools.list_ports import comports

from drivers.transports.find_port import ListPorts, PortAddress, UrlPort, find_port, port_there
from edge_agent.domain.errors import DeviceAbsent, DeviceBusy, DeviceDenied, DeviceError, DeviceLost

if os.name == "posix":
    import fcntl
    import grp
    import termios

    _TERMINAL_ERRORS: tuple[type[Exception], ...] = (termios.error,)  # not an OSError
else:
    _TERMINAL_ERRORS = ()

READ_BYTES_MAX = 4_096
"""One read takes at most this much; the rest stays for the next."""

WRITE_SECONDS_MAX = 1.0
"""A device that takes no bytes for this long counts as lost."""

SLICE_SECONDS = 0.05
"""Where a port cannot be waited for together with ``wake`` (a serial server, Windows), a read waits this long at a time."""

FOREIGN: tuple[type[Exception], ...] = (serial.SerialException, OSError, ValueError, TypeError, *_TERMINAL_ERRORS)
"""What pyserial raises when a port fails; TypeError and ValueError when it goes away between two of its steps."""


class LineSettings(Struct, frozen=True):
    """Baud, 5 to 8 data bits, parity (N E O M S), stop bits (1 or 2)."""

    baud: int = 9_600
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1


class SerialTransport:
    """A ``Transport`` over whatever ``address`` names. One thread opens, reads, writes and closes; ``wake`` is for all others.

    Opened for us alone: an advisory lock, and on real ports TIOCEXCL, so that no other program steals half of a scan. On a pseudo-terminal
    data bits, parity and stop bits mean nothing (and glibc answers EINVAL when they did not take), so that 8N1 is asked for there.
    What was in the input buffer before ``open`` is discarded.
    """

    def __init__(self, address: PortAddress, settings: LineSettings, list_ports: ListPorts = comports) -> None:
        self._address = address
        self._settings = settings
        self._list_ports = list_ports
        self._port: serial.Serial | None = None
        self._shown = ""
        self._lock = threading.Lock()  # guards the wake pipe against being closed under a waker
        self._wake_pipe: tuple[int, int] | None = None

    def present(self) -> bool:
        """Whether the port is there. Cheap (0.5 ms at most); never raises."""
        return port_there(self._address, self._list_ports)

    def open(self) -> None:
        """Open exclusively. Raises DeviceAbsent, DeviceBusy, DeviceDenied, or DeviceError for settings that the port refuses."""
        self.close()
        self._shown = name = find_port(self._address, self._list_ports)
        remote = isinstance(self._address, UrlPort)
        try:
            self._port = _opened(name, self._settings, remote=remote)
        except FOREIGN as error:
            raise refusal(name, error) from error
        if os.name == "posix" and not remote:
            self._wake_pipe = os.pipe()

    def read(self, wait_seconds: float) -> bytes:
        """What is there, or what comes first within ``wait_seconds``; ``b""`` after that or a ``wake``. Raises DeviceLost."""
        port = self._port
        if port is None:
            raise self._lost("it is not open")
        try:
            if self._wake_pipe is not None:
                woken = self._wake_pipe[0]
                ready = select.select([port.fileno(), woken], [], [], wait_seconds)[0]
                if woken in ready:
                    os.read(woken, READ_BYTES_MAX)
                return bytes(port.read(READ_BYTES_MAX)) if port.fileno() in ready else b""
            first = bytes(port.read(1))
            return first + bytes(port.read(min(port.in_waiting, READ_BYTES_MAX))) if first else b""
        except FOREIGN as error:
            raise self._lost(_words(error)) from error

    def write(self, data: bytes) -> None:
        """Write all of it. Raises DeviceLost."""
        if self._port is None:
            raise self._lost("it is not open")
        try:
            self._port.write(data)
        except FOREIGN as error:
            raise self._lost(_words(error)) from error

    def wake(self) -> None:
        """Let a read that waits come back at once; from any thread, at any time. A serial server's comes back within SLICE_SECONDS anyway."""
        with self._lock:
            if self._wake_pipe is not None:
                os.write(self._wake_pipe[1], b"w")

    def close(self) -> None:
        """Close; never raises, may be called twice."""
        port, self._port = self._port, None
        with self._lock:
            pipe, self._wake_pipe = self._wake_pipe, None
            for end in pipe or ():
                os.close(end)
        if port is not None:
            with contextlib.suppress(*FOREIGN):
                port.close()

    def _lost(self, what: str) -> DeviceLost:
        return DeviceLost(f"Lost {self._shown or 'the port'}: {what}.", hint="Check the device's cable and power.", port=self._shown)


def _opened(name: str, settings: LineSettings, *, remote: bool) -> serial.Serial:
    pty = os.path.realpath(name).startswith("/dev/pts/")
    port = serial.serial_for_url(name, do_not_open=True)
    port.baudrate = settings.baud
    if not pty:
        port.bytesize, port.parity, port.stopbits = settings.bytesize, settings.parity, settings.stopbits
    if remote:
        port.timeout = SLICE_SECONDS
    else:
        port.exclusive = True
        port.timeout = 0 if os.name == "posix" else SLICE_SECONDS
        port.write_timeout = WRITE_SECONDS_MAX
    port.open()
    if os.name == "posix" and not remote and not pty:  # a pty would keep it when its holder is killed; a real port forgets it
        with contextlib.suppress(OSError):
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    return port


def refusal(name: str, error: Exception) -> DeviceError:
    """What it means in the tree's words that opening ``name`` failed with ``error``."""
    number = getattr(error, "errno", None) or next((arg for arg in error.args if isinstance(arg, int)), None)
    match number:
        case errno.EBUSY | errno.EAGAIN:
            return DeviceBusy(f"{name} is in use by another program.", hint=f"Find it with 'fuser {name}' and stop it.", port=name)
        case errno.EACCES | errno.EPERM:
            return DeviceDenied(f"{name} may not be opened by this user.", hint=_admission(name), port=name)
        case errno.EINVAL:
            return DeviceError(
                f"{name} does not take the line settings: {_words(error)}.",
                hint="Set baud, bytesize, parity and stopbits to what the device and its port can do.",
                reason="settings_refused",
                port=name,
            )
    hint = "Check that the device is plugged in and switched on" + (", and its address." if "://" in name else ".")
    return DeviceAbsent(f"{name} does not open: {_words(error)}.", hint=hint, port=name)


def _admission(name: str) -> str:
    """The command that lets this user open ``name``: its group is dialout on Debian, uucp on others."""
    group = "dialout"
    with contextlib.suppress(OSError, KeyError):
        owner = grp.getgrgid(os.stat(name).st_gid).gr_name
        group = group if owner == "root" else owner
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a service user without a name
        user = "USER"
    return f"Run 'sudo usermod -aG {group} {user}' and start again."


def _words(error: Exception) -> str:
    """What the operating system says, in one line."""
    number = getattr(error, "errno", None)
    if number:
        return os.strerror(number)
    text = " ".join(str(error).split())
    return "the device hung up" if "returned no data" in text else text or type(error).__name__  # pyserial's long sentence for an end of input
