"""The NFC reader over both of its wires: a PN532's bytes on a pseudo-terminal, and nfcpy's datagrams on loopback."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Driver, Hands
from drivers.devices.nfc_reader import NfcReader, build
from drivers.load import DriverContext
from drivers.nfc.address import ReaderAddress, parse_address
from drivers.simulators.nfc_udp import UdpNfc
from drivers.simulators.pn532 import PtyPn532
from drivers.simulators.tags import (
    FELICA_LITE_S_PMM,
    NTAG213,
    NTAG215,
    NTAG216,
    TERSE_ATS,
    BankCard,
    Garbled,
    MifareClassic,
    NdefApplication,
    Phone,
    PulledAway,
    Silent,
    Tag,
    Type2Tag,
    Type3Tag,
    Type4BTag,
    Type4Tag,
    text_message,
    uri_message,
)
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.errors import DeviceAbsent, DeviceBusy, DeviceDenied, DeviceError, DeviceLost
from edge_agent.domain.reading import Reading, Source, TagKind
from tests.support import HalfRandom

SECONDS = 5.0  # a deadline, not a duration
HOLD_SECONDS = 0.7

UID = bytes.fromhex("04a1b2c3d4e580")
OTHER_UID = bytes.fromhex("04f6e7d8c9ba80")
UID4 = bytes.fromhex("5d3c2b1a")
RANDOM_UID4 = bytes.fromhex("083c2b1a")
IDM = bytes.fromhex("02fd0102a1b2c3d4")
FELICA_IDM = bytes.fromhex("0101020304050607")
LONG = "0123456789" * 70

Simulator = PtyPn532 | UdpNfc


class Counter:
    """A reader with a simulated device, served in a thread; its monotonic clock moves only when it is told to."""

    def __init__(self, simulator: Simulator, driver: Driver, generation: int = 1) -> None:
        self.simulator = simulator
        self.driver = driver
        self.readings: list[Reading] = []
        self.reservations: list[tuple[str, str]] = []
        self.ended_with: BaseException | None = None
        self.seconds = 100.0
        self._generation = generation
        self._stop = threading.Event()
        self._news = threading.Condition()

    def __enter__(self) -> Counter:
        self.driver.open()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self.driver.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "serve did not end"

    def ended(self) -> BaseException | None:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "serve did not end"
        return self.ended_with

    def kinds(self, count: int) -> list[TagKind | None]:
        """The kinds of all readings, once there are ``count``."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.readings) >= count, SECONDS), f"{len(self.readings)} of {count} readings"
            return [reading.tag for reading in self.readings]

    def later(self, seconds: float) -> None:
        self.seconds += seconds

    def looked_in_vain(self, times: int = 9) -> None:
        """Wait until the reader has noticed that nothing is there: a round is three looks, and a failing read has some of its own."""
        before = self.simulator.field.empty_looks
        assert self.simulator.field.wait(lambda field: field.empty_looks >= before + times, SECONDS)

    def talked(self, times: int) -> None:
        """Wait until the reader has sent the tag some more commands."""
        before = self.simulator.field.exchanges
        assert self.simulator.field.wait(lambda field: field.exchanges >= before + times, SECONDS)

    def looked(self, times: int) -> None:
        before = self.simulator.field.looks
        assert self.simulator.field.wait(lambda field: field.looks >= before + times, SECONDS)

    def _serve(self) -> None:
        hands = Hands(
            emit=self._emit,
            degraded=lambda reason, detail: self.reservations.append((reason, detail)),
            stop=self._stop,
            now_ms=lambda: 1_700_000_000_000,
            monotonic=lambda: self.seconds,
            generation=self._generation,
        )
        try:
            self.driver.serve(hands)
        except DeviceError as error:
            self.ended_with = error

    def _emit(self, reading: Reading) -> None:
        with self._news:
            self.readings.append(reading)
            self._news.notify_all()


def configured(simulator: Simulator, **more: object) -> Driver:
    path = simulator.path if isinstance(simulator, UdpNfc) else f"port:{simulator.path}"
    context = DriverContext(SystemClock(), HalfRandom(), "nfc", "edge.toml [devices.nfc]")
    return build({"path": path, "hold_seconds": HOLD_SECONDS, **more}, context)


def address(path: str) -> ReaderAddress:
    parsed = parse_address(path)
    assert parsed is not None
    return parsed


@pytest.fixture
def pn532(tmp_path: Path) -> Iterator[PtyPn532]:
    with PtyPn532(tmp_path / "nfc") as simulator:
        yield simulator


@pytest.fixture(params=["pn532", "udp"])
def simulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Simulator]:
    with PtyPn532(tmp_path / "nfc") if request.param == "pn532" else UdpNfc() as made:
        yield made


@pytest.fixture
def counter(simulator: Simulator) -> Iterator[Counter]:
    with Counter(simulator, configured(simulator)) as serving:
        yield serving


TAGS: dict[str, tuple[Callable[[], Tag], TagKind, bytes]] = {
    "NTAG213 text": (lambda: Type2Tag(UID, text_message("LOY-0042"), NTAG213), TagKind.NDEF_TEXT, b"LOY-0042"),
    "NTAG215 URI": (lambda: Type2Tag(UID, uri_message("https://shop.example/c/42"), NTAG215), TagKind.NDEF_URI, b"https://shop.example/c/42"),
    "NTAG216, 700 bytes": (lambda: Type2Tag(UID, text_message(LONG), NTAG216), TagKind.NDEF_TEXT, LONG.encode()),
    "type 3 text": (lambda: Type3Tag(IDM, text_message("LOY-0042")), TagKind.NDEF_TEXT, b"LOY-0042"),
    "type 3, 700 bytes": (lambda: Type3Tag(IDM, uri_message("https://" + LONG)), TagKind.NDEF_URI, b"https://" + LONG.encode()),
    "FeliCa Lite-S": (lambda: Type3Tag(FELICA_IDM, text_message("مرحبا"), pmm=FELICA_LITE_S_PMM), TagKind.NDEF_TEXT, "مرحبا".encode()),
    "type 4 Arabic": (lambda: Type4Tag(UID, text_message("مرحبا بك في المتجر", "ar")), TagKind.NDEF_TEXT, "مرحبا بك في المتجر".encode()),
    "type 4, 700 bytes": (lambda: Type4Tag(UID, text_message(LONG)), TagKind.NDEF_TEXT, LONG.encode()),
    "type 4, few bytes at once": (lambda: Type4Tag(UID, None, ndef=NdefApplication(text_message(LONG), read_bytes_max=15)), TagKind.NDEF_TEXT, LONG.encode()),
    "type 4, terse answer to select": (lambda: Type4Tag(UID, text_message("short"), ats=TERSE_ATS), TagKind.NDEF_TEXT, b"short"),
    "type 4B": (lambda: Type4BTag(UID4, uri_message("https://b.example")), TagKind.NDEF_URI, b"https://b.example"),
    "blank type 2": (lambda: Type2Tag(UID, None), TagKind.FIXED_UID, b"04A1B2C3D4E580"),
    "formatted and empty type 2": (lambda: Type2Tag(UID, b""), TagKind.FIXED_UID, b"04A1B2C3D4E580"),
    "transit card": (lambda: Type3Tag(IDM[:1] + b"\x00" + IDM[2:], None), TagKind.FIXED_UID, b"02000102A1B2C3D4"),
    "chip card": (lambda: Type4Tag(UID, None), TagKind.FIXED_UID, b"04A1B2C3D4E580"),
    "MIFARE Classic": (lambda: MifareClassic(UID4), TagKind.FIXED_UID, b"5D3C2B1A"),
    "type 4B without NDEF": (lambda: Type4BTag(UID4, None), TagKind.RANDOM_UID, b""),
    "phone": (lambda: Phone(SystemRandom()), TagKind.RANDOM_UID, b""),
    "phone with a wallet": (lambda: Phone(SystemRandom(), wallet=True), TagKind.RANDOM_UID, b""),
    "phone that shares": (lambda: Phone(SystemRandom(), card_emulation=False), TagKind.RANDOM_UID, b""),
    "phone with a pass": (lambda: Phone(SystemRandom(), uri_message("https://pass.example/7"), wallet=True), TagKind.NDEF_URI, b"https://pass.example/7"),
    "bank card": (lambda: BankCard(UID), TagKind.BANK_CARD, b""),
    "bank card with a random UID": (lambda: BankCard(RANDOM_UID4), TagKind.BANK_CARD, b""),
    "blocked bank card": (lambda: BankCard(UID, blocked=True), TagKind.BANK_CARD, b""),
    "over the limit": (lambda: Type4Tag(UID, None, ndef=NdefApplication(b"", claimed_bytes=60_000)), TagKind.UNREADABLE, b""),
    "not NDEF inside": (lambda: Type2Tag(UID, b"\xd1\x01\x50U\x04a"), TagKind.UNREADABLE, b""),
}


@pytest.mark.parametrize("name", TAGS)
def test_a_tap_is_a_reading_of_what_it_is(counter: Counter, name: str) -> None:
    make, kind, payload = TAGS[name]
    counter.simulator.put_tag(make())
    assert counter.kinds(1) == [kind]
    (reading,) = counter.readings
    assert reading == Reading(payload, "nfc", 1_700_000_000_000, source=Source.NFC, tag=kind, generation=1)


@pytest.mark.parametrize("name", ["NTAG213 text", "type 3 text", "type 4 Arabic", "blank type 2", "MIFARE Classic", "phone", "bank card", "over the limit"])
def test_a_tag_that_stays_is_one_reading_and_one_that_comes_back_is_another(counter: Counter, name: str) -> None:
    make, kind, _ = TAGS[name]
    counter.simulator.put_tag(make())
    assert counter.kinds(1) == [kind]
    for _ in range(3):
        counter.later(HOLD_SECONDS * 0.6)
        counter.looked(2) if name == "MIFARE Classic" else counter.talked(2)
    assert counter.kinds(1) == [kind], "it stayed"
    counter.simulator.remove_tag()
    counter.looked_in_vain()
    counter.later(HOLD_SECONDS + 0.1)
    counter.simulator.put_tag(make())
    assert counter.kinds(2) == [kind, kind]


def test_a_quick_double_tap_is_one_tap(counter: Counter) -> None:
    tag = Type2Tag(UID, text_message("LOY-0042"))
    counter.simulator.put_tag(tag)
    counter.kinds(1)
    for _ in range(2):
        counter.simulator.remove_tag()
        counter.looked_in_vain()
        counter.later(HOLD_SECONDS * 0.5)
        counter.simulator.put_tag(tag)
        counter.talked(8)
    assert counter.kinds(1) == [TagKind.NDEF_TEXT]


def test_a_phone_that_flickers_is_one_tap_although_its_uid_is_new(counter: Counter) -> None:
    counter.simulator.put_tag(Phone(SystemRandom()))
    counter.kinds(1)
    counter.simulator.remove_tag()
    counter.looked_in_vain()
    counter.simulator.put_tag(Phone(SystemRandom()))
    counter.talked(6)
    assert counter.kinds(1) == [TagKind.RANDOM_UID]


def test_another_tag_is_another_tap_at_once(counter: Counter) -> None:
    counter.simulator.put_tag(Type2Tag(UID, text_message("first")))
    counter.kinds(1)
    counter.simulator.put_tag(Type4Tag(OTHER_UID, text_message("second")))
    counter.kinds(2)
    assert [reading.payload for reading in counter.readings] == [b"first", b"second"]


@pytest.mark.parametrize("answers", [1, 3, 5])
@pytest.mark.parametrize(
    "make", [lambda: Type2Tag(UID, text_message(LONG), NTAG216), lambda: Type3Tag(IDM, text_message(LONG)), lambda: Type4Tag(UID, text_message(LONG))]
)
def test_a_tag_pulled_away_in_the_middle_is_unreadable_once(counter: Counter, make: Callable[[], Tag], answers: int) -> None:
    counter.simulator.put_tag(PulledAway(make(), answers))
    counter.looked_in_vain()
    assert counter.readings == [], "it may be on its way"
    counter.later(HOLD_SECONDS)
    assert counter.kinds(1) == [TagKind.UNREADABLE]
    assert counter.readings[0].payload == b""
    counter.later(10.0)
    counter.looked_in_vain()
    assert len(counter.readings) == 1


@pytest.mark.parametrize(
    "make", [lambda: Type2Tag(UID, text_message("LOY-0042")), lambda: Type3Tag(IDM, text_message("LOY-0042")), lambda: Type4Tag(UID, text_message("LOY-0042"))]
)
def test_damage_on_the_air_is_repaired_by_another_try(counter: Counter, make: Callable[[], Tag]) -> None:
    counter.simulator.put_tag(Garbled(make(), count=20))
    counter.kinds(1)
    assert [(reading.tag, reading.payload) for reading in counter.readings] == [(TagKind.NDEF_TEXT, b"LOY-0042")]


def test_a_tag_that_stays_unreadable_is_said_once_and_read_when_it_can_be(counter: Counter) -> None:
    counter.simulator.put_tag(Silent(Type2Tag(UID, None)))
    counter.looked(10)  # a failed attempt is up to four looks
    counter.later(HOLD_SECONDS)
    assert counter.kinds(1) == [TagKind.UNREADABLE]
    counter.later(HOLD_SECONDS)
    counter.looked(3)
    counter.simulator.put_tag(Type2Tag(UID, text_message("LOY-0042")))
    assert counter.kinds(2) == [TagKind.UNREADABLE, TagKind.NDEF_TEXT]


def test_a_bank_card_is_asked_one_thing_only(counter: Counter) -> None:
    card = BankCard(UID)
    counter.simulator.put_tag(card)
    assert counter.kinds(1) == [TagKind.BANK_CARD]
    counter.talked(3)
    assert set(card.apdus) == {bytes.fromhex("00a404000e") + b"2PAY.SYS.DDF01" + b"\x00"}
    assert len(card.apdus) == 1


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


def test_a_session_ends_in_the_middle_of_a_long_read(counter: Counter) -> None:
    counter.simulator.put_tag(Type4Tag(UID, None, ndef=NdefApplication(b"", claimed_bytes=60_000, read_bytes_max=2)))
    counter.talked(30)
    counter.stop()
    assert counter.readings == []


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
