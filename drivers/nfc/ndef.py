"""Finds the first text or URI in the bytes of an NDEF message: pure, bounded, and its only exception is FrameRejected.

Source: NFC Forum *NFC Data Exchange Format* 1.0 (records, chunks) and the record type definitions *Text* 1.0, *URI* 1.0 and
*Smart Poster* 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from edge_agent.domain.errors import FrameRejected
from edge_agent.domain.reading import TagKind

NDEF_BYTES_MAX = 8_192
"""A longer message is refused; the largest common tag that a shop hands out (NTAG216) holds 888 bytes."""

# Record header (NDEF 3.2): flags in the upper five bits, the type name format (TNF) in the lower three.
MESSAGE_END, CHUNKED, SHORT, HAS_ID = 0x40, 0x20, 0x10, 0x08
EMPTY, WELL_KNOWN, ABSOLUTE_URI, UNCHANGED, RESERVED = 0, 1, 3, 6, 7

# What the first payload byte of a URI record stands for (URI 1.0, table 3); higher values are reserved and mean no prefix.
URI_PREFIXES = (
    "", "http://www.", "https://www.", "http://", "https://", "tel:", "mailto:", "ftp://anonymous:anonymous@", "ftp://ftp.", "ftps://", "sftp://",
    "smb://", "nfs://", "ftp://", "dav://", "news:", "telnet://", "imap:", "rtsp://", "urn:", "pop:", "sip:", "sips:", "tftp:", "btspp://",
    "btl2cap://", "btgoep://", "tcpobex://", "irdaobex://", "file://", "urn:epc:id:", "urn:epc:tag:", "urn:epc:pat:", "urn:epc:raw:", "urn:epc:",
    "urn:nfc:",
)  # fmt: skip


class Record(Struct, frozen=True):
    """One NDEF record, its chunks joined."""

    tnf: int
    type: bytes
    payload: bytes


def first_text_or_uri(message: bytes) -> tuple[TagKind, bytes] | None:
    """The kind and the UTF-8 bytes of the first text or URI record that is not empty; None when the message has none.

    A smart poster counts as its URI. Records behind the one that wins are not looked at. Raises FrameRejected for a message
    over ``NDEF_BYTES_MAX`` and for bytes that break the format before a record has won.

    >>> first_text_or_uri(bytes.fromhex("d1010b55046578616d706c652e746f"))
    (<TagKind.NDEF_URI: 'ndef_uri'>, b'https://example.to')
    >>> first_text_or_uri(bytes.fromhex("d1010554 02656e 4869"))
    (<TagKind.NDEF_TEXT: 'ndef_text'>, b'Hi')
    >>> first_text_or_uri(bytes.fromhex("d00000")) is None
    True
    """
    for record in records(message):
        found = _text_or_uri(record)
        if found is not None and found[1]:
            return found[0], found[1].encode("utf-8")
    return None


def records(message: bytes) -> Iterator[Record]:
    """The records of a message in their order, until the one marked as the last. Raises FrameRejected."""
    if len(message) > NDEF_BYTES_MAX:
        raise _rejected("message", f"at most {NDEF_BYTES_MAX} bytes", f"{len(message)}")
    at, begun = 0, None  # a chunked record that has begun: its TNF, type and payload so far
    while at < len(message):
        flags, record, at = _record(message, at)
        if begun is not None:
            if record.tnf != UNCHANGED:
                raise _rejected("chunk", "TNF 6 (unchanged)", f"TNF {record.tnf}")
            record = Record(begun.tnf, begun.type, begun.payload + record.payload)
        elif record.tnf == UNCHANGED:
            raise _rejected("first record", "a type of its own", "TNF 6 (unchanged)")
        begun = record if flags & CHUNKED else None
        if begun is None:
            yield record
        if flags & MESSAGE_END:
            break
    if begun is not None:
        raise _rejected("chunked record", "its last chunk", "the end of the message")


def _record(message: bytes, at: int) -> tuple[int, Record, int]:
    """Flags, record and the offset behind it (NDEF 3.2)."""
    flags, tnf = message[at] & 0xF8, message[at] & 0x07
    if tnf == RESERVED:
        raise _rejected("record", "TNF 0 to 6", "TNF 7")
    counted, at = 1 if flags & SHORT else 4, at + 1
    lengths = 1 + counted + (1 if flags & HAS_ID else 0)
    if at + lengths > len(message):
        raise _rejected("record header", f"{lengths} bytes of lengths", f"{len(message) - at}")
    type_bytes = message[at]
    payload_bytes = int.from_bytes(message[at + 1 : at + 1 + counted], "big")
    id_bytes = message[at + 1 + counted] if flags & HAS_ID else 0
    at += lengths
    end = at + type_bytes + id_bytes + payload_bytes
    if end > len(message):
        raise _rejected("record", f"{end - at} bytes", f"{len(message) - at}")
    return flags, Record(tnf, message[at : at + type_bytes], message[at + type_bytes + id_bytes : end]), end


def _text_or_uri(record: Record) -> tuple[TagKind, str] | None:
    match record:
        case Record(tnf=1, type=b"T", payload=payload):
            return TagKind.NDEF_TEXT, _text(payload)
        case Record(tnf=1, type=b"U", payload=payload):
            return TagKind.NDEF_URI, _uri(payload)
        case Record(tnf=1, type=b"Sp", payload=payload):
            inner = (_uri(record.payload) for record in records(payload) if (record.tnf, record.type) == (WELL_KNOWN, b"U"))
            return TagKind.NDEF_URI, next(inner, "")
        case Record(tnf=3, type=uri):
            return TagKind.NDEF_URI, _decoded(uri, "utf-8", "absolute URI")
    return None


def _text(payload: bytes) -> str:
    """Text 1.0, 3.2.1: a status byte (bit 7 UTF-16, bits 0 to 5 the length of the language code), the language, the text."""
    if not payload:
        raise _rejected("text record", "a status byte", "nothing")
    start = 1 + (payload[0] & 0x3F)
    if start > len(payload):
        raise _rejected("text record", f"a language code of {start - 1} bytes", f"{len(payload) - 1}")
    text = payload[start:]
    if not payload[0] & 0x80:
        return _decoded(text, "utf-8", "text record")
    marked = text[:2] in (b"\xfe\xff", b"\xff\xfe")
    return _decoded(text, "utf-16" if marked else "utf-16-be", "text record")  # Text 1.0, 3.4: big endian unless a mark says otherwise


def _uri(payload: bytes) -> str:
    if not payload:
        raise _rejected("URI record", "a prefix byte", "nothing")
    prefix = URI_PREFIXES[payload[0]] if payload[0] < len(URI_PREFIXES) else ""
    rest = _decoded(payload[1:], "utf-8", "URI record")
    return prefix + rest if rest else ""


def _decoded(data: bytes, encoding: str, what: str) -> str:
    try:
        text = data.decode(encoding)
        text.encode("utf-8")
    except UnicodeError:
        raise _rejected(what, encoding.upper(), "other bytes") from None
    return text


def _rejected(what: str, expected: str, got: str) -> FrameRejected:
    message = f"Invalid NDEF {what}: expected {expected}, got {got}."
    return FrameRejected(message, hint="Write the tag again, or use another one.", reason="ndef_invalid", what=what, expected=expected, got=got)
