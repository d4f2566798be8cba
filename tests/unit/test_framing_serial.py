"""The serial framer: what ends a frame, what is dropped, and that chunking never matters."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import xor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.contract import Frame
from drivers.framing.serial_frames import FrameRule, SerialFramer
from edge_agent.domain.reading import READING_BYTES_MAX

GAP = 0.05


def read(rule: FrameRule, *chunks: bytes) -> list[bytes]:
    framer = SerialFramer(rule)
    return [frame.data for chunk in chunks for frame in framer.feed(chunk, 0.0)]


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\x03", b"\t", b"\x04", b"<END>"])
def test_each_terminator_ends_a_frame(ending: bytes) -> None:
    assert read(FrameRule(terminator=ending), b"one" + ending + b"two" + ending + b"thr") == [b"one", b"two"]


def test_cr_framing_forgives_the_lf_of_a_crlf_scanner() -> None:
    assert read(FrameRule(terminator=b"\r"), b"one\r\ntwo\r\n") == [b"one", b"two"]
    assert read(FrameRule(terminator=b"\r"), b"one\r", b"\n", b"two\r", b"\n") == [b"one", b"two"]


def test_lf_framing_forgives_the_cr_of_a_crlf_scanner() -> None:
    assert read(FrameRule(terminator=b"\n"), b"one\r\ntwo\n") == [b"one", b"two"]


def test_a_line_feed_within_a_code_stays() -> None:
    assert read(FrameRule(terminator=b"\r"), b"first\nsecond\r") == [b"first\nsecond"]


def test_group_separators_and_any_other_byte_stay() -> None:
    code = b"x" + bytes(value for value in range(256) if value != 0x0D)
    assert read(FrameRule(terminator=b"\r"), code + b"\r") == [code]


def test_a_break_in_front_of_a_code_is_no_part_of_it() -> None:
    assert read(FrameRule(terminator=b"\r"), b"\x00\x004006381333931\r\n\x0096385074\r") == [b"4006381333931", b"96385074"]


def test_empty_frames_and_noise_between_frames_are_nothing_and_not_counted() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\r"))
    assert framer.feed(b"\r\r\n\x00\r\n\n\r", 0.0) == []
    assert framer.tick(1.0) == []
    assert framer.dropped == 0


def test_the_prefix_is_required_cut_off_and_found_behind_noise() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\x03", prefix=b"\x02"))
    assert [frame.data for frame in framer.feed(b"\xff\xfe\x02one\x03\x02two\x03", 0.0)] == [b"one", b"two"]
    assert framer.dropped == 0
    assert framer.feed(b"three\x03", 0.0) == []
    assert framer.dropped == 1


def test_half_a_frame_before_a_whole_one_is_cut_off_at_the_control_character_that_begins_it() -> None:
    assert read(FrameRule(terminator=b"\x03", prefix=b"\x02"), b"\x02400\x024006381333931\x03") == [b"4006381333931"]


def test_a_printable_prefix_may_stand_in_the_code_again() -> None:
    assert read(FrameRule(terminator=b"\r", prefix=b"#"), b"#4#5\r") == [b"4#5"]


def lrc(data: bytes) -> bytes:
    return data + bytes([reduce(xor, data, 0)])


def test_the_check_byte_covers_code_and_terminator_and_a_wrong_one_drops_the_frame() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\x03", prefix=b"\x02", lrc=True))
    good = b"\x02" + lrc(b"4006381333931\x03")
    assert [frame.data for frame in framer.feed(good, 0.0)] == [b"4006381333931"]
    assert framer.feed(good[:-1] + b"\x7f", 0.0) == []
    assert framer.dropped == 1
    assert [frame.data for frame in framer.feed(good, 0.0)] == [b"4006381333931"]


def test_a_known_check_byte() -> None:
    # "1" 0x31 xor "2" 0x32 xor ETX 0x03 is 0x00
    assert read(FrameRule(terminator=b"\x03", lrc=True), b"12\x03\x00") == [b"12"]


@pytest.mark.parametrize("check", [0x03, 0x02, 0x0D])
def test_a_check_byte_that_looks_like_framing_is_a_check_byte(check: int) -> None:
    last = bytes([0x03 ^ check ^ ord("1")])
    framer = SerialFramer(FrameRule(terminator=b"\x03", prefix=b"\x02", lrc=True))
    assert [frame.data for frame in framer.feed(b"\x021" + last + b"\x03" + bytes([check]) + b"\x02" + lrc(b"next\x03"), 0.0)] == [b"1" + last, b"next"]


def test_a_missing_check_byte_drops_the_frame_after_a_silence() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\x03", lrc=True))
    assert framer.feed(b"code\x03", 0.0) == []
    assert framer.pending
    assert framer.tick(GAP) == []
    assert framer.dropped == 1
    assert not framer.pending


def test_silence_ends_a_frame_where_nothing_else_does() -> None:
    framer = SerialFramer(FrameRule(terminator=b""))
    assert framer.feed(b"4006381", 0.0) == []
    assert framer.feed(b"333931", 0.03) == []
    assert framer.tick(0.03 + GAP - 0.001) == []
    assert framer.tick(0.03 + GAP) == [Frame(b"4006381333931", ended_by_gap=True)]
    assert framer.tick(9.0) == []


@pytest.mark.parametrize("ending", [b"", b"\n", b"\x03", b"\t"])
def test_without_the_terminator_nothing_is_a_code_also_of_a_scanner_that_never_sent_one(ending: bytes) -> None:
    framer = SerialFramer(FrameRule(terminator=b"\r"))
    for number, at in enumerate((0.0, 1.0), start=1):
        assert framer.feed(b"4006381333931" + ending, at) == []
        assert framer.tick(at + GAP) == []
        assert (framer.dropped, framer.unended, framer.ended_with, framer.terminates) == (number, number, ending, False)
    assert framer.feed(b"4006381333931\r", 2.0) == [Frame(b"4006381333931")]
    assert (framer.unended, framer.terminates) == (0, True)


def test_half_a_code_of_a_scanner_that_ends_its_frames_is_dropped_and_counted() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\r"))
    framer.feed(b"4006381333931\r", 0.0)
    assert framer.feed(b"400638", 1.0) == []
    assert framer.tick(1.0 + GAP) == []
    assert (framer.dropped, framer.unended, framer.terminates) == (1, 1, True)
    assert framer.feed(b"4006381333931\r", 1.1) == [Frame(b"4006381333931")]
    assert (framer.dropped, framer.unended) == (1, 0)


def test_a_new_session_forgets_what_was_held_and_not_what_the_scanner_was_seen_to_do() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\r"))
    framer.feed(b"4006381333931\r400638", 0.0)
    framer.begin()
    assert not framer.pending
    assert framer.feed(b"96385074\r", 0.01) == [Frame(b"96385074")]
    framer.feed(b"400638", 1.0)
    framer.tick(1.0 + GAP)
    framer.begin()
    assert (framer.terminates, framer.dropped, framer.unended, framer.pending) == (True, 1, 1, False)


def test_feed_never_takes_a_late_read_for_silence() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\r"))
    framer.feed(b"400638", 0.0)
    assert framer.feed(b"1333931\r", 7.0) == [Frame(b"4006381333931")]


@pytest.mark.parametrize("terminator", [b"\r", b"\r\n"])
def test_a_frame_of_the_limit_passes_and_one_byte_more_is_dropped_once(terminator: bytes) -> None:
    framer = SerialFramer(FrameRule(terminator=terminator))
    fits = b"x" * (READING_BYTES_MAX - len(terminator))
    assert framer.feed(fits + terminator, 0.0) == [Frame(fits)]
    assert framer.feed(fits + b"x" + terminator + b"next" + terminator, 0.0) == [Frame(b"next")]
    assert framer.dropped == 1


def test_a_frame_that_never_ends_is_dropped_once_and_the_next_one_is_read() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\r"))
    for _ in range(50):
        assert framer.feed(b"0123456789" * 100, 0.0) == []
    assert framer.dropped == 1
    assert framer.tick(GAP) == []
    assert framer.feed(b"4006381333931\r", 1.0) == [Frame(b"4006381333931")]
    assert framer.dropped == 1


def test_after_a_too_long_frame_its_check_byte_is_skipped_with_it() -> None:
    framer = SerialFramer(FrameRule(terminator=b"\x03", lrc=True))
    assert [frame.data for frame in framer.feed(b"x" * READING_BYTES_MAX + b"\x03\x03" + lrc(b"next\x03"), 0.0)] == [b"next"]


RULES = [
    FrameRule(terminator=b"\r"),
    FrameRule(terminator=b"\n"),
    FrameRule(terminator=b"\r\n"),
    FrameRule(terminator=b"\x03", prefix=b"\x02"),
    FrameRule(terminator=b"\x03", prefix=b"\x02", lrc=True),
    FrameRule(terminator=b"\x03", lrc=True),
    FrameRule(terminator=b"aab", prefix=b"#"),
    FrameRule(terminator=b""),
]
# Bytes that mean something come often, so that frames do end; a run may be longer than the limit.
PIECES = st.one_of(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"\x02", b"\x03", b"\x00", b"a", b"aab", b"#", b"4006381333931", b"x" * READING_BYTES_MAX]),
    st.binary(max_size=20),
)
STREAMS = st.lists(PIECES, max_size=25).map(b"".join)


@given(rule=st.sampled_from(RULES), stream=STREAMS, cuts=st.lists(st.integers(0, 40_000), max_size=12))
@example(rule=RULES[2], stream=b"x" * (READING_BYTES_MAX - 1) + b"\r\nnext\r\n", cuts=[READING_BYTES_MAX])
@example(rule=RULES[6], stream=b"#one" + b"aaab" + b"#two" + b"aab", cuts=[5, 6])
def test_however_the_bytes_are_chunked_the_frames_are_the_same(rule: FrameRule, stream: bytes, cuts: list[int]) -> None:
    whole, cut = SerialFramer(rule), SerialFramer(rule)
    expected = whole.feed(stream, 0.0)
    edges = sorted({0, len(stream), *(at for at in cuts if at < len(stream))})
    got = [frame for start, end in pairwise(edges) for frame in cut.feed(stream[start:end], 0.0)]
    assert got == expected
    assert (cut.dropped, cut.pending) == (whole.dropped, whole.pending)
    assert cut.tick(1.0) == whole.tick(1.0)


@given(rule=st.sampled_from(RULES), steps=st.lists(st.tuples(STREAMS, st.floats(0, 0.2)), max_size=8))
def test_any_bytes_at_any_pace_make_no_error_and_never_hold_more_than_the_limit(rule: FrameRule, steps: list[tuple[bytes, float]]) -> None:
    framer = SerialFramer(rule)
    at = 0.0
    for data, pause in steps:
        frames = framer.feed(data, at)
        assert len(framer._held) <= READING_BYTES_MAX
        assert framer._unchecked is None or len(framer._unchecked) <= READING_BYTES_MAX
        at += pause
        frames += framer.tick(at)
        assert all(0 < len(frame.data) <= READING_BYTES_MAX for frame in frames)
    framer.tick(at + 1.0)
    assert not framer.pending


@given(codes=st.lists(st.binary(min_size=1, max_size=40).map(lambda code: code.translate(None, b"\x02\x03\r\n\x00") + b"."), max_size=20))
def test_whatever_a_scanner_sends_well_framed_arrives_whole_and_in_order(codes: list[bytes]) -> None:
    for rule, framed in (
        (FrameRule(terminator=b"\r"), [code + b"\r\n" for code in codes]),
        (FrameRule(terminator=b"\x03", prefix=b"\x02", lrc=True), [b"\x02" + lrc(code + b"\x03") for code in codes]),
    ):
        assert read(rule, *framed) == codes
