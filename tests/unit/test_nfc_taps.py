"""What one tap is, second by second."""

from __future__ import annotations

import pytest

from drivers.nfc.taps import UNREADABLE, TagContent, Taps
from edge_agent.domain.reading import TagKind

CARD = TagContent(TagKind.NDEF_TEXT, b"LOY-0042")
OTHER = TagContent(TagKind.FIXED_UID, b"04A1B2C3D4E580")
A, B = "106A 04a1", "106A 04b2"


@pytest.fixture
def taps() -> Taps:
    return Taps(hold_seconds=0.7)


def test_a_tag_seen_again_within_the_hold_time_is_the_same_tap(taps: Taps) -> None:
    assert taps.read(CARD, A, 0.0)
    assert not taps.nothing(0.3)
    assert not taps.read(CARD, A, 0.7)
    assert not taps.read(CARD, A, 1.4), "the time counts from when it was last seen"
    assert taps.read(CARD, A, 2.2)


def test_a_tag_that_stays_is_one_tap_however_long(taps: Taps) -> None:
    assert taps.read(CARD, A, 0.0)
    for tenth in range(600):
        taps.still(CARD, tenth / 10)
    assert not taps.read(CARD, A, 60.0)


def test_another_tag_is_another_tap_and_two_that_alternate_are_two(taps: Taps) -> None:
    assert taps.read(CARD, A, 0.0)
    assert taps.read(OTHER, B, 0.1)
    for tenth in range(2, 40, 2):
        assert not taps.read(CARD, A, tenth / 10)
        assert not taps.read(OTHER, B, tenth / 10 + 0.1)


def test_a_tag_that_becomes_readable_in_time_was_never_unreadable(taps: Taps) -> None:
    assert not taps.failed(A, 0.0)
    assert not taps.failed(A, 0.3)
    assert taps.read(CARD, A, 0.4)
    assert not taps.nothing(2.0)


def test_a_tag_that_stays_unreadable_is_said_once(taps: Taps) -> None:
    said = [taps.failed(A, tenth / 10) for tenth in range(100)]
    assert [tenth for tenth, it in enumerate(said) if it] == [7]
    assert taps.read(CARD, A, 10.0), "and is a reading once it can be read"


def test_a_tag_pulled_away_in_the_middle_is_said_once_although_it_is_gone(taps: Taps) -> None:
    assert not taps.failed(A, 0.0)
    assert [taps.nothing(at) for at in (0.1, 0.6, 0.7, 0.8, 5.0)] == [False, False, True, False, False]
    assert not taps.failed(A, 6.0)
    assert taps.nothing(6.7), "and again when it happens again"


def test_a_failure_while_the_same_tag_is_taken_away_says_nothing(taps: Taps) -> None:
    assert taps.read(CARD, A, 0.0)
    assert not any(taps.failed(A, tenth / 10) for tenth in range(1, 50))
    assert not taps.nothing(20.0)


def test_a_different_tag_that_fails_right_after_a_good_one_is_said(taps: Taps) -> None:
    assert taps.read(CARD, A, 0.0)
    assert not taps.failed(B, 0.2)
    assert taps.nothing(0.9)


def test_a_content_shows_no_payload_in_its_repr() -> None:
    assert repr(CARD) == "TagContent(ndef_text, 8 bytes)"
    assert repr(UNREADABLE) == "TagContent(unreadable, 0 bytes)"
