"""What a device read, before anybody has said what it means."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

READING_BYTES_MAX = 8_192
"""A longer frame is dropped and counted by its framer; the longest symbol in the trade (QR 40-L) holds 2,953 bytes."""


class Source(Enum):
    """How the bytes came in."""

    BARCODE = "barcode"
    NFC = "nfc"
    KEYED = "keyed"


class TagKind(Enum):
    """What was held to an NFC reader."""

    NDEF_TEXT = "ndef_text"
    NDEF_URI = "ndef_uri"
    FIXED_UID = "fixed_uid"  # identifies, never authenticates: it can be copied
    RANDOM_UID = "random_uid"  # a phone; its identifier means nothing and is not kept
    BANK_CARD = "bank_card"  # its identifier is never kept
    UNREADABLE = "unreadable"  # pulled away too soon, or not a tag we know


class Reading(Struct, frozen=True):
    """Bytes from one device at one moment.

    ``payload`` is what was read without the framing (prefix, terminator) and without the AIM symbology identifier, which
    stands in ``aim`` (``"]E0"``) or is empty when the scanner does not send one. For NFC, ``payload`` is the UTF-8 text of the
    first text or URI record, or the upper-case hexadecimal UID of a FIXED_UID tag; it is empty for the kinds that must not be
    kept. ``at_ms`` is wall time in milliseconds since 1970; ``device`` the configured name; ``generation`` the session of that
    device that read it (a late reading of a session that ended is recognised by it).

    The ``repr`` shows the length only: a reading may hold a wallet code or a magnetic stripe and must not reach a log before
    ``understand`` has said what it is.
    """

    payload: bytes
    device: str
    at_ms: int
    source: Source = Source.BARCODE
    aim: str = ""
    tag: TagKind | None = None
    generation: int = 0

    def __repr__(self) -> str:
        tag = f", {self.tag.value}" if self.tag else ""
        return f"Reading({self.source.value}, {len(self.payload)} bytes, {self.aim or 'no AIM'}{tag}, {self.device!r})"
