"""Finds out what a tag in the field is and what it carries, and asks a bank card nothing beyond whether it is one."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from drivers.nfc.guard import Guard, OverLimit
from drivers.nfc.library import Nfcpy
from drivers.nfc.ndef import first_text_or_uri
from drivers.nfc.taps import UNREADABLE, TagContent
from edge_agent.domain.errors import FrameRejected
from edge_agent.domain.reading import READING_BYTES_MAX, TagKind

PPSE = b"2PAY.SYS.DDF01"
"""The name every contactless bank card answers to: the proximity payment system environment (EMV Contactless, Book B, 3.3.2)."""

SELECTED = (0x90, 0x61, 0x62, 0x63)  # first status byte: done, more to fetch, or done with a warning (ISO/IEC 7816-4, 5.1.3)
CARD_BLOCKED = b"\x6a\x81"  # what a blocked bank card answers to any selection (EMV Book 1, 11.3.4)

NDEF_APPLICATIONS = (bytes.fromhex("D2760000850101"), bytes.fromhex("D2760000850100"))
"""The NDEF tag application of mapping version 2 and 1 (NFC Forum Type 4 Tag, 5.4.2)."""

NDEF_SYSTEM = 0x12FC  # NFC Forum Type 3 Tag, 6.3
CAPABILITY_MAGIC = 0xE1  # NFC Forum Type 2 Tag, 6.1

# SEL_RES bits (NFC Forum Digital 4.8.2; for MIFARE, NXP AN10833).
ISO_DEP, NFC_DEP, MIFARE_CLASSIC = 0x20, 0x40, 0x08

RANDOM_UID_BYTE = 0x08  # the first byte of a four-byte UID made up for this contact (ISO/IEC 14443-3, 6.5.4)
NFCID2_OF_PHONES = (b"\x01\xfe", b"\x02\xfe")  # NFC-DEP, and an emulated card (NFC Forum Digital 6.6.2; Android host card emulation)


class NotRead(Exception):
    """The tag did not answer as a tag does, or was taken away: worth another try. Never leaves ``drivers.nfc``."""


class SeenTag(Struct, frozen=True):
    """What was read, and the activated tag to ask whether it is still there (None where nobody can be asked)."""

    content: TagContent
    tag: Any


def sight_of(target: Any) -> str:
    """What is known of a target before it is read: its fixed UID, or a word that all share whose UID must not be kept.

    ISO-DEP cards share one, because a bank card is one of them.
    """
    if has_random_uid(target) or is_iso_dep(target):
        return "iso-dep or random"
    return f"{target.brty} {uid_of(target).hex()}"


def uid_of(target: Any) -> bytes:
    """The UID of a target of any technology."""
    if target.brty.endswith("F"):
        return bytes(target.sensf_res[1:9])
    if target.brty.endswith("B"):
        return bytes(target.sensb_res[1:5])
    return bytes(target.rid_res[2:6] if target.rid_res else target.sdd_res or b"")


def has_random_uid(target: Any) -> bool:
    """Whether the identifier means nothing: made up anew for each contact, or (type B) free to be."""
    uid = uid_of(target)
    if target.brty.endswith("F"):
        return uid[:2] in NFCID2_OF_PHONES
    return bool(target.brty.endswith("B") or (len(uid) == 4 and uid[0] == RANDOM_UID_BYTE))


def is_iso_dep(target: Any) -> bool:
    """Whether the target takes APDUs."""
    return bool(target.brty.endswith("B") or (target.sel_res and target.sel_res[0] & ISO_DEP))


def read_tag(nfcpy: Nfcpy, guard: Guard, target: Any) -> SeenTag:
    """Read the target that was just sensed. Raises NotRead, Stopped, and what the reader itself raises when it fails (``nfcpy.wire``).

    A message that breaks the NDEF format or is over a limit is UNREADABLE at once: another try would not change it.
    """
    if _speaks_no_tag_type(target):
        return SeenTag(_by_uid(target), None)
    tag = None
    try:
        tag = nfcpy.tag.activate(guard, target)
        if tag is not None:
            return SeenTag(_content(nfcpy, guard, target, tag), tag)
    except (OverLimit, FrameRejected):
        return SeenTag(UNREADABLE, tag)
    except (*nfcpy.air, *nfcpy.confused) as error:
        raise NotRead from error
    raise NotRead


def still_there(nfcpy: Nfcpy, guard: Guard, seen: SeenTag) -> bool:
    """Whether the tag still answers. False also where it cannot be asked: then only looking for it again tells."""
    guard.renew()
    try:
        return seen.tag is not None and bool(seen.tag.is_present)
    except OverLimit:
        return False
    except (*nfcpy.air, *nfcpy.confused):
        return False


def _content(nfcpy: Nfcpy, guard: Guard, target: Any, tag: Any) -> TagContent:
    if is_iso_dep(target):
        return _iso_dep(guard, target, tag)
    if target.brty.endswith("F"):
        return _type_3(nfcpy, guard, target, tag)
    if target.rid_res:
        return _from_ndef(guard, target, tag)
    return _type_2(guard, target, tag)


def _speaks_no_tag_type(target: Any) -> bool:
    """MIFARE Classic without the keys, and phones that only offer to talk as equals."""
    if target.brty.endswith("F"):
        return uid_of(target)[:2] == NFCID2_OF_PHONES[0]
    if not target.sel_res or is_iso_dep(target):
        return False
    return bool(target.sel_res[0] & (NFC_DEP | MIFARE_CLASSIC))


def _iso_dep(guard: Guard, target: Any, tag: Any) -> TagContent:
    status = _status(tag, PPSE)
    pays = status[0] in SELECTED or status == CARD_BLOCKED
    if pays and not _may_be_a_phone(target):
        return TagContent(TagKind.BANK_CARD)
    if any(_status(tag, name) == b"\x90\x00" for name in NDEF_APPLICATIONS):
        if tag.ndef is None:
            raise NotRead
        found = _from_ndef(guard, target, tag)
        if found.kind in (TagKind.NDEF_TEXT, TagKind.NDEF_URI) or not pays:
            return found
    if pays:
        return TagContent(TagKind.RANDOM_UID if _looks_like_a_phone(guard, target) else TagKind.BANK_CARD)
    return _by_uid(target)


def _may_be_a_phone(target: Any) -> bool:
    """A bank card may have a random UID, too; with a fixed one it is no phone and is asked nothing more."""
    return target.brty.endswith("A") and has_random_uid(target)


def _looks_like_a_phone(guard: Guard, target: Any) -> bool:
    """A phone with a wallet against a bank card with a random UID: it also speaks NFC-DEP, or names no chip in its answer to select.

    Either is refused and neither leaves a trace; this only decides which sentence the associate reads.
    """
    return bool(target.sel_res[0] & NFC_DEP) or not guard.historical_bytes


def _status(tag: Any, application: bytes) -> bytes:
    """The status word for selecting an application by name; what comes with it is dropped unread. Raises NotRead's causes."""
    return bytes(tag.send_apdu(0x00, 0xA4, 0x04, 0x00, application, mrl=256, check_status=False)[-2:])


def _type_2(guard: Guard, target: Any, tag: Any) -> TagContent:
    """A tag is known by its UID only after its capability bytes were read and say that nothing is stored on it."""
    formatted = tag.read(0)[12] == CAPABILITY_MAGIC
    return _from_ndef(guard, target, tag) if formatted else _by_uid(target)


def _type_3(nfcpy: Nfcpy, guard: Guard, target: Any, tag: Any) -> TagContent:
    if tag.sys != NDEF_SYSTEM:
        try:
            tag.polling(NDEF_SYSTEM)
        except nfcpy.tag.TagCommandError as error:
            if error.errno != nfcpy.tag.TIMEOUT_ERROR or not tag.is_present:
                raise
            return _by_uid(target)
    return _from_ndef(guard, target, tag)


def _from_ndef(guard: Guard, target: Any, tag: Any) -> TagContent:
    ndef = tag.ndef
    if ndef is None:
        if guard.unanswered:
            raise NotRead
        return _by_uid(target)
    found = first_text_or_uri(ndef.octets)
    if found is None:
        return _by_uid(target)
    kind, payload = found
    return TagContent(kind, payload) if len(payload) <= READING_BYTES_MAX else UNREADABLE


def _by_uid(target: Any) -> TagContent:
    uid = uid_of(target)
    if has_random_uid(target):
        return TagContent(TagKind.RANDOM_UID)
    return TagContent(TagKind.FIXED_UID, uid.hex().upper().encode("ascii")) if uid else UNREADABLE
