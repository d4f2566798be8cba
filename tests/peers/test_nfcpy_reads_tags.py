"""nfcpy's own reader code, without any of ours, reads every simulated tag type over both simulated readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ndef
import nfc.clf
import nfc.clf.pn532
import nfc.clf.transport
import nfc.tag
import pytest

from drivers.simulators.nfc_udp import UdpNfc
from drivers.simulators.pn532 import PtyPn532
from drivers.simulators.tags import (
    FELICA_LITE_S_PMM,
    NTAG213,
    NTAG215,
    NTAG216,
    BankCard,
    MifareClassic,
    Phone,
    Tag,
    Type2Tag,
    Type3Tag,
    Type4BTag,
    Type4Tag,
)
from edge_agent.clock import SystemRandom

pytestmark = pytest.mark.peer

UID = bytes.fromhex("04a1b2c3d4e580")
IDM = bytes.fromhex("02fd0102a1b2c3d4")
RECORDS = [ndef.UriRecord("https://shop.example/c/42"), ndef.TextRecord("مرحبا بك في المتجر", "ar"), ndef.TextRecord("0123456789" * 5)]
MESSAGE = b"".join(ndef.message_encoder(RECORDS))
LONG_RECORDS = [ndef.TextRecord("0123456789" * 70)]
LONG = b"".join(ndef.message_encoder(LONG_RECORDS))
TECHNOLOGY = {Type3Tag: "212F", Type4BTag: "106B"}


@pytest.fixture(params=["pn532", "udp"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[PtyPn532 | UdpNfc, Any]]:
    with PtyPn532(tmp_path / "nfc") if request.param == "pn532" else UdpNfc() as simulator:
        if isinstance(simulator, UdpNfc):
            frontend = nfc.clf.ContactlessFrontend(simulator.path)
        else:
            frontend = nfc.clf.ContactlessFrontend()
            frontend.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(simulator.path))
            frontend.device._path = simulator.path
        with frontend:
            yield simulator, frontend


def connected(reader: tuple[PtyPn532 | UdpNfc, Any], tag: Tag) -> Any:
    """nfcpy's tag object for ``tag``, found by its own ``connect``."""
    simulator, frontend = reader
    simulator.put_tag(tag)
    looks = iter(range(20))
    options = {
        "targets": [TECHNOLOGY.get(type(tag), "106A")],
        "on-discover": lambda target: True,  # phones, too, which by default are left for peer-to-peer
        "on-connect": lambda found: False,
        "iterations": 1,
        "interval": 0.05,
    }
    found = frontend.connect(rdwr=options, terminate=lambda: next(looks, None) is None)
    assert isinstance(found, nfc.tag.Tag), found
    return found


@pytest.mark.parametrize(
    ("make", "records", "product"),
    [
        (lambda: Type2Tag(UID, MESSAGE, NTAG213), RECORDS, "NXP NTAG213"),
        (lambda: Type2Tag(UID, MESSAGE, NTAG215), RECORDS, "NXP NTAG215"),
        (lambda: Type2Tag(UID, LONG, NTAG216), LONG_RECORDS, "NXP NTAG216"),
        (lambda: Type3Tag(IDM, MESSAGE), RECORDS, "Type3Tag"),
        (lambda: Type3Tag(IDM, LONG), LONG_RECORDS, "Type3Tag"),
        (lambda: Type3Tag(IDM, MESSAGE, pmm=FELICA_LITE_S_PMM), RECORDS, "FeliCa Lite-S (RC-S966)"),
        (lambda: Type4Tag(UID, MESSAGE), RECORDS, "Type4Tag"),
        (lambda: Type4Tag(UID, LONG), LONG_RECORDS, "Type4Tag"),
        (lambda: Type4BTag(b"\x01\x02\x03\x04", MESSAGE), RECORDS, "Type4Tag"),
        (lambda: Phone(SystemRandom(), MESSAGE, wallet=True), RECORDS, "Type4Tag"),
    ],
)
def test_nfcpy_reads_the_records(reader: tuple[Any, Any], make: Callable[[], Tag], records: list[ndef.Record], product: str) -> None:
    found = connected(reader, make())
    assert found.product == product
    assert found.ndef is not None
    assert found.ndef.records == records


@pytest.mark.parametrize(
    "make", [lambda: Type2Tag(UID, None), lambda: Type3Tag(IDM, None), lambda: Type4Tag(UID, None), lambda: BankCard(UID), lambda: MifareClassic(UID[:4])]
)
def test_nfcpy_finds_no_records_where_there_are_none(reader: tuple[Any, Any], make: Callable[[], Tag]) -> None:
    found = connected(reader, make())
    assert found.identifier in (UID, UID[:4], IDM)
    assert found.ndef is None


@pytest.mark.parametrize("make", [lambda: Type2Tag(UID, MESSAGE), lambda: Type3Tag(IDM, MESSAGE), lambda: Type4Tag(UID, MESSAGE)])
@pytest.mark.parametrize("reader", ["pn532"], indirect=True)  # over UDP, nfcpy's presence check stumbles over the frame that says "no field"
def test_nfcpy_notices_that_the_tag_is_there_and_that_it_is_gone(reader: tuple[Any, Any], make: Callable[[], Tag]) -> None:
    found = connected(reader, make())
    assert found.ndef is not None
    assert found.is_present
    reader[0].remove_tag()
    assert not found.is_present


def test_nfcpy_writes_a_type_2_tag_and_reads_back_what_it_wrote(reader: tuple[Any, Any]) -> None:
    tag = Type2Tag(UID, MESSAGE)
    connected(reader, tag).ndef.records = [ndef.TextRecord("written")]
    assert connected(reader, tag).ndef.records == [ndef.TextRecord("written")]
