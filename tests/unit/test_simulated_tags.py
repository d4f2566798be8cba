"""The simulated tags answer the bytes of their data sheets."""

from __future__ import annotations

import pytest

from drivers.simulators._field import Field
from drivers.simulators._tag_lines import HELP, obey
from drivers.simulators.tags import (
    NTAG213,
    NTAG215,
    NTAG216,
    BankCard,
    Garbled,
    MifareClassic,
    NdefApplication,
    NtagModel,
    Phone,
    PulledAway,
    Silent,
    Tag,
    Type2Tag,
    Type3Tag,
    Type4BTag,
    Type4Tag,
    TypeA,
    TypeF,
    tag_by_name,
    technologies,
    text_message,
    uri_message,
)
from edge_agent.clock import SystemRandom
from tests.support import HalfRandom

UID = bytes.fromhex("04a1b2c3d4e580")
IDM = bytes.fromhex("02fd0102a1b2c3d4")
MESSAGE = text_message("LOY-0042")
SELECT_PPSE = bytes.fromhex("00a404000e") + b"2PAY.SYS.DDF01" + b"\x00"


def told(tag: Tag, command: str) -> str | None:
    answer = tag.answer(bytes.fromhex(command))
    return None if answer is None else answer.hex()


@pytest.mark.parametrize(("model", "version", "capability"), [(NTAG213, "0f", "12"), (NTAG215, "11", "3e"), (NTAG216, "13", "6d")])
def test_an_ntag_shows_its_uid_its_version_and_its_capability(model: NtagModel, version: str, capability: str) -> None:
    tag = Type2Tag(UID, MESSAGE, model)
    assert told(tag, "60") == f"0004040201 00{version}03".replace(" ", "")
    assert told(tag, "3000") == "04a1b29f" + "c3d4e580" + "72480000" + f"e110{capability}00"


def test_an_ntag_holds_its_message_in_a_tlv_and_wraps_around_at_its_end() -> None:
    tag = Type2Tag(UID, MESSAGE, NTAG213)
    read = bytes.fromhex("".join(told(tag, f"30{page:02x}") or "" for page in range(4, 12, 4)))
    assert read.startswith(bytes.fromhex("0103a00c34") + bytes([0x03, len(MESSAGE)]) + MESSAGE + b"\xfe")
    assert (told(tag, "302c") or "").endswith((told(tag, "3000") or "")[:24]), "behind page 44 comes page 0"


def test_an_ntag_refuses_what_it_does_not_know_and_then_keeps_silent_until_it_is_selected() -> None:
    tag = Type2Tag(UID, MESSAGE)
    assert told(tag, "1a00") == "00"
    assert told(tag, "3000") is None
    tag.select()
    assert told(tag, "3000") is not None
    assert told(tag, "302d") == "00", "there is no page 45"


def test_an_ntag_can_be_written() -> None:
    tag = Type2Tag(UID, MESSAGE)
    assert told(tag, "a20a01020304") == "0a"
    assert (told(tag, "300a") or "").startswith("01020304")


def test_a_blank_ntag_has_no_capability() -> None:
    assert (told(Type2Tag(UID, None), "3003") or "")[:8] == "00000000"


def test_a_classic_card_refuses_to_be_read() -> None:
    card = MifareClassic(b"\x5d\x3c\x2b\x1a")
    assert card.identity() == TypeA(b"\x04\x00", b"\x5d\x3c\x2b\x1a", 0x08)
    assert told(card, "3000") == "04"
    assert told(card, "3000") is None


def test_a_type_3_tag_answers_to_its_system_only() -> None:
    tag = Type3Tag(IDM, MESSAGE)
    assert told(tag, "060012fc0000") == "1201" + IDM.hex() + "00ff4b024f4993ff"
    assert (told(tag, "0600ffff0100") or "").endswith("12fc")
    assert told(tag, "0600fe000000") is None
    assert technologies(tag) == ("212F", "424F")
    transit = Type3Tag(IDM, None).identity()
    assert isinstance(transit, TypeF)
    assert transit.system != 0x12FC


def test_a_type_3_tag_gives_its_attributes_and_blocks_and_a_status_for_what_it_lacks() -> None:
    tag = Type3Tag(IDM, MESSAGE)
    head, blocks = "1006" + IDM.hex(), "010b00"
    attributes = bytes.fromhex((told(tag, head + blocks + "018000") or "")[26:])
    assert attributes[:5] == bytes.fromhex("1004010 00d".replace(" ", ""))
    assert int.from_bytes(attributes[11:14], "big") == len(MESSAGE)
    assert int.from_bytes(attributes[14:16], "big") == sum(attributes[:14])
    assert bytes.fromhex((told(tag, head + blocks + "018001") or "")[26:]) == MESSAGE.ljust(16, b"\x00")
    assert (told(tag, head + blocks + "0180f0") or "").endswith("ffa8")
    assert (told(tag, "1006" + IDM.hex() + "010f00" + "018000") or "").endswith("ffa6")


def test_a_type_4_tag_chains_a_long_answer_and_repeats_what_was_lost() -> None:
    tag = Type4Tag(UID, text_message("x" * 200))
    assert (told(tag, "e020") or "").startswith("0b78"), "frames of 32 bytes for the reader"
    assert told(tag, "02" + "00a4040007d2760000850101" + "00") == "029000"
    assert told(tag, "03" + "00a4000c02e104") == "039000"
    first = told(tag, "02" + "00b0000064")
    assert first is not None
    assert (first[:2], len(first)) == ("12", 2 * 30)
    assert told(tag, "b2") == first, "asked again with the same number"
    pieces = [first, told(tag, "a3"), told(tag, "a2"), told(tag, "a3")]
    assert [piece[:2] for piece in pieces if piece] == ["12", "13", "12", "03"]
    assert sum(len(piece) // 2 - 1 for piece in pieces if piece) == 100 + 2


def test_a_type_4_tag_says_that_it_is_there_and_can_be_released() -> None:
    tag = Type4Tag(UID, MESSAGE)
    told(tag, "e080")
    assert told(tag, "b2") == "a3"
    assert told(tag, "c2") == "c2"
    assert told(tag, "b2") is None, "released, and to be activated again"


def test_a_type_4b_tag_is_attached_by_its_identifier() -> None:
    tag = Type4BTag(b"\x01\x02\x03\x04", MESSAGE)
    assert told(tag, "050008") == "5001020304" + "00000000" + "008185"
    assert told(tag, "1d" + "ffffffff" + "00080100") is None
    assert told(tag, "1d" + "01020304" + "00080100") == "00"


def test_a_phone_has_a_new_random_uid_each_time_the_field_comes_on() -> None:
    phone = Phone(SystemRandom())
    uids = set()
    for _ in range(8):
        identity = phone.identity()
        assert isinstance(identity, TypeA)
        assert (identity.uid[0], len(identity.uid)) == (0x08, 4)
        uids.add(identity.uid)
        phone.field_off()
    assert len(uids) > 1


def test_a_bank_card_answers_to_its_environment_and_does_nothing_else() -> None:
    card = BankCard(b"\x5d\x3c\x2b\x1a")
    card.answer(bytes.fromhex("e080"))
    answer = card.answer(b"\x02" + SELECT_PPSE)
    assert answer is not None
    assert answer[1] == 0x6F
    assert answer.endswith(b"\x90\x00")
    assert told(card, "03" + "00b2010c00") == "036d00"
    assert list(card.apdus) == [SELECT_PPSE, bytes.fromhex("00b2010c00")]
    wallet = Phone(HalfRandom(), wallet=True)
    wallet.answer(bytes.fromhex("e080"))
    assert (wallet.answer(b"\x02" + SELECT_PPSE) or b"")[1:] == answer[1:]


def test_a_file_that_claims_more_than_it_has_goes_on_for_ever() -> None:
    application = NdefApplication(b"", claimed_bytes=60_000)
    application.command(bytes.fromhex("00a4000c02e104"))
    assert application.command(bytes.fromhex("00b00000ff"))[:2] == (60_000).to_bytes(2, "big")
    assert len(application.command(bytes.fromhex("00b07000ff"))) == 257


def test_faults_are_what_they_say() -> None:
    tag = Type2Tag(UID, MESSAGE)
    pulled = PulledAway(tag, answers=1)
    assert pulled.in_field
    assert told(pulled, "3000") == told(tag, "3000")
    assert not pulled.in_field
    assert told(pulled, "3000") is None
    garbled = Garbled(tag, count=1)
    assert told(garbled, "3000") != told(tag, "3000")
    assert told(garbled, "3000") == told(tag, "3000")
    assert told(Silent(tag), "3000") is None


def test_a_field_finds_what_is_in_it_by_technology_and_uid() -> None:
    field = Field()
    assert field.find("106A") is None
    field.put(Type2Tag(UID, MESSAGE))
    assert field.find("212F") is None
    assert field.find("106A", b"\x01\x02\x03\x04") is None
    assert field.find("106A", UID) == TypeA(b"\x44\x00", UID, 0x00)
    field.remove()
    assert field.exchange(b"\x30\x00") is None
    assert (field.looks, field.empty_looks, field.exchanges) == (4, 3, 1)


class Spoken:
    """A simulated reader that keeps what it was told."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def put_tag(self, tag: Tag) -> None:
        self.done.append(tag)

    def remove_tag(self) -> None:
        self.done.append("remove")

    def plug(self) -> None:
        self.done.append("plug")

    def unplug(self) -> None:
        self.done.append("unplug")


def test_a_typed_line_is_obeyed_or_answered_with_help() -> None:
    reader = Spoken()
    said = [obey(reader, line, HalfRandom()) for line in ("!unplug", "!plug", "text LOY-0042", "!remove", "", "elephant", "text ")]
    assert said == ["unplugged", "plugged", "held to the reader: text LOY-0042", "removed", "", HELP, HELP]
    assert [type(thing).__name__ for thing in reader.done] == ["str", "str", "Type2Tag", "str"]


@pytest.mark.parametrize("name", ["text A", "text3 A", "text4 A", "uri https://a", "uri3 https://a", "uri4 https://a", "pass https://a"])
@pytest.mark.parametrize("other", ["phone", "wallet", "bank", "blank", "transit", "classic", "pulled", "silent"])
def test_every_tag_has_a_name(name: str, other: str) -> None:
    assert tag_by_name(name, HalfRandom()) is not None
    assert tag_by_name(other, HalfRandom()) is not None


def test_a_uri_is_shortened_as_writers_do() -> None:
    assert uri_message("https://a.b").endswith(b"\x04a.b")
    assert uri_message("x-loyalty:42").endswith(b"\x00x-loyalty:42")
