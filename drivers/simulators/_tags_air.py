"""What every simulated tag is: how it announces itself on the air, and how it answers commands, byte for byte."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class TypeA(Struct, frozen=True):
    """What an NFC-A tag sends during anticollision. ``sens_res`` as on the air: least significant byte first."""

    sens_res: bytes
    uid: bytes
    sel_res: int

    def cascade(self) -> tuple[bytes, ...]:
        """The UID as it is asked for, level by level: four bytes each, an ``88`` in front where more follow (NFC Forum Digital 4.7.2)."""
        if len(self.uid) == 4:
            return (self.uid,)
        if len(self.uid) == 7:
            return (b"\x88" + self.uid[:3], self.uid[3:])
        return (b"\x88" + self.uid[:3], b"\x88" + self.uid[3:6], self.uid[6:])


class TypeB(Struct, frozen=True):
    """What an NFC-B tag answers to SENSB_REQ: 12 bytes."""

    sensb_res: bytes


class TypeF(Struct, frozen=True):
    """What an NFC-F tag answers to polling: IDm, PMm (8 bytes each) and its system code."""

    idm: bytes
    pmm: bytes
    system: int


Identity = TypeA | TypeB | TypeF


class Tag(Protocol):
    """A tag, card or phone in the field. A state machine without clock or thread; commands and answers carry no CRC."""

    @property
    def in_field(self) -> bool:
        """False once it has been pulled away."""

    def identity(self) -> Identity:
        """What it announces itself with, at present."""

    def field_off(self) -> None:
        """The field went: everything volatile is forgotten."""

    def select(self) -> None:
        """It was found by anticollision and is now spoken to."""

    def answer(self, command: bytes) -> bytes | None:
        """The answer to a command; None where a tag keeps silent."""


def technologies(tag: Tag) -> tuple[str, ...]:
    """The bit rates and modulations a tag answers at, by nfcpy's names."""
    match tag.identity():
        case TypeA():
            return ("106A",)
        case TypeB():
            return ("106B",)
        case TypeF():
            return ("212F", "424F")


def check_byte(data: bytes) -> bytes:
    """The exclusive or of ``data``: the BCC of anticollision."""
    result = 0
    for byte in data:
        result ^= byte
    return bytes([result])
