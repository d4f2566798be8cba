"""Configured paths of NFC readers: what passes, and that nothing a shell would act on does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.devices.nfc_reader import build
from drivers.load import DriverContext
from drivers.nfc.address import SerialAddress, UdpAddress, UsbAddress, parse_address
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import ConfigError, DeviceDenied
from tests.support import HalfRandom


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tty:USB0:pn532", SerialAddress("/dev/ttyUSB0", "pn532")),
        ("tty:ACM12:arygon", SerialAddress("/dev/ttyACM12", "arygon")),
        ("pty:/dev/pts/7", SerialAddress("/dev/pts/7", "pn532")),
        ("port:/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", SerialAddress("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", "pn532")),
        ("usb:072F:2200", UsbAddress("usb:072f:2200", vendor_product=("072f", "2200"))),
        ("usb:001:023", UsbAddress("usb:001:023", bus_device=("001", "023"))),
        ("udp:127.0.0.1:54321", UdpAddress("127.0.0.1", 54321)),
    ],
)
def test_a_path_names_its_reader(text: str, address: object) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tty:USB0",
        "tty::pn532",
        "tty:USB0;reboot:pn532",
        "tty:USB0:pn532\n",
        "port:/dev/ttyUSB0; reboot",
        "port:/dev/$(reboot)",
        "port:/dev/tty USB0",
        "port:/dev/ttyUSB0\n",
        "port:relative",
        "port:/" + "a" * 300,
        "usb",
        "usb:072f",
        "udp:127.0.0.1:0",
        "udp:127.0.0.1:65536",
        "udp:192.0.2.1:54321",
        "udp:0.0.0.0:54321",
        "udp:localhost:54321",
    ],
)
def test_another_path_is_refused_with_what_is_expected(text: str) -> None:
    assert parse_address(text) is None
    context = DriverContext(SystemClock(), HalfRandom(), "nfc", "edge.toml [devices.nfc]")
    with pytest.raises(ConfigError, match=re.escape("edge.toml [devices.nfc]: path: expected ")) as caught:
        build({"path": text}, context)
    assert repr(text) in caught.value.message or text == ""


@given(st.text(max_size=40) | st.text("/dev:;$`'\"|&<> \n*?~(){}[]!#\\%", max_size=12))
def test_no_character_that_a_shell_gives_a_meaning_passes(tail: str) -> None:
    address = parse_address(f"port:/dev/{tail}")
    if address is not None:
        assert re.fullmatch(r"[A-Za-z0-9._:,@+=/-]*", address.path)


def test_a_link_that_leads_to_a_forbidden_path_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "a b;c"
    target.touch()
    link = tmp_path / "nfc"
    link.symlink_to(target)
    with pytest.raises(DeviceDenied):
        SerialAddress(str(link), "pn532").resolved()


@pytest.mark.parametrize(
    ("key", "value"),
    [("technologies", []), ("technologies", ["106C"]), ("technologies", ["106A", "106A"]), ("technologies", "106A"), ("hold_seconds", 0), ("hold_seconds", 60)],
)
def test_other_keys_are_checked(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"configuration: {key}: expected"):
        build({"path": "tty:USB0:pn532", key: value}, DriverContext(SystemClock(), HalfRandom()))


def test_a_usb_reader_that_is_not_plugged_in_is_not_present() -> None:
    assert not UsbAddress("usb:999:999", bus_device=("999", "999")).present()
    if Path("/sys/bus/usb/devices").is_dir():
        assert not UsbAddress("usb:ffff:ffff", vendor_product=("ffff", "ffff")).present()
