"""Cuts a scanner's byte stream into frames by terminator, prefix, check byte and silence."""

from __future__ import annotations

from functools import reduce
from operator import xor

from msgspec import Struct

from drivers.contract import Frame
from drivers.framing.named_bytes import CR, LF
from edge_agent.domain.reading import READING_BYTES_MAX

_AROUND_FRAMES = b"\r\n\x00"
"""What lines carry between frames (the other half of a CRLF, a break while plugging in); alone it is no frame."""

_BREAK = b"\x00"
"""What a UART reads while the line is broken: in front of a frame it is no part of it."""

_LEADING, _TRAILING = b"\x02", b"\r\n\t\x03\x04"
"""STX before and CR, LF, TAB, ETX or EOT after a frame that silence ended: framing that nobody configured."""


class FrameRule(Struct, frozen=True):
    """How one scanner frames what it sends.

    ``terminator`` empty: silence alone ends a frame, which it never does otherwise. ``prefix`` empty: none. With ``lrc`` one byte follows
    the terminator: the exclusive or of all bytes after the prefix up to and including the terminator (ANSI X3.28).
    """

    terminator: bytes = CR
    prefix: bytes = b""
    lrc: bool = False
    idle_gap_seconds: float = 0.05


class SerialFramer:
    """A ``Framer`` by one ``FrameRule``.

    * A frame is at most ``READING_BYTES_MAX`` bytes, its framing included; beyond it is dropped, and what follows is skipped up to the
      next terminator or silence.
    * CR as terminator forgives a following LF, LF a preceding CR; an empty frame is no frame.
    * Without a terminator, silence of ``idle_gap_seconds`` ends a frame. With one it breaks the frame: that is dropped, because half a code
      can be another valid code, whatever this scanner did before.
    * A frame without its prefix or with a wrong check byte is dropped. Noise before the prefix is cut off, and so are NULs before a code.

    ``feed`` never assumes silence (bytes may have waited while the reader was held up); only ``tick`` does, and it is to be called
    when a read has come back empty.
    """

    def __init__(self, rule: FrameRule) -> None:
        assert rule.terminator or not rule.lrc, "a check byte stands behind a terminator"
        self._rule = rule
        self._held = bytearray()  # the frame so far
        self._unchecked: bytes | None = None  # a terminated frame whose check byte has not come yet
        self._skipping = False  # over the limit: up to the next terminator
        self._terminates = False
        self._unended = 0
        self._ended_with = b""
        self._last_at = 0.0
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many frames were dropped since the framer was made."""
        return self._dropped

    @property
    def terminates(self) -> bool:
        """Whether this scanner has ever ended a frame with the terminator."""
        return self._terminates

    @property
    def unended(self) -> int:
        """How many frames in a row came without the terminator."""
        return self._unended

    @property
    def ended_with(self) -> bytes:
        """Which control character the last one of these ended with instead; empty where none did."""
        return self._ended_with

    def begin(self) -> None:
        """A new session: what of a frame the one before left is forgotten, what the scanner was seen to do and the counts are not."""
        self._held.clear()
        self._unchecked, self._skipping = None, False

    @property
    def pending(self) -> bool:
        """Whether silence would change anything: something of a frame is held or skipped."""
        return bool(self._held) or self._skipping or self._unchecked is not None

    def feed(self, data: bytes, at: float) -> list[Frame]:
        """The frames that ``data``, read at monotonic second ``at``, completes."""
        self._last_at = at
        frames: list[Frame] = []
        start = 0
        while start < len(data):
            if self._unchecked is not None:
                frames += self._checked(self._unchecked, data[start])
                self._unchecked = None
                start += 1
            else:
                piece = data[start : start + READING_BYTES_MAX - len(self._held)]
                start += self._take(piece, frames)
        return frames

    def tick(self, at: float) -> list[Frame]:
        """The frames that silence until ``at`` completes; at most one."""
        if not self.pending or at - self._last_at < self._rule.idle_gap_seconds:
            return []
        held, unchecked, skipped = bytes(self._held), self._unchecked, self._skipping
        self.begin()
        if skipped or not (unchecked or held.strip(_AROUND_FRAMES)):
            return []
        if self._rule.terminator:
            self._dropped += 1
            self._unended += not unchecked
            self._ended_with = held[-1:] if held and held[-1] in _TRAILING else b""
            return []
        body = held.rstrip(_TRAILING)
        return self._framed(body if self._rule.prefix else body.removeprefix(_LEADING), by_gap=True)

    def _take(self, piece: bytes, frames: list[Frame]) -> int:
        """Take ``piece`` up to and including the first terminator; how many bytes of it that was."""
        terminator, held = self._rule.terminator, self._held
        before = len(held)
        held += piece
        end = held.find(terminator, max(0, before - len(terminator) + 1)) if terminator else -1
        if end < 0:
            if len(held) >= READING_BYTES_MAX:
                self._over_limit()
            return len(piece)
        body = bytes(held[:end])
        held.clear()
        if self._skipping or body.strip(_AROUND_FRAMES):
            self._terminates, self._unended = True, 0
        if self._skipping:
            self._unchecked = b"" if self._rule.lrc else None
        elif self._rule.lrc and self._prefix_at(body) >= 0:
            self._unchecked = body + terminator
        else:
            frames += self._framed(_without_other_half(body, terminator))
        self._skipping = False
        return end + len(terminator) - before

    def _over_limit(self) -> None:
        """Drop what is held, but for the bytes that may be the beginning of a terminator."""
        if not self._skipping:
            self._dropped += 1
        self._skipping = True
        keep = len(self._rule.terminator) - 1
        del self._held[: len(self._held) - keep if keep > 0 else None]

    def _checked(self, body: bytes, check: int) -> list[Frame]:
        """The frame in ``body`` (its terminator included) when its check byte is right; an empty ``body`` was dropped already."""
        if not body:
            return []
        if reduce(xor, body[self._prefix_at(body) + len(self._rule.prefix) :], 0) == check:
            return self._framed(body[: -len(self._rule.terminator)])
        self._dropped += 1
        return []

    def _framed(self, body: bytes, *, by_gap: bool = False) -> list[Frame]:
        start = self._prefix_at(body)
        data = body[start + len(self._rule.prefix) :].lstrip(_BREAK) if start >= 0 else b""
        if data.strip(_AROUND_FRAMES):
            return [Frame(data, by_gap)]
        self._dropped += start < 0 and bool(body.strip(_AROUND_FRAMES))  # no prefix, and more than noise
        return []

    def _prefix_at(self, body: bytes) -> int:
        """Where the prefix begins: the last one if it is a control character (half a frame may precede it), else the first."""
        prefix = self._rule.prefix
        return body.rfind(prefix) if prefix and prefix[0] < 0x20 else body.find(prefix)


def _without_other_half(body: bytes, terminator: bytes) -> bytes:
    """``body`` without the half of a CRLF that the terminator does not cover."""
    if terminator == CR:
        return body.removeprefix(LF)
    return body.removesuffix(CR) if terminator == LF else body
