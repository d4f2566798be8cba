"""The seam to nfcpy: opens a reader, looks for a tag, and turns everything that a reader can do wrong into a DeviceError."""

from __future__ import annotations

import errno
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

from drivers.nfc.address import ReaderAddress, SerialAddress, UdpAddress, UsbAddress
from drivers.nfc.library import Nfcpy, load_nfcpy
from drivers.nfc.serial_line import NORMAL_BAUD, SerialLine
from drivers.transports.serial_port import refusal
from edge_agent.domain.errors import DeviceAbsent, DeviceBusy, DeviceDenied, DeviceError, DeviceLost

UDP_ANSWER_SECONDS_MAX = 0.3
"""A simulator on this computer that has not answered within this time is not there; nfcpy alone would wait a second for each technology."""


class Frontend:
    """One open reader. Used by one thread only (nfcpy blocks whoever else comes); ``close`` never raises.

    ``technologies`` are nfcpy's names (``106A``); ``unsupported`` is told the ones that this reader turns out not to know.
    """

    def __init__(self, address: ReaderAddress, technologies: Sequence[str]) -> None:
        self._address = address
        self._technologies = tuple(technologies)
        self._line: SerialLine | None = None
        self._clf: Any = None
        self._udp: Any = None
        self.nfcpy: Nfcpy = load_nfcpy()

    @property
    def clf(self) -> Any:
        """nfcpy's ContactlessFrontend."""
        return self._clf

    def open(self) -> None:
        """Open the reader. Raises DeviceAbsent, DeviceBusy, DeviceDenied or DeviceLost."""
        try:
            with _nonsense_as_os_error(self.nfcpy):
                self._clf = self.nfcpy.clf.ContactlessFrontend()
                self._clf.device = self._device(self._address)
        except OSError as error:
            self.close()
            raise _not_opened(error, self._address) from error
        except DeviceError:
            self.close()
            raise

    def sense(self, stop: Event, unsupported: Callable[[str], None]) -> Any:
        """A target in the field (an nfcpy RemoteTarget), or None. Looks for one technology after the other until ``stop``. Raises DeviceLost."""
        if self._udp is not None:
            self._udp.heard = False
        for technology in self._technologies:
            if stop.is_set():
                return None
            try:
                with self.lost("looking for a tag"):
                    target = self._look(technology)
            except _Unsupported:
                self._technologies = tuple(known for known in self._technologies if known != technology)
                unsupported(technology)
                continue
            if target is not None:
                return target
        if not self._technologies:
            raise DeviceLost(
                f"The NFC reader at {self._address.path} knows none of the configured technologies.",
                hint="Correct technologies in the configuration.",
                reason="technology_unsupported",
            )
        if self._udp is not None and not self._udp.heard:
            raise _gone(self._address, "the simulator does not answer")
        return None

    @contextmanager
    def lost(self, doing: str) -> Iterator[None]:
        """What breaks while ``doing`` something with the reader becomes DeviceLost."""
        try:
            with _nonsense_as_os_error(self.nfcpy):
                yield
        except OSError as error:
            raise _gone(self._address, f"{doing}: {error}") from error

    def close(self) -> None:
        """Switch the field off, put the chip to sleep and let go of the port."""
        clf, line = self._clf, self._line
        self._clf = self._line = self._udp = None
        if clf is not None:
            with suppress(*self.nfcpy.wire, *self.nfcpy.confused):
                clf.close()
        if line is not None:
            line.close()

    def _look(self, technology: str) -> Any:
        try:
            return self._clf.sense(self.nfcpy.clf.RemoteTarget(technology))
        except self.nfcpy.clf.UnsupportedTargetError as error:
            raise _Unsupported from error
        except ValueError as error:
            if "unsupported bitrate" in str(error):  # the way pn53x says it
                raise _Unsupported from error
            raise

    def _device(self, address: ReaderAddress) -> Any:
        match address:
            case SerialAddress():
                return self._serial_device(address)
            case UdpAddress():
                self._udp = device = _udp_device(self.nfcpy, address)
                if not device.answers():
                    device.close()
                    raise OSError(errno.ENODEV, "nobody answers")
            case UsbAddress(path=path):
                device = self.nfcpy.clf.device.connect(path)
                if device is None:
                    raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return device

    def _serial_device(self, address: SerialAddress) -> Any:
        path = address.resolved()
        driver = importlib.import_module(f"nfc.clf.{address.driver}")
        self._line = line = SerialLine(path)
        try:
            line.open(path)
        except OSError as error:
            raise refusal(path, error) from error
        try:
            device = driver.init(line)
        except OSError as error:
            if address.driver != "pn532" or error.errno not in (errno.ENODEV, errno.ETIMEDOUT, errno.EIO) or not line.slow_down():
                raise
            assert line.baudrate == NORMAL_BAUD
            device = driver.init(line)
        device._path = path  # nfcpy's own connect does the same
        return device


class _Unsupported(Exception):
    """The reader does not know a technology. Never leaves this module."""


@contextmanager
def _nonsense_as_os_error(nfcpy: Nfcpy) -> Iterator[None]:
    """One kind of exception for all that nfcpy's chip drivers raise when the reader fails or speaks nonsense."""
    try:
        yield
    except OSError:
        raise
    except nfcpy.wire as error:
        raise OSError(errno.EIO, str(error)) from error
    except (*nfcpy.confused, *nfcpy.air, nfcpy.clf.UnsupportedTargetError) as error:
        raise OSError(errno.EIO, f"unexpected answer ({type(error).__name__})") from error


def _udp_device(nfcpy: Nfcpy, address: UdpAddress) -> Any:
    """nfcpy's UDP driver with a shorter patience, and ears: ``heard`` says whether anybody has answered since it was cleared."""

    class Device(nfcpy.clf.udp.Device):  # type: ignore[misc, name-defined]  # the library has no types, and is loaded late on purpose
        heard = False

        def _recv_data(self, timeout: float, *technologies: str) -> Any:
            try:
                answer = super()._recv_data(min(timeout, UDP_ANSWER_SECONDS_MAX), *technologies)
            except nfcpy.clf.BrokenLinkError:  # "no field here" is an answer, too
                self.heard = True
                raise
            self.heard = True
            return answer

        def answers(self) -> bool:
            """Whether anybody is there, with a tag or without one."""
            with suppress(*nfcpy.air):
                self.sense_tta(nfcpy.clf.RemoteTarget("106A"))
            return self.heard

    device = Device(address.host, address.port)
    device._chipset_name = "UDP"  # nfcpy's init does the same
    return device


_NO_RIGHT = (DeviceDenied, "may not be opened by this user", "Install the udev rule for the reader, so that the service's user may open it.")
_IN_USE = (
    DeviceBusy,
    "is held by another program",
    "Stop the program that holds it (pcscd), or keep the kernel module that does (pn533, port100) from loading.",
)
_ABSENT = (DeviceAbsent, "does not answer as an NFC reader", "Check that the reader is plugged in and that the path in the configuration is its.")

_OPENING: dict[int | None, tuple[type[DeviceError], str, str]] = {
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EBUSY: _IN_USE,
}
"""Why a reader did not open, by errno; everything else means that there is none that answers."""


def _not_opened(error: OSError, address: ReaderAddress) -> DeviceError:
    kind, what, hint = _OPENING.get(error.errno, _ABSENT)
    return kind(f"{address.path} {what} ({error}).", hint=hint, path=address.path)


def _gone(address: ReaderAddress, why: str) -> DeviceLost:
    return DeviceLost(f"The NFC reader at {address.path} is gone ({why}).", hint="Check the reader's cable and plug it in again.", path=address.path)
