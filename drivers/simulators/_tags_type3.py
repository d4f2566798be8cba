"""A type 3 tag: FeliCa with the NDEF system (NFC Forum Type 3 Tag)."""

from __future__ import annotations

from drivers.simulators._tags_air import TypeF

NDEF_SYSTEM = 0x12FC
OTHER_SYSTEM = 0x0003  # what a transit card answers with
BLOCK_BYTES = 16
READ_SERVICES = (b"\x0b\x00", b"\x09\x00")
PMM = bytes.fromhex("00ff4b024f4993ff")
"""Manufacture parameters: an IC code (second byte) of no product in particular, and the response times of a FeliCa card."""

FELICA_LITE_S_PMM = bytes.fromhex("00f1000000014300")
"""Those of a FeliCa Lite-S, the chip most NDEF tags of this type carry; it gives up to 4 blocks at once and holds 13."""


class Type3Tag:
    """A tag with ``message`` (NDEF bytes), or without the NDEF system (a transit card) when that is None.

    ``blocks_at_once`` is how many blocks one command may ask for (Nbr of the attribute block).
    """

    def __init__(self, idm: bytes, message: bytes | None, *, pmm: bytes = PMM, blocks_at_once: int = 4, broken_checksum: bool = False) -> None:
        assert len(idm) == 8, idm.hex()
        self._idm = idm
        self._pmm = pmm
        self._system = OTHER_SYSTEM if message is None else NDEF_SYSTEM
        self._blocks_at_once = blocks_at_once
        message = message or b""
        data = message + bytes(-len(message) % BLOCK_BYTES)
        attributes = bytes([0x10, blocks_at_once, 1]) + max(13, len(data) // BLOCK_BYTES).to_bytes(2, "big")
        attributes += bytes(4) + b"\x00\x01" + len(message).to_bytes(3, "big")
        checksum = (sum(attributes) + broken_checksum) & 0xFFFF
        self._memory = attributes + checksum.to_bytes(2, "big") + data

    @property
    def in_field(self) -> bool:
        return True

    def identity(self) -> TypeF:
        return TypeF(self._idm, self._pmm, self._system)

    def field_off(self) -> None:
        """Nothing is volatile."""

    def select(self) -> None:
        """Polling alone selects it."""

    def answer(self, command: bytes) -> bytes | None:
        if len(command) < 2 or command[0] != len(command):
            return None
        if command[1] == 0x00 and len(command) == 6:
            return self._poll(command)
        if command[1] == 0x06 and command[2:10] == self._idm:
            return self._read(command[10:])
        return None

    def _poll(self, command: bytes) -> bytes | None:
        system = self._system.to_bytes(2, "big")
        if any(asked not in (0xFF, own) for asked, own in zip(command[2:4], system, strict=True)):
            return None
        return _framed(b"\x01" + self._idm + self._pmm + (system if command[4] == 1 else b""))

    def _read(self, asked: bytes) -> bytes:
        """READ WITHOUT ENCRYPTION: services, then blocks as two or three bytes each; status A6 for a service or A8 for a block it lacks."""
        services, at = asked[0], 1 + 2 * asked[0]
        count, at = asked[at], at + 1
        if services != 1 or asked[1:3] not in READ_SERVICES:
            return _framed(b"\x07" + self._idm + b"\xff\xa6")
        data = b""
        for _ in range(count):
            wide = not asked[at] & 0x80
            number = int.from_bytes(asked[at + 1 : at + 3], "little") if wide else asked[at + 1]
            at += 3 if wide else 2
            data += self._memory[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
        if count > self._blocks_at_once or len(data) != count * BLOCK_BYTES:
            return _framed(b"\x07" + self._idm + b"\xff\xa8")
        return _framed(b"\x07" + self._idm + b"\x00\x00" + bytes([count]) + data)


def _framed(data: bytes) -> bytes:
    return bytes([len(data) + 1]) + data
