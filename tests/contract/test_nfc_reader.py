"""Taps on the NFC reader over both of its wires: a PN532's bytes on a pseudo-terminal, and nfcpy's datagrams on loopback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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
from edge_agent.clock import SystemRandom
from edge_agent.domain.reading import Reading, Source, TagKind
from tests.support_nfc import HOLD_SECONDS, OTHER_UID, UID, Counter, fixture_counter, fixture_simulator  # noqa: F401 - fixtures

UID4 = bytes.fromhex("5d3c2b1a")
RANDOM_UID4 = bytes.fromhex("083c2b1a")
IDM = bytes.fromhex("02fd0102a1b2c3d4")
FELICA_IDM = bytes.fromhex("0101020304050607")
LONG = "0123456789" * 70
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


def test_a_session_ends_in_the_middle_of_a_long_read(counter: Counter) -> None:
    counter.simulator.put_tag(Type4Tag(UID, None, ndef=NdefApplication(b"", claimed_bytes=60_000, read_bytes_max=2)))
    counter.talked(30)
    counter.stop()
    assert counter.readings == []
