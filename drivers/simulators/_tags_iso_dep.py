"""Cards and phones that speak ISO-DEP: type 4 tags, a phone with or without a wallet, a bank card."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from drivers.simulators._tags_air import Identity, TypeA, TypeB
from edge_agent.clock import Random

OK, NOT_FOUND, NOT_SUPPORTED, BLOCKED, WRONG_OFFSET = (bytes.fromhex(status) for status in ("9000", "6a82", "6d00", "6a81", "6b00"))

NDEF_APPLICATION = bytes.fromhex("d2760000850101")
PPSE = b"2PAY.SYS.DDF01"
CAPABILITY_FILE, NDEF_FILE = b"\xe1\x03", b"\xe1\x04"

CARD_ATS = bytes.fromhex("0b788070024a434f503331")  # all interface bytes, historical bytes of a chip card
PHONE_ATS = bytes.fromhex("0578807002")  # no historical bytes
TERSE_ATS = bytes.fromhex("0208")  # allowed, and left to the defaults: no TA, TB, TC

FRAME_BYTES = (16, 24, 32, 40, 48, 64, 96, 128, 256)  # by FSDI and FSCI (ISO/IEC 14443-4, 5.1)
APDUS_MAX = 64
"""How many of the commands that it got a card remembers."""


class Application(Protocol):
    """An application on a card."""

    def select(self) -> bytes:
        """It was selected by name: data and status."""

    def command(self, apdu: bytes) -> bytes:
        """Any other command while it is selected: data and status."""


class IsoDepCard:
    """ISO/IEC 14443-4 as a card speaks it, over a set of applications; ``apdus`` are the last commands it got."""

    def __init__(self, identity: Identity, ats: bytes, applications: Mapping[bytes, Application]) -> None:
        self._identity = identity
        self._ats = ats
        self._applications = dict(applications)
        self.apdus: deque[bytes] = deque(maxlen=APDUS_MAX)
        self._forget()

    @property
    def in_field(self) -> bool:
        return True

    def identity(self) -> Identity:
        return self._identity

    def field_off(self) -> None:
        self._forget()

    def select(self) -> None:
        self._forget()

    def answer(self, command: bytes) -> bytes | None:
        first = command[0]
        if not self._active:
            return self._activate(command)
        if first & 0xE2 == 0x02:  # an I-block
            return self._information(first, command[1:])
        if first & 0xE6 == 0xA2:  # an R-block
            return self._acknowledged(first)
        if first & 0xF7 == 0xC2:  # S(DESELECT)
            self._forget()
            return command
        return None

    def _forget(self) -> None:
        self._active = False
        self._block = 1
        self._frame_bytes = 256
        self._application: Application | None = None
        self._incoming = self._outgoing = b""
        self._last: bytes | None = None

    def _activate(self, command: bytes) -> bytes | None:
        match self._identity, command[0]:
            case TypeA(), 0xE0 if len(command) == 2:
                self._frame_bytes = FRAME_BYTES[min(command[1] >> 4, 8)]
                answer = self._ats
            case TypeB(sensb_res=sensb_res), 0x1D if command[1:5] == sensb_res[1:5]:
                self._frame_bytes = FRAME_BYTES[min(command[6] & 0x0F, 8)]
                answer = b"\x00"
            case TypeB(sensb_res=sensb_res), 0x05:
                return sensb_res
            case TypeB(), 0xCA:
                return command
            case _:
                return None
        self._active = True
        return answer

    def _information(self, first: int, data: bytes) -> bytes:
        self._block ^= 1
        self._incoming += data
        if first & 0x10:  # more follows
            self._last = bytes([0xA2 | self._block])
            return self._last
        apdu, self._incoming = self._incoming, b""
        self.apdus.append(apdu)
        self._outgoing = self._process(apdu)
        return self._send()

    def _acknowledged(self, first: int) -> bytes | None:
        if first & 0x01 == self._block:
            return self._last
        if first & 0x10:  # R(NAK) of the other number: still there
            return bytes([0xA2 | self._block])
        if self._outgoing:
            self._block ^= 1
            return self._send()
        return None

    def _send(self) -> bytes:
        room = self._frame_bytes - 3  # one byte of PCB, two of checksum
        piece, self._outgoing = self._outgoing[:room], self._outgoing[room:]
        self._last = bytes([0x02 | (0x10 if self._outgoing else 0) | self._block]) + piece
        return self._last

    def _process(self, apdu: bytes) -> bytes:
        if apdu[1:4] == b"\xa4\x04\x00" and len(apdu) > 5:
            self._application = self._applications.get(apdu[5 : 5 + apdu[4]])
            return self._application.select() if self._application else NOT_FOUND
        return self._application.command(apdu) if self._application else NOT_SUPPORTED


class NdefApplication:
    """The NDEF tag application, mapping version 2 (NFC Forum Type 4 Tag, 5): a capability file and one file with the message.

    ``read_bytes_max`` is MLe; ``claimed_bytes`` is a length that the file claims instead of the true one.
    """

    def __init__(self, message: bytes, *, read_bytes_max: int = 0xFF, claimed_bytes: int | None = None) -> None:
        length = len(message) if claimed_bytes is None else claimed_bytes
        control = b"\x04\x06" + NDEF_FILE + (0xFFFE).to_bytes(2, "big") + b"\x00\xff"
        capability = b"\x00\x0f\x20" + read_bytes_max.to_bytes(2, "big") + (0x34).to_bytes(2, "big") + control
        self._endless = claimed_bytes is not None
        self._files = {CAPABILITY_FILE: capability, NDEF_FILE: length.to_bytes(2, "big") + message}
        self._file: bytes | None = None

    def select(self) -> bytes:
        self._file = None
        return OK

    def command(self, apdu: bytes) -> bytes:
        if apdu[1:3] == b"\xa4\x00" and len(apdu) >= 7:
            self._file = self._files.get(apdu[5:7])
            return OK if self._file is not None else NOT_FOUND
        if apdu[1] == 0xB0 and self._file is not None and len(apdu) == 5:
            offset, count = int.from_bytes(apdu[2:4], "big"), apdu[4] or 256
            data = self._file[offset : offset + count]
            if self._endless and self._file is self._files[NDEF_FILE]:
                data += bytes(count - len(data))
            return data + OK if data else WRONG_OFFSET
        return NOT_SUPPORTED


class PpseApplication:
    """The proximity payment system environment of a bank card: selecting it lists one application; it does nothing else."""

    FCI = bytes.fromhex("6f23840e325041592e5359532e4444463031a511bf0c0e610c4f07a0000000041010870101")

    def __init__(self, *, blocked: bool = False) -> None:
        self._blocked = blocked

    def select(self) -> bytes:
        return BLOCKED if self._blocked else self.FCI + OK

    def command(self, apdu: bytes) -> bytes:
        del apdu
        return NOT_SUPPORTED


class Type4Tag(IsoDepCard):
    """A type 4A tag with ``message`` (NDEF bytes), or a chip card without the NDEF application when that is None."""

    def __init__(self, uid: bytes, message: bytes | None, *, ats: bytes = CARD_ATS, ndef: NdefApplication | None = None) -> None:
        application = ndef or (NdefApplication(message) if message is not None else None)
        sens_res = b"\x44\x03" if len(uid) == 7 else b"\x04\x00"
        super().__init__(TypeA(sens_res, uid, sel_res=0x20), ats, {NDEF_APPLICATION: application} if application else {})


class Type4BTag(IsoDepCard):
    """A type 4B tag: the same over NFC-B, with a four-byte identifier that need not be the same twice."""

    def __init__(self, identifier: bytes, message: bytes | None) -> None:
        assert len(identifier) == 4, identifier.hex()
        sensb_res = b"\x50" + identifier + bytes(4) + bytes.fromhex("008185")  # FSCI 8, ISO-DEP, FWI 8
        super().__init__(TypeB(sensb_res), b"", {NDEF_APPLICATION: NdefApplication(message)} if message is not None else {})


class Phone(IsoDepCard):
    """A phone: a new random UID (first byte ``08``) each time the field comes on.

    ``message`` is a pass that it presents as an NDEF tag; ``wallet`` makes it answer to payment terminals;
    ``card_emulation=False`` is a phone that only offers NFC-DEP (sharing between phones).
    """

    def __init__(self, random: Random, message: bytes | None = None, *, wallet: bool = False, card_emulation: bool = True) -> None:
        applications: dict[bytes, Application] = {PPSE: PpseApplication()} if wallet else {}
        if message is not None:
            applications[NDEF_APPLICATION] = NdefApplication(message)
        self._random = random
        self._sel_res = 0x60 if card_emulation else 0x40
        super().__init__(self._fresh(), PHONE_ATS, applications)

    def field_off(self) -> None:
        super().field_off()
        self._identity = self._fresh()

    def _fresh(self) -> TypeA:
        return TypeA(b"\x04\x00", b"\x08" + self._random.token_bytes(3), self._sel_res)


class BankCard(IsoDepCard):
    """A bank card: it answers to the payment environment's name, or says that it is ``blocked``.

    ``uid`` has seven bytes, or four, which may begin with ``08`` (random).
    """

    def __init__(self, uid: bytes, *, blocked: bool = False) -> None:
        super().__init__(TypeA(b"\x04\x00" if len(uid) == 4 else b"\x44\x00", uid, sel_res=0x20), CARD_ATS, {PPSE: PpseApplication(blocked=blocked)})
