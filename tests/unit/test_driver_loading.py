"""Finding drivers by kind and ports by what the configuration says of them."""

from __future__ import annotations

import doctest
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.devices.serial_scanner import SerialScanner
from drivers.load import DriverContext, kinds, load_driver, load_drivers
from drivers.settings import REQUIRED, Settings
from drivers.transports.find_port import GlobPort, PathPort, PortAddress, UrlPort, UsbIdentity, find_port, parse_port, parse_usb, port_there
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import ConfigError, DeviceAbsent, DeviceError
from tests.support import HalfRandom


def load(devices: dict[str, dict[str, object]]) -> list[str]:
    return [f"{driver.name}: {driver.kind}" for driver in load_drivers(devices, SystemClock(), HalfRandom(), "/etc/edge.toml")]


def test_every_configured_device_is_built_under_its_name() -> None:
    devices: dict[str, dict[str, object]] = {
        "left scanner": {"kind": "serial_scanner", "port": "/dev/ttyACM0"},
        "right scanner": {"kind": "serial_scanner", "usb": "0c2e:0206:1905"},
    }
    assert load(devices) == ["left scanner: serial_scanner", "right scanner: serial_scanner"]
    assert load({}) == []


@pytest.mark.parametrize("kind", ["telepathy", "../secrets", "os", "", "_escpos_job", "serial_scanner.build", "Serial_Scanner", "x" * 100])
def test_an_unknown_kind_says_where_and_which_there_are(kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"scanner": {"kind": kind}})
    assert caught.value.message.startswith("/etc/edge.toml [devices.scanner]: kind: expected ")
    if kind:
        assert "serial_scanner" in caught.value.message
    assert repr(kind) in caught.value.message


def test_a_missing_kind_and_one_that_is_no_text_are_refused() -> None:
    for section, got in (({}, "nothing"), ({"kind": 3}, "3")):
        with pytest.raises(ConfigError, match=rf"kind: expected text, got {got}\."):
            load({"scanner": dict(section)})


def test_a_driver_from_another_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_scanner.py").write_text(
        "from drivers.devices.serial_scanner import build as build_scanner\n"
        "def build(config, context):\n"
        "    return build_scanner({'port': config['acme_port']}, context)\n"
    )
    metadata = tmp_path / "acme_drivers-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-drivers\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[edge_agent.drivers]\nacme_scanner = acme_scanner:build\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert "acme_scanner" in kinds()
        driver = load_driver("acme_scanner", {"acme_port": "/dev/ttyACM7"}, DriverContext(SystemClock(), HalfRandom(), "acme"))
        assert isinstance(driver, SerialScanner)
        assert driver.name == "acme"
    finally:
        sys.modules.pop("acme_scanner", None)


def test_settings_check_types_and_bounds_and_refuse_keys_nobody_asked_for() -> None:
    settings = Settings({"text": "x", "number": 0.5, "whole": 3, "flag": True, "texts": ["a", "b"], "empty": ""}, "f [s]")
    assert settings.text("text", REQUIRED) == "x"
    assert settings.text("empty", "") == ""
    assert settings.number("number", REQUIRED, 0, 1) == 0.5
    assert settings.number("whole", REQUIRED, 0, 5) == 3.0
    assert settings.whole("whole", REQUIRED, 0, 5) == 3
    assert settings.flag("flag", REQUIRED) is True
    with pytest.raises(ConfigError, match=r"f \[s\]: texts: expected one of .*, got an unknown key"):
        settings.end()
    assert settings.texts("texts", REQUIRED) == ("a", "b")
    assert settings.texts("other", ("c",)) == ("c",)
    settings.end()


def test_settings_tell_all_that_does_not_fit_at_once_and_a_key_once() -> None:
    settings = Settings({"whole": 3, "empty": "", "number": 0.5, "word": "a", "spare": 1}, "f [s]")
    assert settings.text("whole", REQUIRED) == ""
    assert settings.text("empty", "default") == "default"
    assert settings.whole("number", 1, 0, 5) == 1
    assert settings.choice("gone", ("x", "y"), REQUIRED) == "x"
    assert settings.parsed("word", "7", int, "a number") == 7
    settings.refuse("word", "something else", "a")
    with pytest.raises(ConfigError) as caught:
        settings.end()
    assert [str(error) for error in caught.value.each] == [
        "f [s]: whole: expected text, got 3.",
        "f [s]: empty: expected text, got ''.",
        "f [s]: number: expected a whole number from 0 to 5, got 0.5.",
        "f [s]: gone: expected one of 'x', 'y', got nothing.",
        "f [s]: word: expected a number, got 'a'.",
        "f [s]: spare: expected one of empty, gone, number, whole, word, got an unknown key.",
    ]
    assert all(error.hint for error in caught.value.each)


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ({"kind": "serial_scanner", "port": "/dev/ttyACM0"}, {"kind": "serial_scanner", "port": "/dev/ttyACM0", "baud": 115_200}, "port"),
        ({"kind": "serial_scanner", "port": "/dev/ttyUSB0"}, {"kind": "nfc_reader", "path": "tty:USB0:pn532"}, "path"),
        ({"kind": "serial_scanner", "usb": "0c2e:0206"}, {"kind": "serial_scanner", "usb": "0C2E:0206"}, "usb"),
        ({"kind": "receipt_printer", "host": "192.0.2.30"}, {"kind": "receipt_printer", "host": "192.0.2.30", "port": 9_100}, "host"),
    ],
)
def test_two_devices_on_one_wire_are_a_mistake_and_each_of_their_own_are_none(one: dict[str, object], other: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"/etc/edge.toml \[devices.b\]: {key}: expected another one than 'a' has, got "):
        load({"a": one, "b": other})
    assert len(load({"a": one, "b": {"kind": "serial_scanner", "port": "/dev/ttyS7"}})) == 2


@pytest.mark.parametrize("mistaken", ["a", "b", "ab"])
def test_two_devices_on_one_wire_are_told_beside_their_other_mistakes(mistaken: str) -> None:
    sections = {name: {"kind": "serial_scanner", "port": "/dev/x", **({"parity": "P", "buad": 1} if name in mistaken else {})} for name in "ab"}
    with pytest.raises(ConfigError) as caught:
        load(sections)
    told = [error.message.partition(": expected")[0].removeprefix("/etc/edge.toml ") for error in caught.value.each]
    assert told == [*(f"[devices.{name}]: {key}" for name in mistaken for key in ("parity", "buad")), "[devices.b]: port"]


def test_a_device_whose_place_is_mistaken_is_not_said_to_be_on_another_ones_wire() -> None:
    with pytest.raises(ConfigError) as caught:
        load({name: {"kind": "receipt_printer", "host": "192.0.2.30", "port": port} for name, port in (("a", 9_100), ("b", "91o1"))})
    assert [error.args_shown["setting"] for error in caught.value.each] == ["port"]


def test_a_port_and_a_link_to_it_are_one_wire(tmp_path: Path) -> None:
    (tmp_path / "node").touch()
    (tmp_path / "link").symlink_to(tmp_path / "node")
    with pytest.raises(ConfigError, match="expected another one than"):
        load({name: {"kind": "serial_scanner", "port": str(tmp_path / name)} for name in ("node", "link")})


def test_what_is_wrong_with_every_device_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"a": {"kind": "teapot"}, "b": {"kind": "serial_scanner", "port": "/dev/x", "parity": "P", "terminator": "enter", "buad": 1}, "c": {}})
    assert [error.message.partition(": expected")[0] for error in caught.value.each] == [
        "/etc/edge.toml [devices.a]: kind",
        "/etc/edge.toml [devices.b]: parity",
        "/etc/edge.toml [devices.b]: terminator",
        "/etc/edge.toml [devices.b]: buad",
        "/etc/edge.toml [devices.c]: kind",
    ]


@dataclass(frozen=True)
class Port:
    """One line of what the operating system lists."""

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    location: str | None = None


HONEYWELL = Port("/dev/ttyACM0", 0x0C2E, 0x0206, "19054B4E4F", "1-1.1:1.0")
TWIN_LEFT = Port("/dev/ttyACM1", 0x05F9, 0x4204, None, "1-1.2:1.0")
TWIN_RIGHT = Port("/dev/ttyACM2", 0x05F9, 0x4204, None, "1-1.3:1.0")
BUILT_IN = Port("/dev/ttyS0")


def listed() -> list[Port]:
    return [BUILT_IN, HONEYWELL, TWIN_LEFT, TWIN_RIGHT]


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("0c2e:0206", "/dev/ttyACM0"),
        ("0C2E:0206", "/dev/ttyACM0"),
        ("0c2e:0206:19054B4E4F", "/dev/ttyACM0"),
        ("05f9:4204@1-1.2", "/dev/ttyACM1"),
        ("05f9:4204@1-1.3:1.0", "/dev/ttyACM2"),
    ],
)
def test_a_usb_device_is_found_by_vendor_product_and_serial_number_or_place(text: str, device: str) -> None:
    assert find_port(parse_usb(text), listed) == device
    assert port_there(parse_usb(text), listed)


@pytest.mark.parametrize("text", ["0c2e:0207", "0c2e:0206:OTHER", "05f9:4204@1-1.4", "05f9:4204@1-1"])
def test_another_usb_device_is_not_taken_for_it(text: str) -> None:
    assert not port_there(parse_usb(text), listed)
    with pytest.raises(DeviceAbsent, match=text):
        find_port(parse_usb(text), listed)


def test_two_of_a_kind_are_told_apart_by_their_place_and_never_guessed() -> None:
    with pytest.raises(DeviceError) as caught:
        find_port(parse_usb("05f9:4204"), listed)
    assert caught.value.reason == "device_ambiguous"
    assert "05f9:4204@1-1.2:1.0, 05f9:4204@1-1.3:1.0" in caught.value.message
    for exact in ("05f9:4204@1-1.2:1.0", "05f9:4204@1-1.3:1.0"):
        assert find_port(parse_usb(exact), listed)


def test_a_device_that_goes_while_ports_are_listed_is_not_there() -> None:
    def going() -> list[Port]:
        raise TypeError("int() argument must be a string, not 'NoneType'")  # what pyserial says when a file of sysfs is gone

    assert not port_there(parse_usb("0c2e:0206"), going)


def test_a_path_or_a_pattern_finds_what_is_there(tmp_path: Path) -> None:
    node = tmp_path / "ttyACM0"
    assert not port_there(PathPort(str(node)))
    node.touch()
    assert find_port(PathPort(str(node))) == str(node)
    assert find_port(GlobPort(str(tmp_path / "ttyACM*"))) == str(node)
    link = tmp_path / "ttyACM-by-id"
    link.symlink_to(node)
    assert find_port(GlobPort(str(tmp_path / "ttyACM*"))) in (str(node), str(link))  # one device under two names is one device
    (tmp_path / "ttyACM1").touch()
    with pytest.raises(DeviceError) as caught:
        find_port(GlobPort(str(tmp_path / "ttyACM*")))
    assert caught.value.reason == "device_ambiguous"
    node.unlink()
    assert find_port(GlobPort(str(tmp_path / "ttyACM*"))) == str(tmp_path / "ttyACM1")  # a link without its device is nothing


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/dev/serial/by-id/usb-Honeywell", PathPort("/dev/serial/by-id/usb-Honeywell")),
        ("/dev/serial/by-id/*Honeywell*", GlobPort("/dev/serial/by-id/*Honeywell*")),
        ("rfc2217://10.0.0.7:4001", UrlPort("rfc2217://10.0.0.7:4001")),
    ],
)
def test_ports_are_written_as_paths_patterns_or_urls(text: str, address: PortAddress) -> None:
    assert parse_port(text) == address


@pytest.mark.parametrize("text", ["", "spy:///dev/ttyS0?file=x", "loop://", "rfc2217://host", "rfc2217://host:1?logging=debug", "a\0b"])
def test_other_ports_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not "):
        parse_port(text)


@given(text=st.text(max_size=40))
def test_any_text_for_a_port_is_an_address_or_refused(text: str) -> None:
    for parse in (parse_port, parse_usb):
        try:
            address = parse(text)
        except ValueError:
            continue
        assert isinstance(address, (PathPort, GlobPort, UrlPort, UsbIdentity))


@given(vid=st.integers(0, 0xFFFF), pid=st.integers(0, 0xFFFF), serial=st.from_regex(r"[A-Za-z0-9.-]{0,20}", fullmatch=True))
def test_a_usb_identity_is_what_it_was_written_as(vid: int, pid: int, serial: str) -> None:
    identity = UsbIdentity(vid, pid, serial)
    assert parse_usb(str(identity)) == identity


@pytest.mark.parametrize(
    "name",
    [
        "drivers.framing.aim",
        "drivers.framing.named_bytes",
        "drivers.session",
        "drivers.settings",
        "drivers.simulators.serial_scanner",
        "drivers.transports.find_port",
    ],
)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
