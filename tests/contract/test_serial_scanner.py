"""The serial scanner over real pseudo-terminals, from bytes to readings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.contract import DeviceState
from drivers.devices.serial_scanner import build
from drivers.load import DriverContext
from drivers.simulators.serial_scanner import PtyScanner
from drivers.transports.find_port import PathPort
from drivers.transports.serial_port import LineSettings, SerialTransport
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import ConfigError
from tests.support import HalfRandom, wait_until
from tests.support_scanner import counter

# --- readings --------------------------------------------------------------------------------------------------------------------


def test_a_scan_becomes_a_reading_without_its_framing_and_with_its_aim_identifier(tmp_path: Path) -> None:
    with counter(tmp_path) as it:
        it.scanner.scan("4006381333931", aim="]E0")
        it.scanner.scan(b"0104006381333931\x1d10AB", aim="]C1")
        it.scanner.scan("no identifier")
        readings = it.news.wait_readings(3)
    assert [(reading.aim, reading.payload) for reading in readings] == [
        ("]E0", b"4006381333931"),
        ("]C1", b"0104006381333931\x1d10AB"),
        ("", b"no identifier"),
    ]
    assert {(reading.device, reading.generation) for reading in readings} == {("scanner", 1)}


@pytest.mark.parametrize(
    ("sends", "config"),
    [
        ({"terminator": b"\r\n"}, {}),
        ({"terminator": b"\n"}, {"terminator": "lf"}),
        ({"terminator": b"\r\n"}, {"terminator": "crlf"}),
        ({"terminator": b"\x03", "prefix": b"\x02"}, {"terminator": "etx", "prefix": "stx"}),
        ({"terminator": b"\x03", "prefix": b"\x02", "lrc": True}, {"terminator": "etx", "prefix": "stx", "lrc": True}),
        ({"terminator": b"\t"}, {"terminator": "tab"}),
        ({"terminator": b"##"}, {"terminator": r"\x23#"}),
        ({"terminator": b""}, {"terminator": "none", "idle_gap_ms": 20}),
        ({"terminator": b"\r"}, {"terminator": "none", "idle_gap_ms": 20}),
        ({"terminator": b"\r"}, {"bytesize": 7, "parity": "E", "stopbits": 2, "baud": 115_200}),
    ],
)
def test_every_framing_that_can_be_configured(tmp_path: Path, sends: dict[str, Any], config: dict[str, object]) -> None:
    with counter(tmp_path, PtyScanner(tmp_path / "scanner", **sends), **config) as it:
        for number, code in enumerate(["4006381333931", "96385074"], start=1):
            it.scanner.scan(code, aim="]E0")
            assert it.payloads(number)[-1] == code.encode()
        assert it.supervisor.reports()[0].dropped == 0


def test_bytes_that_trickle_in_one_by_one_are_one_reading(tmp_path: Path) -> None:
    with counter(tmp_path, idle_gap_ms=2_000) as it:
        for byte in b"]E04006381333931\r":
            it.scanner.noise(bytes([byte]))
        assert it.payloads(1) == [b"4006381333931"]


def test_identifiers_stay_content_where_the_configuration_says_so(tmp_path: Path) -> None:
    with counter(tmp_path, aim="never") as it:
        it.scanner.scan("]E04006381333931")
        assert it.payloads(1) == [b"]E04006381333931"]


def test_noise_between_scans_is_no_reading(tmp_path: Path) -> None:
    with counter(tmp_path) as it:
        it.scanner.scan("first")
        it.scanner.noise(b"\r\n\r\r\n\x00")
        it.scanner.scan("]E0")
        it.scanner.scan("second")
        assert it.payloads(2) == [b"first", b"second"]
        assert it.supervisor.reports()[0].dropped == 0


def test_what_was_scanned_before_opening_is_not_read(tmp_path: Path) -> None:
    with PtyScanner(tmp_path / "scanner") as scanner:
        scanner.scan("yesterday's code")
        with counter(tmp_path, scanner) as it:
            it.scanner.scan("today's code")
            assert it.payloads(1) == [b"today's code"]


@given(rubbish=st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_rubbish_the_next_scan_after_a_terminator_is_read(tmp_path: Path, rubbish: list[bytes]) -> None:
    with counter(tmp_path) as it:
        for piece in rubbish:
            it.scanner.noise(piece)
        it.scanner.noise(b"\r")
        it.scanner.scan("the code after")
        wait_until(lambda: any(reading.payload == b"the code after" for reading in list(it.news.readings)), "the scan is read")
        assert it.supervisor.reports()[0].state in (DeviceState.READY, DeviceState.DEGRADED)


# --- what is dropped, and unplugging ---------------------------------------------------------------------------------------------


def test_half_a_scan_is_dropped_counted_and_said_once_while_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.devices.serial_scanner.DROPS_TOLD_SECONDS", 1e9)
    with counter(tmp_path) as it:
        it.scanner.scan("before")
        for count in (1, 2):
            it.scanner.half_frame("4006381333931")
            it.wait_dropped(count)
        degraded = it.news.wait_state("scanner", DeviceState.DEGRADED, reason="frames_dropped")
        assert degraded.dropped == 1
        assert "terminator" in degraded.detail
        it.scanner.scan("after")
        it.news.wait_state("scanner", DeviceState.READY)
        assert it.payloads(2) == [b"before", b"after"]
    assert [state for state, _ in it.news.states("scanner")].count("degraded") == 1


def test_another_half_a_scan_is_another_report_with_its_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.devices.serial_scanner.DROPS_TOLD_SECONDS", 0.0)
    with counter(tmp_path) as it:
        it.scanner.scan("before")
        it.payloads(1)
        for count in (1, 2, 3):
            it.scanner.half_frame("4006381333931")
            wait_until(lambda count=count: [report.dropped for report in it.news.reports][-1] == count, f"{count} dropped frames told")
        told = [(report.dropped, report.reason) for report in it.news.reports if report.dropped]
        assert told == [(1, "frames_dropped"), (2, "frames_dropped"), (3, "no_terminator")]  # that is no loose cable any more


@pytest.mark.parametrize(
    ("sends", "config", "told"),
    [
        (b"", {}, 'sends no CR after a code: scan the code for it (a suffix) in the scanner\'s manual; for one that cannot send it, set terminator = "none"'),
        (b"\n", {}, 'ends its codes with LF, not with CR: set terminator = "lf" in [devices.scanner].'),
        (b"\t", {"terminator": "crlf"}, 'ends its codes with TAB, not with CRLF: set terminator = "tab"'),
        (b"\r", {"terminator": r"\x23#"}, 'ends its codes with CR, not with ##: set terminator = "cr"'),
        (b"", {"terminator": "etx", "lrc": True}, "sends no ETX after a code: scan the code for it (a suffix) in the scanner's manual."),
    ],
)
def test_a_scanner_that_does_not_end_its_codes_as_configured_sells_nothing_and_says_what_to_set(
    tmp_path: Path, sends: bytes, config: dict[str, object], told: str
) -> None:
    with counter(tmp_path, PtyScanner(tmp_path / "scanner", terminator=sends), **config) as it:
        it.scanner.scan("4006381333931")
        degraded = it.news.wait_state("scanner", DeviceState.DEGRADED, reason="no_terminator")
        assert told in degraded.detail
        assert "4006381333931" not in degraded.detail
        assert (degraded.dropped, it.news.readings) == (1, [])


def test_after_plugging_in_again_half_a_scan_is_no_scan_and_what_the_scanner_did_before_is_known(tmp_path: Path) -> None:
    with counter(tmp_path) as it:
        it.scanner.scan("4006381333931")
        it.payloads(1)
        it.scanner.unplug()
        it.news.wait_state("scanner", DeviceState.LOST)
        it.scanner.plug()
        it.news.wait_state("scanner", DeviceState.READY, generation=2)
        it.scanner.half_frame("]d20109521234000006101234567890ABCDEFG")
        it.wait_dropped(1)
        assert it.news.wait_state("scanner", DeviceState.DEGRADED).reason == "frames_dropped"
        assert it.payloads(1) == [b"4006381333931"]


def test_the_first_scan_of_all_may_be_half_a_code_too(tmp_path: Path) -> None:
    with counter(tmp_path) as it:
        it.scanner.half_frame("09521234000006")
        it.wait_dropped(1)
        it.scanner.scan("96385074")
        assert it.payloads(1) == [b"96385074"]


def test_a_frame_that_never_ends_is_dropped_and_the_next_scan_is_read(tmp_path: Path) -> None:
    with counter(tmp_path, idle_gap_ms=2_000) as it:
        assert it.scanner.endless(30_000) == 30_000
        it.news.wait_state("scanner", DeviceState.DEGRADED, reason="frames_dropped")
        it.scanner.noise(b"\r")
        it.scanner.scan("4006381333931")
        assert it.payloads(1) == [b"4006381333931"]
        assert it.supervisor.reports()[0].dropped == 1


def test_a_wrong_check_byte_is_dropped(tmp_path: Path) -> None:
    with counter(tmp_path, PtyScanner(tmp_path / "scanner", terminator=b"\x03", prefix=b"\x02", lrc=True), terminator="etx", prefix="stx", lrc=True) as it:
        it.scanner.noise(b"\x024006381333931\x03\x00")
        it.news.wait_state("scanner", DeviceState.DEGRADED, reason="frames_dropped")
        it.scanner.scan("4006381333931")
        assert it.payloads(1) == [b"4006381333931"]


def test_unplugging_is_seen_and_plugging_in_again_goes_on_in_a_new_generation(tmp_path: Path) -> None:
    with counter(tmp_path) as it:
        for generation in (1, 2, 3):
            it.news.wait_state("scanner", DeviceState.READY, generation=generation)
            it.scanner.scan(f"code {generation}")
            assert it.payloads(generation)[-1] == f"code {generation}".encode()
            it.scanner.unplug()
            lost = it.news.wait_state("scanner", DeviceState.LOST)
            assert lost.hint
            it.scanner.plug()
        it.news.wait_state("scanner", DeviceState.READY, generation=4)
    assert [reading.generation for reading in it.news.readings] == [1, 2, 3]
    assert it.news.states("scanner")[:2] == [("opening", ""), ("ready", "")]


def test_unplugging_in_the_middle_of_a_scan_gives_no_half_code(tmp_path: Path) -> None:
    with counter(tmp_path) as it:
        it.scanner.scan("4006381333931")
        it.news.wait_readings(1)
        it.scanner.half_frame("4006381333931")
        it.scanner.unplug()
        it.news.wait_state("scanner", DeviceState.LOST)
        it.scanner.plug()
        it.news.wait_state("scanner", DeviceState.READY, generation=2)
        it.scanner.scan("96385074")
        assert it.payloads(2) == [b"4006381333931", b"96385074"]


# --- what the scanner is told ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vendor", "good", "bad"),
    [
        ("datalogic", b"\x01", b"\x01\x01\x01"),
        ("magellan", b"\x01", b"FE"),
        ("honeywell", b"\x16\x07\r", b"\x16\x07\r\x16\x07\r\x16\x07\r"),
        ("honeywell_host_ack", b"\x1b7,", b"\x1b8,\x1b8,"),
    ],
)
def test_the_scanner_is_made_to_say_good_and_bad_in_its_vendors_words(tmp_path: Path, vendor: str, good: bytes, bad: bytes) -> None:
    with counter(tmp_path, host_commands=vendor) as it:
        for sound, expected in ((True, good), (False, bad)):
            it.scanner.forget_heard()
            assert it.supervisor.beep("scanner", sound)
            it.wait_heard(expected)
        it.scanner.unplug()
        it.news.wait_state("scanner", DeviceState.LOST)
        wait_until(lambda: not it.supervisor.beep("scanner", True), "no beep without a scanner")


def test_a_scanner_without_host_commands_does_not_beep(tmp_path: Path) -> None:
    with counter(tmp_path) as it:
        assert not it.supervisor.beep("scanner", good=True)
        assert not it.supervisor.beep("nobody", good=True)


# --- the configuration, and the simulator by hand --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "key", "expected", "got"),
    [
        ({}, "port", "either port or usb", "nothing"),
        ({"port": "/dev/x", "usb": "0c2e:0206"}, "port", "either port or usb", "'both'"),
        ({"usb": "0c2e"}, "usb", "VID:PID", "'0c2e'"),
        ({"port": "http://x:1"}, "port", "rfc2217://host:port", "'http://x:1'"),
        ({"port": "rfc2217://x:1?logging=debug"}, "port", "rfc2217://host:port", "'rfc2217://x:1?logging=debug'"),
        ({"port": "/dev/x", "baud": "9600"}, "baud", "a whole number from 50 to 4000000", "'9600'"),
        ({"port": "/dev/x", "baud": 9.6}, "baud", "a whole number", "9.6"),
        ({"port": "/dev/x", "baud": True}, "baud", "a whole number", "True"),
        ({"port": "/dev/x", "parity": "even"}, "parity", "one of 'N', 'E'", "'even'"),
        ({"port": "/dev/x", "terminator": "é"}, "terminator", "another control character's name, or up to 16 bytes", "'é'"),
        ({"port": "/dev/x", "prefix": "\\"}, "prefix", "a control character's name", "'\\\\'"),
        ({"port": "/dev/x", "lrc": "yes"}, "lrc", "true or false", "'yes'"),
        ({"port": "/dev/x", "lrc": True, "terminator": "none"}, "lrc", "a terminator", "\"terminator 'none'\""),
        ({"port": "/dev/x", "idle_gap_ms": 0}, "idle_gap_ms", "from 5 to 2000", "0"),
        ({"port": "/dev/x", "aim": "maybe"}, "aim", "'auto', 'always', 'never'", "'maybe'"),
        ({"port": "/dev/x", "host_commands": "acme"}, "host_commands", "'none', 'datalogic'", "'acme'"),
        ({"port": "/dev/x", "boud": 9600}, "boud", "baud", "an unknown key"),
    ],
)
def test_a_wrong_configuration_says_where_key_expected_and_got(config: dict[str, object], key: str, expected: str, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(config, DriverContext(SystemClock(), HalfRandom(), "scanner", "edge.toml [devices.scanner]"))
    message = caught.value.message
    assert message.startswith(f"edge.toml [devices.scanner]: {key}: expected ")
    assert expected in message
    assert message.endswith(f"got {got}.")


def test_the_simulator_runs_by_hand(tmp_path: Path) -> None:
    link = tmp_path / "scanner"
    with subprocess.Popen(
        [sys.executable, "-m", "drivers.simulators.serial_scanner", "--link", str(link)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == f"scanner at {link}\n"
        transport = SerialTransport(PathPort(str(link)), LineSettings())
        transport.open()
        process.stdin.write("]E04006381333931\\x1dA\n")
        process.stdin.flush()
        read = b""
        while not read.endswith(b"\r"):
            piece = transport.read(5.0)
            assert piece, "nothing came"
            read += piece
        assert read == b"]E04006381333931\x1dA\r"
        transport.write(b"\x01")
        assert process.stdout.readline() == "host sent b'\\x01'\n"
        transport.close()
        process.stdin.close()
        assert process.wait(10) == 0
    assert not link.exists()
