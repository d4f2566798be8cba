"""Type 2 tags as NXP makes them (NTAG213, 215, 216), and a MIFARE Classic card, which is none although it looks like one."""

from __future__ import annotations

from msgspec import Struct

from drivers.simulators._tags_air import TypeA, check_byte

ACK, NAK = b"\x0a", b"\x00"
PAGE_BYTES = 4


class NtagModel(Struct, frozen=True):
    """NXP NTAG213/215/216 data sheet, tables 4 to 6 and 28: pages in all, user bytes, capability size, size byte of GET_VERSION."""

    pages: int
    user_bytes: int
    capability: int
    size: int

    @property
    def version(self) -> bytes:
        """The answer to GET_VERSION."""
        return bytes([0x00, 0x04, 0x04, 0x02, 0x01, 0x00, self.size, 0x03])


NTAG213 = NtagModel(pages=45, user_bytes=144, capability=0x12, size=0x0F)
NTAG215 = NtagModel(pages=135, user_bytes=504, capability=0x3E, size=0x11)
NTAG216 = NtagModel(pages=231, user_bytes=888, capability=0x6D, size=0x13)

LOCK_CONTROL = bytes.fromhex("0103A00C34")  # the TLV that an NTAG213 leaves the factory with


class Type2Tag:
    """An NTAG with ``message`` (NDEF bytes) on it, or blank (never formatted) when that is None.

    ``data_area`` replaces everything from page 4 on, for tags whose structure is wrong. A command that it does not know is
    answered with a NAK and then silence until it is selected again, as the real one does.
    """

    def __init__(self, uid: bytes, message: bytes | None, model: NtagModel = NTAG213, data_area: bytes | None = None) -> None:
        assert len(uid) == 7, uid.hex()
        self._uid = uid
        self._model = model
        self._memory = bytearray(model.pages * PAGE_BYTES)
        first = uid[:3] + check_byte(b"\x88" + uid[:3])
        self._memory[0:12] = first + uid[3:] + check_byte(uid[3:]) + bytes([0x48, 0x00, 0x00])
        if message is not None:
            self._memory[12:16] = bytes([0xE1, 0x10, model.capability, 0x00])
            area = _formatted(message, model) if data_area is None else data_area
            assert len(area) <= model.user_bytes, f"{len(area)} bytes do not fit into {model.user_bytes}"
            self._memory[16 : 16 + len(area)] = area
        self._awake = True

    @property
    def in_field(self) -> bool:
        return True

    def identity(self) -> TypeA:
        return TypeA(sens_res=b"\x44\x00", uid=self._uid, sel_res=0x00)

    def field_off(self) -> None:
        self._awake = True

    def select(self) -> None:
        self._awake = True

    def answer(self, command: bytes) -> bytes | None:
        if not self._awake:
            return None
        match command[0], len(command):
            case 0x30, 2 if command[1] < self._model.pages:
                return self._read(command[1])
            case 0xA2, 6 if 4 <= command[1] < self._model.pages:
                self._memory[command[1] * PAGE_BYTES : (command[1] + 1) * PAGE_BYTES] = command[2:]
                return ACK
            case 0x60, 1:
                return self._model.version
        self._awake = False
        return NAK

    def _read(self, page: int) -> bytes:
        """Four pages; behind the last one the first follows."""
        pages = [(page + step) % self._model.pages for step in range(4)]
        return b"".join(self._memory[at * PAGE_BYTES : (at + 1) * PAGE_BYTES] for at in pages)


class MifareClassic:
    """A MIFARE Classic card without its keys: announces itself, refuses to be read, and then needs to be selected again."""

    def __init__(self, uid: bytes) -> None:
        assert len(uid) == 4, uid.hex()
        self._uid = uid
        self._awake = True

    @property
    def in_field(self) -> bool:
        return True

    def identity(self) -> TypeA:
        return TypeA(sens_res=b"\x04\x00", uid=self._uid, sel_res=0x08)

    def field_off(self) -> None:
        self._awake = True

    def select(self) -> None:
        self._awake = True

    def answer(self, command: bytes) -> bytes | None:
        del command
        awake, self._awake = self._awake, False
        return b"\x04" if awake else None


def _formatted(message: bytes, model: NtagModel) -> bytes:
    """The data area: lock control where the chip has it, the NDEF message TLV, the terminator (NFC Forum Type 2 Tag, 4.3)."""
    length = bytes([len(message)]) if len(message) < 0xFF else b"\xff" + len(message).to_bytes(2, "big")
    area = (LOCK_CONTROL if model is NTAG213 else b"") + b"\x03" + length + message
    return area + b"\xfe" if len(area) < model.user_bytes else area
