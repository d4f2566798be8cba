"""Stands between nfcpy's tag code and the reader: nothing that a tag answers can keep the reader busy for ever or fill the memory."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from drivers.nfc.library import Nfcpy
from drivers.nfc.ndef import NDEF_BYTES_MAX

READ_BYTES_MAX = 2 * NDEF_BYTES_MAX
"""What a tag may send in one read, the framing of its answers included; a tag that sends more is not read."""

EXCHANGES_MAX = 2_000
"""How many answers that may take."""

READ_SECONDS_MAX = 4.0
"""How long it may take; the largest allowed message in pieces of 16 bytes takes about three seconds over a serial PN532."""

EXCHANGE_SECONDS_MAX = 0.2
"""How long one answer is waited for, whatever the tag asks for, so that the driver still stops within half a second."""

FRAME_WAITING_DEFAULT = 0x40  # TB(1) when the card sends none: FWI 4 (ISO/IEC 14443-4, 5.2.5)
FRAME_SIZE_DEFAULT = 2  # FSCI when the card sends no T0: 32 bytes (ISO/IEC 14443-4, 5.2.2)


class OverLimit(Exception):
    """A tag wants more than one tag may have. Never leaves ``drivers.nfc``."""


class Stopped(Exception):
    """The session has to end. Never leaves ``drivers.nfc``."""


class Guard:
    """What nfcpy's tags take for the frontend: the same face, with limits.

    ``unanswered`` says whether the last command got no usable answer, or a refusal. ``historical_bytes`` are those of an ISO-DEP card's
    answer to select, once it has been activated.
    """

    def __init__(self, nfcpy: Nfcpy, clf: Any, stop: Event, monotonic: Callable[[], float]) -> None:
        self._nfcpy = nfcpy
        self._clf = clf
        self._stop = stop
        self._monotonic = monotonic
        self.unanswered = False
        self.historical_bytes = b""
        self.renew()

    def renew(self) -> None:
        """A new budget: another command that stands alone, such as asking whether the tag is still there."""
        self._deadline = self._monotonic() + READ_SECONDS_MAX
        self._bytes_left = READ_BYTES_MAX
        self._exchanges_left = EXCHANGES_MAX

    @property
    def max_send_data_size(self) -> int:
        """As nfcpy's frontend says."""
        return int(self._clf.max_send_data_size)

    @property
    def max_recv_data_size(self) -> int:
        """As nfcpy's frontend says."""
        return int(self._clf.max_recv_data_size)

    def sense(self, *targets: Any, **options: Any) -> Any:
        """As nfcpy's frontend does it: the tag code looks for its tag again after a command that the tag refused."""
        self._spend()
        self.unanswered = True
        return self._clf.sense(*targets, **options)

    def exchange(self, send_data: bytes, timeout: float) -> bytearray:
        """Send a command to the tag and return its answer. Raises nfcpy's CommunicationError, OverLimit or Stopped."""
        self._spend()
        self.unanswered = True
        try:
            answer = self._clf.exchange(send_data, min(timeout, EXCHANGE_SECONDS_MAX))
        except self._nfcpy.clf.BrokenLinkError as error:  # nfcpy's tag code knows time-outs, and trips over this
            raise self._nfcpy.clf.TimeoutError(str(error)) from error
        if answer is None:
            raise self._nfcpy.clf.TimeoutError("no target")
        self.unanswered = False
        self._bytes_left -= len(answer)
        if len(send_data) == 2 and send_data[0] == 0xE0:  # RATS
            answer, self.historical_bytes = plain_ats(answer)
        return bytearray(answer)

    def _spend(self) -> None:
        if self._stop.is_set():
            raise Stopped
        self._exchanges_left -= 1
        if self._exchanges_left < 0 or self._bytes_left < 0 or self._monotonic() > self._deadline:
            raise OverLimit


def plain_ats(ats: bytes) -> tuple[bytes, bytes]:
    """An answer to select with every interface byte present, as nfcpy takes for granted, and its historical bytes.

    A card may leave out each of TA, TB and TC, or all of T0 (ISO/IEC 14443-4, 5.2); the defaults then stand in.

    >>> plain_ats(bytes.fromhex("0278"))[0].hex()
    '0578004000'
    >>> plain_ats(bytes.fromhex("01"))[0].hex()
    '0572004000'
    >>> plain_ats(bytes.fromhex("0878807002 313233")) == (bytes.fromhex("0578807002"), b"123")
    True
    """
    ats = ats[: ats[0]] if ats else b""
    if not ats:
        return b"", b""
    format_byte = ats[1] if len(ats) > 1 else FRAME_SIZE_DEFAULT
    at, interface = 2, []
    for bit, default in ((0x10, 0x00), (0x20, FRAME_WAITING_DEFAULT), (0x40, 0x00)):
        present = bool(format_byte & bit) and at < len(ats)
        interface.append(ats[at] if present else default)
        at += present
    return bytes([5, 0x70 | format_byte & 0x0F, *interface]), bytes(ats[at:])
