"""Where an NFC reader is: the configured path, checked against a strict pattern before any library or shell sees it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from edge_agent.domain.errors import DeviceDenied

EXPECTED = (
    "'tty:USB0:pn532' (tty:S, ACM, AMA or USB and a number, then pn532 or arygon), 'port:/dev/serial/by-id/...' or 'pty:/dev/pts/N' (a PN532 there), "
    "'usb:072f:2200' (vendor and product), 'usb:001:023' (bus and device) or 'udp:127.0.0.1:PORT' (a simulator on this computer)"
)
"""What a configured path may look like, for the message about one that does not."""

PATH_CHARS_MAX = 255

# nfcpy puts a serial port's path into a shell command line (stty): only characters that no shell gives a meaning pass.
_SERIAL_PATH = re.compile(r"/[A-Za-z0-9._:,@+=/-]+")
_TTY = re.compile(r"tty:((?:S|ACM|AMA|USB)\d{1,3}):(pn532|arygon)")
_USB_ID = re.compile(r"usb:([0-9a-f]{4}):([0-9a-f]{4})")
_USB_BUS = re.compile(r"usb:(\d{3}):(\d{3})")
_UDP = re.compile(r"udp:(127\.0\.0\.1):(\d{1,5})")

_SYSFS_USB = Path("/sys/bus/usb/devices")


class SerialAddress(Struct, frozen=True):
    """A reader on a serial device; ``driver`` is nfcpy's name of its chip (``pn532`` or ``arygon``)."""

    path: str
    driver: str

    def present(self) -> bool:
        """Whether the device node is there."""
        return os.path.exists(self.path)

    def resolved(self) -> str:
        """The device node behind links. Raises DeviceDenied when a link leads to a path that may not be used."""
        real = os.path.realpath(self.path)
        if not _SERIAL_PATH.fullmatch(real):
            message = f"{self.path} leads to a path with characters that are not allowed."
            raise DeviceDenied(message, hint="Configure the path of the device itself.", reason="path_refused", path=self.path)
        return real


class UsbAddress(Struct, frozen=True):
    """A reader on USB, by vendor and product or by bus and device number; ``path`` is what nfcpy is asked for."""

    path: str
    vendor_product: tuple[str, str] | None = None
    bus_device: tuple[str, str] | None = None

    def present(self) -> bool:
        """Whether such a device is plugged in, as far as the operating system tells without opening it."""
        if self.bus_device is not None:
            return os.path.exists("/dev/bus/usb/{}/{}".format(*self.bus_device))
        if not _SYSFS_USB.is_dir():
            return True
        return any((_line(device / "idVendor"), _line(device / "idProduct")) == self.vendor_product for device in _SYSFS_USB.iterdir())


class UdpAddress(Struct, frozen=True):
    """A simulated reader on this computer. Nothing on this wire is authenticated, so no other computer can be named."""

    host: str
    port: int

    @property
    def path(self) -> str:
        """The address as it is configured."""
        return f"udp:{self.host}:{self.port}"

    def present(self) -> bool:
        """Always true: only asking tells, and ``open`` asks."""
        return True


ReaderAddress = SerialAddress | UsbAddress | UdpAddress


def parse_address(text: str) -> ReaderAddress | None:
    """The address that a configured path names; None when it is not one of the forms in ``EXPECTED``.

    >>> parse_address("tty:USB0:pn532")
    SerialAddress(path='/dev/ttyUSB0', driver='pn532')
    >>> parse_address("udp:127.0.0.1:54321")
    UdpAddress(host='127.0.0.1', port=54321)
    >>> parse_address("port:/dev/ttyUSB0; reboot") is None
    True
    """
    if len(text) > PATH_CHARS_MAX:
        return None
    if found := _TTY.fullmatch(text):
        return SerialAddress(f"/dev/tty{found[1]}", found[2])
    if found := _USB_ID.fullmatch(text.lower()):
        return UsbAddress(text.lower(), vendor_product=(found[1], found[2]))
    if found := _USB_BUS.fullmatch(text):
        return UsbAddress(text, bus_device=(found[1], found[2]))
    if (found := _UDP.fullmatch(text)) and 0 < int(found[2]) < 65_536:
        return UdpAddress(found[1], int(found[2]))
    scheme, _, path = text.partition(":")
    if scheme in ("port", "pty") and _SERIAL_PATH.fullmatch(path):
        return SerialAddress(path, "pn532")
    return None


def _line(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
