"""Serial ports as they are found: in use, forbidden, none at all, odd, or behind a serial server in the network."""

from __future__ import annotations

import os
import socket
import termios
import threading
from pathlib import Path

import pytest
import serial
from serial.rfc2217 import PortManager

from drivers.contract import DeviceState
from drivers.devices.serial_scanner import build
from drivers.load import DriverContext
from drivers.simulators.serial_scanner import PtyScanner
from drivers.supervisor import Supervisor
from drivers.transports.find_port import PathPort, parse_port
from drivers.transports.serial_port import LineSettings, SerialTransport, refusal
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import DeviceAbsent, DeviceBusy, DeviceDenied, DeviceError, DeviceLost
from tests.support import HalfRandom, Listener
from tests.support_scanner import QUICK

# --- ports of this computer ------------------------------------------------------------------------------------------------------


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


# --- a serial server -------------------------------------------------------------------------------------------------------------


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
