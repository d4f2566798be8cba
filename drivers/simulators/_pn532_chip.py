"""The PN532's commands and registers, as far as a reader of tags uses them; bytes in, bytes out (NXP UM0701-02, section 7)."""

from __future__ import annotations

from drivers.simulators._field import Field
from drivers.simulators._tags_air import TypeA, TypeB, TypeF
from drivers.simulators._tags_faults import Damaged

FIRMWARE = bytes.fromhex("32010607")  # a PN532, firmware 1.6, all card types
OK, TIMED_OUT, CHECKSUM_WRONG, WRONG_CONTEXT = b"\x00", b"\x01", b"\x02", b"\x27"
NO_TARGET = b"\x00"

RX_MODE, TX_CONTROL, FIFO_DATA = 0x6303, 0x6304, 0x6339
RX_CRC = 0x80  # the chip checks and strips the checksum of what a tag sends
FIELD_ON = 0x03
SENS_REQ = 0x26

BAUD_TYPES = {0: "106A", 1: "212F", 2: "424F", 3: "106B"}
"""BrTy of InListPassiveTarget (7.3.5)."""


class Chip:
    """One powered chip in front of ``field``. ``command`` returns what follows the response code; None is a syntax error."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._registers: dict[int, int] = {}
        self._technology = ""

    def command(self, code: int, data: bytes) -> bytes | None:
        """Execute one command."""
        match code:
            case 0x00:  # Diagnose; the line test sends everything back
                return data if data[:1] == b"\x00" else OK
            case 0x02:  # GetFirmwareVersion
                return FIRMWARE
            case 0x06 if len(data) % 2 == 0:  # ReadRegister
                return bytes(self._registers.get(int.from_bytes(data[at : at + 2], "big"), 0) for at in range(0, len(data), 2))
            case 0x08 if len(data) % 3 == 0:  # WriteRegister
                for at in range(0, len(data), 3):
                    self._registers[int.from_bytes(data[at : at + 2], "big")] = data[at + 2]
                return b""
            case 0x12 | 0x14:  # SetParameters, SAMConfiguration
                return b""
            case 0x16:  # PowerDown
                self._switch_field(on=False)
                return OK
            case 0x32 if len(data) > 1:  # RFConfiguration; item 1 is the field
                if data[0] == 0x01:
                    self._switch_field(on=bool(data[1] & 0x01))
                return b""
            case 0x40 if data:  # InDataExchange: as through, behind the target's number
                return self._through(data[1:]) if self._technology else WRONG_CONTEXT
            case 0x42:  # InCommunicateThru
                return self._through(data) if self._registers.get(TX_CONTROL, 0) & FIELD_ON else TIMED_OUT
            case 0x44 | 0x52 | 0x54:  # InDeselect, InRelease, InSelect
                return OK
            case 0x4A if len(data) >= 2:  # InListPassiveTarget
                return self._list(data[1], data[2:])
        return None

    def _switch_field(self, *, on: bool) -> None:
        self._registers[TX_CONTROL] = FIELD_ON if on else 0
        if not on:
            self._technology = ""
            self._field.off()

    def _list(self, baud_type: int, initiator_data: bytes) -> bytes | None:
        if baud_type not in (*BAUD_TYPES, 4):
            return None
        self._switch_field(on=True)
        self._registers[RX_MODE] = RX_CRC
        self._technology = BAUD_TYPES.get(baud_type, "")
        match self._field.find(self._technology or "Jewel", _uncascaded(initiator_data) if baud_type == 0 else b""):
            case TypeA(sens_res=sens_res, uid=uid, sel_res=sel_res):
                self._registers[FIFO_DATA] = 0
                return b"\x01\x01" + sens_res[::-1] + bytes([sel_res, len(uid)]) + uid
            case TypeB(sensb_res=sensb_res):
                self._field.exchange(b"\x1d" + sensb_res[1:5] + b"\x00\x05\x01\x01", "106B")  # the chip attaches it by itself
                return b"\x01\x01" + sensb_res + b"\x01\x01"
            case TypeF():
                polled = self._field.exchange(bytes([len(initiator_data) + 1]) + initiator_data, self._technology)
                return b"\x01\x01" + polled if polled else NO_TARGET
        self._registers[FIFO_DATA] = SENS_REQ  # still there: nobody answered it
        return NO_TARGET

    def _through(self, command: bytes) -> bytes:
        answer = self._field.exchange(command, self._technology)
        if answer is None:
            return TIMED_OUT
        sound = not isinstance(answer, Damaged)
        if self._technology == "106A" and not self._registers.get(RX_MODE, 0) & RX_CRC and len(answer) > 1:
            return OK + answer + (crc_a(answer) if sound else bytes(2))
        return OK + answer if sound else CHECKSUM_WRONG


def crc_a(data: bytes) -> bytes:
    """The checksum of NFC-A frames, least significant byte first (ISO/IEC 14443-3, annex B).

    >>> crc_a(bytes.fromhex("3000")).hex()
    '02a8'
    """
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte ^= (byte << 4) & 0xFF
        crc = (crc >> 8) ^ (byte << 8) ^ (byte << 3) ^ (byte >> 4)
    return crc.to_bytes(2, "little")


def _uncascaded(uid: bytes) -> bytes:
    """A UID without the cascade tags that the host adds for longer ones (7.3.5)."""
    return b"".join(level[1:] if level[:1] == b"\x88" and len(uid) > 4 else level for level in (uid[at : at + 4] for at in range(0, len(uid), 4)))
