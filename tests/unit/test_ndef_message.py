"""The NDEF codec: what it finds, what it refuses, and that arbitrary bytes meet nothing but our own exception."""

from __future__ import annotations

import ndef
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.nfc.ndef import NDEF_BYTES_MAX, first_text_or_uri
from edge_agent.domain.errors import FrameRejected
from edge_agent.domain.reading import TagKind

TEXT, URI = TagKind.NDEF_TEXT, TagKind.NDEF_URI

# ndeflib wrote these, and we read them: two implementations of one specification.
LANGUAGES = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)


def message(*records: ndef.Record) -> bytes:
    return b"".join(ndef.message_encoder(records))


@given(text=TEXTS, language=LANGUAGES, encoding=st.sampled_from(["UTF-8", "UTF-16"]))
def test_a_text_that_ndeflib_wrote_is_read_back(text: str, language: str, encoding: str) -> None:
    assert first_text_or_uri(message(ndef.TextRecord(text, language, encoding))) == (TEXT, text.encode())


@pytest.mark.parametrize("prefix", ["https://www.", "https://", "http://", "tel:", "mailto:", "urn:epc:id:", "urn:nfc:", "urn:", "x-loyalty:"])
def test_a_uri_that_ndeflib_wrote_is_read_back(prefix: str) -> None:
    assert first_text_or_uri(message(ndef.UriRecord(prefix + "cards/0042"))) == (URI, (prefix + "cards/0042").encode())


def test_a_smart_poster_counts_as_its_uri() -> None:
    poster = ndef.SmartposterRecord("https://shop.example/c/42", title="Loyalty")
    assert first_text_or_uri(message(poster, ndef.TextRecord("later"))) == (URI, b"https://shop.example/c/42")


def test_the_first_text_or_uri_wins_over_other_records_before_and_behind_it() -> None:
    records = (ndef.Record("application/vnd.loyalty", "", b"\x01\x02"), ndef.UriRecord("https://a.example"), ndef.TextRecord("b"))
    assert first_text_or_uri(message(*records)) == (URI, b"https://a.example")
    assert first_text_or_uri(message(records[0], records[2], records[1])) == (TEXT, b"b")


def test_what_stands_behind_the_winner_is_not_looked_at() -> None:
    without_end_mark = b"\x91" + message(ndef.TextRecord("good"))[1:]
    assert first_text_or_uri(without_end_mark + b"\x07\xff") == (TEXT, b"good")


def test_an_empty_text_does_not_win() -> None:
    assert first_text_or_uri(message(ndef.TextRecord(""), ndef.UriRecord("https://a.example"))) == (URI, b"https://a.example")
    assert first_text_or_uri(message(ndef.TextRecord(""))) is None


@pytest.mark.parametrize("data", [b"", bytes.fromhex("d00000"), message(ndef.Record("text/vcard", "", b"BEGIN:VCARD"))])
def test_a_message_without_text_and_uri_has_neither(data: bytes) -> None:
    assert first_text_or_uri(data) is None


def test_utf_16_without_a_mark_is_big_endian() -> None:
    payload = b"\x82en" + "é".encode("utf-16-be")
    assert first_text_or_uri(b"\xd1\x01" + bytes([len(payload)]) + b"T" + payload) == (TEXT, "é".encode())


def test_chunks_are_joined() -> None:
    chunks = b"\xb1\x01\x05T\x02enab" + b"\x36\x00\x02cd" + b"\x56\x00\x02ef"
    assert first_text_or_uri(chunks) == (TEXT, b"abcdef")


def test_an_absolute_uri_record_is_its_type() -> None:
    uri = b"https://shop.example/42"
    assert first_text_or_uri(b"\xd3" + bytes([len(uri)]) + b"\x00" + uri) == (URI, uri)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("d1 01 50 55 04 61", "record"),  # shorter than it says
        ("d1 01", "record header"),
        ("c1 01 ff ff ff ff 55", "record"),  # four gigabytes
        ("d7 00 00", "record"),
        ("d1 01 00 54", "text record"),
        ("d1 01 01 54 3f", "text record"),  # a language of 63 bytes in none
        ("d1 01 04 54 02 65 6e ff", "text record"),  # no UTF-8
        ("d1 01 05 54 82 65 6e d8 00", "text record"),  # half a surrogate pair
        ("d1 01 00 55", "URI record"),
        ("56 00 02 63 64", "first record"),
        ("b1 01 03 54 02 65 6e d1 01 00 55", "chunk"),
        ("b1 01 03 54 02 65 6e", "chunked record"),
    ],
)
def test_broken_bytes_are_refused_with_what_was_expected(broken: str, what: str) -> None:
    with pytest.raises(FrameRejected, match=f"Invalid NDEF {what}: expected .*, got ") as caught:
        first_text_or_uri(bytes.fromhex(broken))
    assert caught.value.key == "frame_rejected.ndef_invalid"
    assert caught.value.hint


def test_a_message_over_the_limit_is_refused_unread() -> None:
    fits = message(ndef.TextRecord("x" * (NDEF_BYTES_MAX - 10)))
    assert len(fits) == NDEF_BYTES_MAX
    assert first_text_or_uri(fits) == (TEXT, b"x" * (NDEF_BYTES_MAX - 10))
    with pytest.raises(FrameRejected, match="at most 8192 bytes"):
        first_text_or_uri(fits + b"\x00")


# Bytes near the format, so that the deeper branches are met, and bytes far from it.
HEADERS = st.builds(
    lambda flags, kind, length: bytes([flags, len(kind), length]) + kind,
    st.integers(0, 255),
    st.sampled_from([b"", b"T", b"U", b"Sp", b"https://x"]),
    st.integers(0, 20),
)


@given(st.binary(max_size=300) | st.lists(st.builds(bytes.__add__, HEADERS, st.binary(max_size=20)), max_size=6).map(b"".join))
def test_arbitrary_bytes_meet_no_exception_but_ours(data: bytes) -> None:
    try:
        found = first_text_or_uri(data)
    except FrameRejected:
        return
    if found is not None:
        kind, payload = found
        assert kind in (TEXT, URI)
        assert payload.decode("utf-8")
