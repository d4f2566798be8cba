"""The serial scanner over real pseudo-terminals and a serial server, from bytes to readings."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import serial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serial.rfc2217 import PortManager

from drivers.contract import DeviceState
from drivers.devices.serial_scanner import build
from drivers.load import DriverContext
from drivers.session import Pace
from drivers.simulators.serial_scanner import PtyScanner
from drivers.supervisor import Supervisor
from drivers.transports.find_port import PathPort, parse_port
from drivers.transports.serial_port import LineSettings, SerialTransport, refusal
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import ConfigError, DeviceAbsent, DeviceBusy, DeviceDenied, DeviceError, DeviceLost
from tests.support import HalfRandom, Listener, wait_until

QUICK = Pace(presence_seconds=0.02, backoff_first_seconds=0.02, backoff_seconds_max=0.05, steady_seconds=0.2)


@dataclass
class Counter:
    """A supervised scanner and what it told."""

    scanner: PtyScanner
    supervisor: Supervisor
    news: Listener = field(default_factory=Listener)

    def payloads(self, count: int) -> list[bytes]:
        return [reading.payload for reading in self.news.wait_readings(count)]

    def wait_dropped(self, count: int) -> None:
        wait_until(lambda: self.supervisor.reports()[0].dropped == count, f"{count} frames dropped")

    def wait_heard(self, expected: bytes) -> None:
        assert self.scanner.wait_heard(lambda heard: heard == expected, 5.0), self.scanner.heard()


@contextmanager
def counter(folder: Path, scanner: PtyScanner | None = None, **config: object) -> Iterator[Counter]:
    scanner = scanner or PtyScanner(folder / "scanner")
    news = Listener()
    driver = build({"port": str(folder / "scanner"), **config}, DriverContext(SystemClock(), HalfRandom(), "scanner", "edge.toml [devices.scanner]"))
    supervisor = Supervisor([driver], SystemClock(), HalfRandom(), news.reading, news.report, pace=QUICK)
    with scanner:
        supervisor.start()
        try:
            news.wait_state("scanner", DeviceState.READY)
            yield Counter(scanner, supervisor, news)
        finally:
            assert supervisor.stop() == ()


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
        ({"terminator": b""}, {}),
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


def test_half_a_scan_is_dropped_counted_and_said_once_until_the_next_good_one(tmp_path: Path) -> None:
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


def test_a_port_in_use_is_busy_and_says_how_to_find_who_has_it(tmp_path: Path) -> None:
    with PtyScanner(tmp_path / "scanner") as scanner:
        mine, other = (SerialTransport(PathPort(scanner.path), LineSettings()) for _ in range(2))
        mine.open()
        with pytest.raises(DeviceBusy) as caught:
            other.open()
        assert "fuser" in caught.value.hint
        mine.close()
        other.open()
        other.close()


def test_a_port_that_this_user_may_not_open_is_denied_with_the_command_that_helps() -> None:
    with PtyScanner() as scanner:
        os.chmod(scanner.path, 0)
        transport = SerialTransport(PathPort(scanner.path), LineSettings())
        root = os.geteuid() == 0
        try:
            if root:
                os.seteuid(65_534)
            with pytest.raises(DeviceDenied, match="may not be opened") as caught:
                transport.open()
        finally:
            if root:
                os.seteuid(0)
        assert "sudo usermod -aG " in caught.value.hint


def test_what_is_no_serial_port_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a port")
    with pytest.raises(DeviceAbsent, match="does not open"):
        SerialTransport(PathPort(str(tmp_path / "file")), LineSettings()).open()


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (termios.error(22, "Invalid argument"), DeviceError, "settings_refused"),
        (serial.SerialException(16, "could not open port: Device or resource busy"), DeviceBusy, ""),
        (serial.SerialException(11, "Could not exclusively lock port"), DeviceBusy, ""),
        (serial.SerialException(13, "could not open port: Permission denied"), DeviceDenied, ""),
        (serial.SerialException(2, "could not open port: No such file"), DeviceAbsent, ""),
        (serial.SerialException("Could not configure port: (5, 'Input/output error')"), DeviceAbsent, ""),
        (OSError(19, "No such device"), DeviceAbsent, ""),
    ],
)
def test_each_way_a_port_can_fail_to_open_has_its_name(error: Exception, kind: type[DeviceError], reason: str) -> None:
    refused = refusal("/dev/ttyUSB0", error)
    assert (type(refused), refused.reason) == (kind, reason)
    assert "/dev/ttyUSB0" in refused.message
    assert refused.hint


@pytest.mark.parametrize("odd", [LineSettings(bytesize=7, parity="E"), LineSettings(parity="O", stopbits=2), LineSettings(baud=123_457)])
def test_a_pseudo_terminal_opens_again_and_again_with_settings_that_it_cannot_have(tmp_path: Path, odd: LineSettings) -> None:
    with PtyScanner(tmp_path / "scanner") as scanner:
        transport = SerialTransport(PathPort(scanner.path), odd)
        for _ in range(3):
            transport.open()
            scanner.scan("7 bits")
            assert transport.read(5.0).startswith(b"7")
            transport.close()


def test_a_transport_that_is_not_open_is_lost_and_waking_it_is_harmless(tmp_path: Path) -> None:
    transport = SerialTransport(PathPort(str(tmp_path / "scanner")), LineSettings())
    transport.wake()
    with pytest.raises(DeviceLost):
        transport.read(0.0)
    with pytest.raises(DeviceLost):
        transport.write(b"x")
    transport.close()


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


class SerialServer:
    """A serial server in the network: pyserial's own RFC 2217 port manager in front of a loop-back port."""

    def __init__(self) -> None:
        self.line = serial.serial_for_url("loop://", timeout=0.05)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connection: socket.socket | None = None
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def close(self) -> None:
        self._stop.set()
        self.drop()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5.0)
        self.line.close()

    def drop(self) -> None:
        """The network cable is pulled."""
        if self._connection is not None:
            self._connection.shutdown(socket.SHUT_RDWR)

    def write(self, data: bytes) -> None:
        """What the port manager answers to the client."""
        assert self._connection is not None
        self._connection.sendall(data)

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._connection = connection
                self._manager = PortManager(self.line, self)
                pump = threading.Thread(target=self._pump, args=(connection, self._manager))
                pump.start()
                try:
                    while data := connection.recv(1024):
                        for _ in self._manager.filter(data):
                            pass
                except OSError:
                    pass
                self._connection = None
                pump.join()

    def _pump(self, connection: socket.socket, manager: PortManager) -> None:
        while self._connection is connection:
            if data := self.line.read(1) + self.line.read(self.line.in_waiting):
                connection.sendall(b"".join(manager.escape(data)))


@pytest.mark.filterwarnings("ignore:set(Daemon|Name)\\(\\) is deprecated:DeprecationWarning")  # pyserial 3.5 still says setDaemon
def test_a_scanner_behind_a_serial_server_works_with_its_line_settings_and_comes_back() -> None:
    server = SerialServer()
    news = Listener()
    driver = build(
        {"port": server.url, "baud": 19_200, "bytesize": 7, "parity": "E", "idle_gap_ms": 2_000}, DriverContext(SystemClock(), HalfRandom(), "scanner")
    )
    supervisor = Supervisor([driver], SystemClock(), HalfRandom(), news.reading, news.report, pace=QUICK)
    supervisor.start()
    try:
        news.wait_state("scanner", DeviceState.READY)
        assert (server.line.baudrate, server.line.bytesize, server.line.parity, server.line.stopbits) == (19_200, 7, "E", 1)
        server.line.write(b"]E04006381333931\r")
        assert [(reading.aim, reading.payload) for reading in news.wait_readings(1)] == [("]E0", b"4006381333931")]
        server.drop()
        news.wait_state("scanner", DeviceState.LOST)
        news.wait_state("scanner", DeviceState.READY, generation=2, seconds=10)
        server.line.write(b"96385074\r")
        assert news.wait_readings(2)[1].payload == b"96385074"
    finally:
        assert supervisor.stop() == ()
        server.close()


def test_a_serial_server_that_does_not_answer_is_absent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(DeviceAbsent) as caught:
        SerialTransport(parse_port(f"rfc2217://127.0.0.1:{port}"), LineSettings()).open()
    assert "address" in caught.value.hint


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
        ({"port": "/dev/x", "terminator": "é"}, "terminator", "a control character's name", "'é'"),
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
