"""Finds the serial port that a configuration means: a path, a pattern, a USB identity or a URL."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct
from serial.tools.list_ports import comports

from edge_agent.domain.errors import DeviceAbsent, DeviceError


class UsbPort(Protocol):
    """What ``serial.tools.list_ports`` says of one port."""

    @property
    def device(self) -> str: ...
    @property
    def vid(self) -> int | None: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def serial_number(self) -> str | None: ...
    @property
    def location(self) -> str | None: ...


ListPorts = Callable[[], Iterable[UsbPort]]


class PathPort(Struct, frozen=True):
    """A device node, or a link to one (``/dev/serial/by-id/...``); on Windows a name (``COM3``)."""

    path: str


class GlobPort(Struct, frozen=True):
    """Whatever one device node matches the pattern at the moment."""

    pattern: str


class UsbIdentity(Struct, frozen=True):
    """A USB device by vendor, product, and serial number or the place where it is plugged in; either empty: any.

    Two devices of one model without serial numbers differ in their place only.
    """

    vid: int
    pid: int
    serial: str = ""
    location: str = ""

    def __str__(self) -> str:
        place = f":{self.serial}" if self.serial else f"@{self.location}" if self.location else ""
        return f"{self.vid:04x}:{self.pid:04x}{place}"

    def matches(self, port: UsbPort) -> bool:
        """Whether ``port`` is this device. A location matches all interfaces of the device there (``1-2`` matches ``1-2:1.0``)."""
        here = port.location or ""
        return (
            (port.vid, port.pid) == (self.vid, self.pid)
            and self.serial in ("", port.serial_number)
            and (not self.location or here == self.location or here.startswith(f"{self.location}:"))
        )


class UrlPort(Struct, frozen=True):
    """A port of a serial server in the network (``rfc2217://host:port``)."""

    url: str


PortAddress = PathPort | GlobPort | UsbIdentity | UrlPort

_USB = re.compile(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::([^\s@]{1,128})|@([0-9A-Za-z.:-]{1,64}))?")


def parse_usb(text: str) -> UsbIdentity:
    """The identity in ``VID:PID``, ``VID:PID:SERIAL`` or ``VID:PID@LOCATION``. Raises ValueError.

    >>> parse_usb("0C2E:0206:19054B4E4F"), str(parse_usb("0c2e:0206@1-1.2"))
    (UsbIdentity(vid=3118, pid=518, serial='19054B4E4F', location=''), '0c2e:0206@1-1.2')
    """
    found = _USB.fullmatch(text)
    if found is None:
        raise ValueError(f"not VID:PID, VID:PID:SERIAL or VID:PID@LOCATION: {text!r}")
    return UsbIdentity(int(found[1], 16), int(found[2], 16), found[3] or "", found[4] or "")


def parse_port(text: str) -> PathPort | GlobPort | UrlPort:
    """The address in a path, a pattern with ``*``, ``?`` or ``[``, or an ``rfc2217://host:port`` URL. Raises ValueError.

    >>> parse_port("/dev/ttyACM*"), parse_port("COM3"), parse_port("rfc2217://192.0.2.7:4001")
    (GlobPort(pattern='/dev/ttyACM*'), PathPort(path='COM3'), UrlPort(url='rfc2217://192.0.2.7:4001'))
    """
    if "://" in text:
        parts = urlsplit(text)
        if parts.scheme != "rfc2217" or not parts.hostname or not parts.port or parts.query:  # a query could switch on a log of what is read
            raise ValueError(f"not rfc2217://host:port: {text!r}")
        return UrlPort(text)
    if not text or "\0" in text:
        raise ValueError(f"not a path: {text!r}")
    return GlobPort(text) if glob.has_magic(text) else PathPort(text)


def find_port(address: PortAddress, list_ports: ListPorts = comports) -> str:
    """What to open now for ``address``. Raises DeviceAbsent, or DeviceError when several ports answer to it."""
    found = _candidates(address, list_ports)
    if not found:
        raise DeviceAbsent(
            f"No serial port for {_shown(address)}.",
            hint="Plug the device in, or correct its port in the configuration.",
            port=_shown(address),
        )
    if len(found) > 1:
        raise DeviceError(
            f"{len(found)} serial ports answer to {_shown(address)}: {', '.join(sorted(found.values()))}.",
            hint="Write one of these in the configuration, so that the right device is used.",
            reason="device_ambiguous",
            port=_shown(address),
        )
    return next(iter(found))


def port_there(address: PortAddress, list_ports: ListPorts = comports) -> bool:
    """Whether opening ``address`` is worth a try: something answers to it (a URL always is). Never raises."""
    return bool(_candidates(address, list_ports))


def same_place(address: PortAddress) -> str:
    """What two addresses of one port have in common, as far as they tell: a path behind its links, else the address as it is written."""
    return os.path.realpath(address.path) if isinstance(address, PathPort) else _shown(address)


def _candidates(address: PortAddress, list_ports: ListPorts) -> dict[str, str]:
    """The ports that answer to ``address``, each with how to name that one alone."""
    match address:
        case UrlPort(url):
            return {url: url}
        case UsbIdentity():
            return {port.device: _exactly(port) for port in _listed(list_ports) if address.matches(port)}
        case PathPort(path) if os.path.exists(path) or (os.name == "nt" and any(port.device == path for port in _listed(list_ports))):
            return {path: path}
        case GlobPort(pattern):
            by_node = {os.path.realpath(path): path for path in sorted(glob.glob(pattern), reverse=True) if os.path.exists(path)}
            return {path: path for path in by_node.values()}
    return {}


def _listed(list_ports: ListPorts) -> list[UsbPort]:
    try:
        return list(list_ports())
    except (OSError, TypeError, ValueError):  # a device that goes while its files are being read
        return []


def _exactly(port: UsbPort) -> str:
    serial = port.serial_number or ""
    return str(UsbIdentity(port.vid or 0, port.pid or 0, serial, "" if serial else port.location or ""))


def _shown(address: PortAddress) -> str:
    match address:
        case PathPort(path):
            return path
        case GlobPort(pattern):
            return pattern
        case UrlPort(url):
            return url
        case UsbIdentity():
            return str(address)
