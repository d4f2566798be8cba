"""What a tag is taken for, and that whatever it answers, reading it ends, within its limits, with nothing but our own words."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.nfc.content import NotRead, SeenTag, has_random_uid, read_tag, sight_of, still_there
from drivers.nfc.guard import EXCHANGES_MAX, READ_BYTES_MAX, Guard, Stopped
from drivers.nfc.library import Nfcpy, load_nfcpy
from drivers.nfc.taps import UNREADABLE
from drivers.simulators.tags import NdefApplication, Tag, Type3Tag, Type4Tag, TypeA, TypeB, TypeF, text_message
from edge_agent.domain.reading import TagKind

UID = bytes.fromhex("04a1b2c3d4e580")


class Air:
    """nfcpy's frontend without a reader: a tag in this process."""

    max_send_data_size = max_recv_data_size = 290

    def __init__(self, nfcpy: Nfcpy, tag: Tag) -> None:
        self._nfcpy = nfcpy
        self._tag = tag

    def sense(self, *targets: object, **options: object) -> Any:
        self._tag.select()
        match self._tag.identity():
            case TypeA(sens_res=sens_res, uid=uid, sel_res=sel_res):
                found = {"sens_res": bytearray(sens_res), "sdd_res": bytearray(uid), "sel_res": bytearray([sel_res])}
                return self._nfcpy.clf.RemoteTarget("106A", **found)
            case TypeB(sensb_res=sensb_res):
                return self._nfcpy.clf.RemoteTarget("106B", sensb_res=bytearray(sensb_res))
            case TypeF(idm=idm, pmm=pmm, system=system):
                return self._nfcpy.clf.RemoteTarget("212F", sensf_res=bytearray(b"\x01" + idm + pmm + system.to_bytes(2, "big")))

    def exchange(self, send_data: bytes, timeout: float) -> bytearray:
        answer = self._tag.answer(bytes(send_data))
        if answer is None:
            raise self._nfcpy.clf.TimeoutError
        return bytearray(answer)


class Babbling:
    """A tag that announces itself as anything and answers with arbitrary bytes, over and over."""

    in_field = True

    def __init__(self, identity: TypeA | TypeB | TypeF, answers: list[bytes | None]) -> None:
        self._identity = identity
        self._answers = answers
        self.asked = 0

    def identity(self) -> TypeA | TypeB | TypeF:
        return self._identity

    def field_off(self) -> None: ...

    def select(self) -> None: ...

    def answer(self, command: bytes) -> bytes | None:
        self.asked += 1
        return self._answers[(self.asked - 1) % len(self._answers)] if self._answers else None


NFCPY = load_nfcpy()


def read(tag: Tag, stop: Event | None = None) -> tuple[SeenTag, Guard]:
    air = Air(NFCPY, tag)
    target = air.sense()
    guard = Guard(NFCPY, air, stop or Event(), lambda: 0.0)
    assert sight_of(target)
    return read_tag(NFCPY, guard, target), guard


IDENTITIES = st.one_of(
    st.builds(TypeA, st.just(b"\x44\x00"), st.binary(min_size=7, max_size=7) | st.just(UID), st.sampled_from([0x00, 0x08, 0x20, 0x28, 0x40, 0x60])),
    st.builds(TypeA, st.just(b"\x04\x00"), st.binary(min_size=4, max_size=4), st.sampled_from([0x00, 0x20, 0x60])),
    st.builds(TypeB, st.binary(min_size=11, max_size=11).map(lambda rest: b"\x50" + rest)),
    st.builds(TypeF, st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8), st.sampled_from([0x12FC, 0x0003])),
)
# Answers that look like the protocols' own, so that the reading gets further than the first command.
BLOCKS = st.builds(bytes.__add__, st.sampled_from([b"\x02", b"\x03", b"\x12", b"\x13", b"\xa2", b"\xa3", b"\xf2\x01"]), st.binary(max_size=20))
STATUS = st.builds(lambda block, data: block + data + b"\x90\x00", st.sampled_from([b"\x02", b"\x03"]), st.binary(max_size=20))
PAGES = st.binary(min_size=16, max_size=16) | st.just(bytes(12) + b"\xe1\x10\xff\x00")
ANSWERS = st.lists(st.none() | st.binary(max_size=24) | BLOCKS | STATUS | PAGES, max_size=12)


@given(identity=IDENTITIES, answers=ANSWERS)
def test_whatever_a_tag_answers_it_is_read_or_not_and_the_reading_ends(identity: TypeA | TypeB | TypeF, answers: list[bytes | None]) -> None:
    tag = Babbling(identity, answers)
    try:
        seen, guard = read(tag)
    except NotRead:
        return
    assert seen.content.kind in TagKind
    assert still_there(NFCPY, guard, seen) in (True, False)
    assert tag.asked <= 2 * EXCHANGES_MAX


@pytest.mark.parametrize(
    "tag",
    [
        Type4Tag(UID, None, ndef=NdefApplication(b"", claimed_bytes=0xFFF0)),
        Type4Tag(UID, None, ndef=NdefApplication(b"", claimed_bytes=0xFFF0, read_bytes_max=2)),
        Type4Tag(UID, text_message("x" * 9_000)),
        Type3Tag(bytes(8), text_message("x" * 9_000)),
        Babbling(TypeA(b"\x04\x00", bytes(4), 0x20), [bytes.fromhex("0578807002")] + 5_000 * [b"\xf2\x01"]),  # asks for more time, for ever
    ],
    ids=["endless", "endless, two bytes at a time", "long type 4", "long type 3", "waiting time"],
)
def test_a_tag_that_wants_more_than_one_tag_may_have_is_unreadable(tag: Tag) -> None:
    seen, _ = read(tag)
    assert seen.content == UNREADABLE
    assert READ_BYTES_MAX < 20_000


def test_a_read_ends_when_the_session_has_to() -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        read(Type4Tag(UID, text_message("x")), stop)


def test_a_read_ends_when_its_time_is_over() -> None:
    ticks = iter(range(1_000))
    air = Air(NFCPY, Type4Tag(UID, text_message("x" * 2_000)))
    target = air.sense()
    guard = Guard(NFCPY, air, Event(), lambda: float(next(ticks)))
    assert read_tag(NFCPY, guard, target).content == UNREADABLE
    assert next(ticks) < 10


@pytest.mark.parametrize(("uid", "random"), [("08a1b2c3", True), ("04a1b2c3", False), ("08a1b2c3d4e580", False), ("a1b208c3", False)])
def test_only_four_bytes_that_begin_with_08_are_made_up_for_one_contact(uid: str, random: bool) -> None:
    identity = TypeA(b"\x04\x00" if len(uid) == 8 else b"\x44\x00", bytes.fromhex(uid), 0x20)
    assert has_random_uid(Air(NFCPY, Babbling(identity, [])).sense()) is random
