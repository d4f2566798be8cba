"""The simulated tags, cards and phones, the NDEF bytes to put on them, and their names for people who type.

Pure state machines that answer commands by bytes; the simulated readers (``pn532``, ``nfc_udp``) share them.
"""

from __future__ import annotations

import re

from drivers.simulators._tags_air import Identity, Tag, TypeA, TypeB, TypeF, check_byte, technologies
from drivers.simulators._tags_faults import Garbled, PulledAway, Silent
from drivers.simulators._tags_iso_dep import TERSE_ATS, BankCard, IsoDepCard, NdefApplication, Phone, Type4BTag, Type4Tag
from drivers.simulators._tags_type2 import NTAG213, NTAG215, NTAG216, MifareClassic, NtagModel, Type2Tag
from drivers.simulators._tags_type3 import FELICA_LITE_S_PMM, Type3Tag
from edge_agent.clock import Random

__all__ = [
    "FELICA_LITE_S_PMM",
    "NTAG213",
    "NTAG215",
    "NTAG216",
    "TERSE_ATS",
    "BankCard",
    "Garbled",
    "Identity",
    "IsoDepCard",
    "MifareClassic",
    "NdefApplication",
    "NtagModel",
    "Phone",
    "PulledAway",
    "Silent",
    "Tag",
    "Type2Tag",
    "Type3Tag",
    "Type4BTag",
    "Type4Tag",
    "TypeA",
    "TypeB",
    "TypeF",
    "check_byte",
    "ndef_record",
    "tag_by_name",
    "technologies",
    "text_message",
    "uri_message",
]

WORDS = "text T, text3 T, text4 T, uri U, uri3 U, uri4 U, pass U (on a phone), phone, wallet, bank, blank, uid HEX, transit, classic, pulled, silent"
"""What ``tag_by_name`` understands; T is a text, U a URI, HEX the seven bytes of a fixed UID."""

_UID7 = bytes.fromhex("04a1b2c3d4e580")
_UID4 = bytes.fromhex("5d3c2b1a")
_IDM = bytes.fromhex("02fd0102a1b2c3d4")


def ndef_record(record_type: bytes, payload: bytes, tnf: int = 1) -> bytes:
    """An NDEF message of one record."""
    short = len(payload) < 256
    length = bytes([len(payload)]) if short else len(payload).to_bytes(4, "big")
    return bytes([0xC0 | (0x10 if short else 0) | tnf, len(record_type)]) + length + record_type + payload


def text_message(text: str, language: str = "en") -> bytes:
    """An NDEF message of one text record in UTF-8."""
    code = language.encode("ascii")
    return ndef_record(b"T", bytes([len(code)]) + code + text.encode("utf-8"))


def uri_message(uri: str) -> bytes:
    """An NDEF message of one URI record; ``https://`` is shortened as writers do."""
    if uri.startswith("https://"):
        return ndef_record(b"U", b"\x04" + uri.removeprefix("https://").encode("utf-8"))
    return ndef_record(b"U", b"\x00" + uri.encode("utf-8"))


def tag_by_name(words: str, random: Random) -> Tag | None:
    """The tag that a typed line asks for (``text LOY-0042``, ``phone``; see ``WORDS``); None for a line that names none.

    >>> type(tag_by_name("text4 LOY-0042", None)).__name__
    'Type4Tag'
    """
    name, _, value = words.partition(" ")
    match name, value:
        case "text" | "text3" | "text4", value if value:
            return _carrying(name[4:], text_message(value))
        case "uri" | "uri3" | "uri4", value if value:
            return _carrying(name[3:], uri_message(value))
        case "pass", value if value:
            return Phone(random, uri_message(value), wallet=True)
        case "phone" | "wallet", "":
            return Phone(random, wallet=name == "wallet")
        case "bank", "":
            return BankCard(_UID4)
        case "blank", "":
            return Type2Tag(_UID7, None)
        case "uid", value if re.fullmatch(r"[0-9A-Fa-f]{14}", value):
            return Type2Tag(bytes.fromhex(value), None)
        case "transit", "":
            return Type3Tag(_IDM, None)
        case "classic", "":
            return MifareClassic(_UID4)
        case "pulled", "":
            return PulledAway(Type2Tag(_UID7, text_message("LOY-0042")), answers=4)
        case "silent", "":
            return Silent(Type2Tag(_UID7, None))
    return None


def _carrying(tag_type: str, message: bytes) -> Tag:
    if tag_type == "3":
        return Type3Tag(_IDM, message)
    if tag_type == "4":
        return Type4Tag(_UID7, message)
    return Type2Tag(_UID7, message, NTAG216)
