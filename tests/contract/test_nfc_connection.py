"""The NFC reader's connection: lost, frozen, damaged, held by another program or not there; and its simulators."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drivers.devices.nfc_reader import NfcReader, build
from drivers.load import DriverContext
from drivers.nfc.address import ReaderAddress, parse_address
from drivers.simulators.nfc_udp import UdpNfc
from drivers.simulators.pn532 import PtyPn532
from drivers.simulators.tags import Garbled, Type2Tag, Type4Tag, text_message
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import DeviceAbsent, DeviceBusy, DeviceDenied, DeviceLost
from edge_agent.domain.reading import TagKind
from tests.support import HalfRandom
from tests.support_nfc import HOLD_SECONDS, OTHER_UID, SECONDS, UID, Counter, Simulator, configured, fixture_pn532, fixture_simulator  # noqa: F401 - fixtures


def address(path: str) -> ReaderAddress:
    parsed = parse_address(path)
    assert parsed is not None
    return parsed


def test_an_unplug_while_a_tag_is_held_is_a_loss_and_the_next_session_reads_again(simulator: Simulator) -> None:
    driver = configured(simulator)
    with Counter(simulator, driver) as counter:
        simulator.put_tag(Type2Tag(UID, text_message("LOY-0042")))
        counter.kinds(1)
        simulator.unplug()
        lost = counter.ended()
    assert isinstance(lost, DeviceLost)
    assert lost.hint
    with pytest.raises(DeviceAbsent):
        driver.open()
    simulator.plug()
    with Counter(simulator, driver, generation=2) as again:
        assert again.kinds(1) == [TagKind.NDEF_TEXT]
        assert again.readings[0].generation == 2


def test_a_reader_that_freezes_is_lost(pn532: PtyPn532) -> None:
    with Counter(pn532, configured(pn532)) as counter:
        pn532.freeze()
        assert isinstance(counter.ended(), DeviceLost)


def test_damage_on_the_cable_is_a_loss_and_the_reader_opens_again(pn532: PtyPn532) -> None:
    driver = configured(pn532)
    with Counter(pn532, driver) as counter:
        pn532.garble(frames=2)
        assert isinstance(counter.ended(), DeviceLost)
    pn532.put_tag(Type2Tag(UID, text_message("LOY-0042")))
    with Counter(pn532, driver) as again:
        assert again.kinds(1) == [TagKind.NDEF_TEXT]


def test_a_reader_left_at_a_high_speed_by_a_killed_program_opens_again(pn532: PtyPn532) -> None:
    program = (
        "import os, sys; from drivers.nfc.address import parse_address; from drivers.nfc.frontend import Frontend;"
        "Frontend(parse_address(sys.argv[1]), ['106A']).open(); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, f"port:{pn532.path}"], check=False, cwd=Path.cwd(), timeout=SECONDS)
    assert (killed.returncode, pn532.baud) == (-9, 921_600)
    pn532.put_tag(Type2Tag(UID, text_message("LOY-0042")))
    with Counter(pn532, configured(pn532)) as counter:
        assert counter.kinds(1) == [TagKind.NDEF_TEXT]
    assert pn532.baud == 115_200, "closing leaves it as a fresh program expects it"


def test_a_port_that_somebody_has_is_busy(pn532: PtyPn532) -> None:
    with Counter(pn532, configured(pn532)), pytest.raises(DeviceBusy) as caught:
        configured(pn532).open()
    assert "stop it" in caught.value.hint


def test_a_port_that_is_no_reader_is_absent_and_one_that_is_not_there_too(pn532: PtyPn532, tmp_path: Path) -> None:
    pn532.freeze()
    with pytest.raises(DeviceAbsent, match="does not answer"):
        configured(pn532).open()
    driver = NfcReader("nfc", address(f"port:{tmp_path}/none"), ["106A"], HOLD_SECONDS)
    assert not driver.present()
    with pytest.raises(DeviceAbsent):
        driver.open()


def test_a_port_behind_a_forbidden_path_is_denied(tmp_path: Path) -> None:
    (tmp_path / "a;b").touch()
    (tmp_path / "nfc").symlink_to(tmp_path / "a;b")
    driver = NfcReader("nfc", address(f"port:{tmp_path}/nfc"), ["106A"], HOLD_SECONDS)
    with pytest.raises(DeviceDenied):
        driver.open()


def test_a_technology_that_the_reader_does_not_know_is_a_reservation(pn532: PtyPn532) -> None:
    driver = NfcReader("nfc", address(f"port:{pn532.path}"), ["212B", "106A"], HOLD_SECONDS)
    with Counter(pn532, driver) as counter:
        pn532.put_tag(Type2Tag(UID, None))
        counter.kinds(1)
    assert [reason for reason, _ in counter.reservations] == ["technology_unsupported"]


def test_nothing_is_printed_or_logged(simulator: Simulator, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    shown = logging.getLogger().handlers
    with caplog.at_level(0), Counter(simulator, configured(simulator)) as counter:
        simulator.put_tag(Type4Tag(UID, text_message("LOY-0042")))
        counter.kinds(1)
        simulator.put_tag(Garbled(Type2Tag(OTHER_UID, text_message("LOY-0043")), count=3))
        counter.kinds(2)
        simulator.unplug()
        counter.ended()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().handlers == shown


def test_the_udp_reader_listens_on_this_computer_only() -> None:
    with UdpNfc() as reader, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        port = int(reader.path.rsplit(":", 1)[1])
        other.bind(("127.0.0.2", port))  # free: the reader is bound to one address, not to all
        with pytest.raises(OSError, match="in use"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as same:
            same.bind(("127.0.0.1", port))


@pytest.mark.parametrize("junk", [b"", b"106A", b"106A xyz", b"\xff\xfe 26", b"106A 26 26", b"999Z 26", b"106A " + b"00" * 700])
def test_the_udp_reader_survives_what_is_no_frame(junk: bytes) -> None:
    with UdpNfc() as reader, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.settimeout(SECONDS)
        address = ("127.0.0.1", int(reader.path.rsplit(":", 1)[1]))
        reader.put_tag(Type2Tag(UID, None))
        other.sendto(junk, address)
        other.sendto(b"106A 26", address)
        answers = [other.recv(100)]
        while answers[-1] != b"106A 4400":
            answers.append(other.recv(100))
        assert len(answers) <= 2


@pytest.mark.parametrize("module", ["pn532", "nfc_udp"])
def test_a_simulator_runs_by_hand(module: str, tmp_path: Path) -> None:
    where = ["--link", str(tmp_path / "nfc")] if module == "pn532" else []
    process: Any = subprocess.Popen(
        [sys.executable, "-m", f"drivers.simulators.{module}", *where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    with process:
        path = process.stdout.readline().removeprefix("reader at ").strip()
        driver = build({"path": path, "technologies": ["106A"]}, DriverContext(SystemClock(), HalfRandom(), "nfc"))
        process.stdin.write("text LOY-0042\n")
        process.stdin.flush()
        assert process.stdout.readline() == "held to the reader: text LOY-0042\n"
        with Counter(UdpNfc(), driver) as counter:
            assert counter.kinds(1) == [TagKind.NDEF_TEXT]
        process.stdin.close()
        assert process.wait(SECONDS) == 0
    assert not (tmp_path / "nfc").is_symlink()
