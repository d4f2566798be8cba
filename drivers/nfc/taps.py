"""Says what one tap is: a tag held to the reader is one reading, however long it stays and however often the field flickers.

Pure: every method is told the monotonic second at which it happens.
"""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain.reading import TagKind


class TagContent(Struct, frozen=True):
    """What a tag turned out to be: its kind and what is handed on (UTF-8 of a record, the UID in hexadecimal, or nothing)."""

    kind: TagKind
    payload: bytes = b""

    def __repr__(self) -> str:
        return f"TagContent({self.kind.value}, {len(self.payload)} bytes)"


UNREADABLE = TagContent(TagKind.UNREADABLE)


class _Held(Struct, frozen=True):
    sight: str
    seen: float


class Taps:
    """Remembers for ``hold_seconds`` what was on the reader, so that the same tag seen again within that time is the same tap.

    ``sight`` is what is known of a tag before it is read: its fixed UID, or one shared word for tags whose UID must not be
    kept. A tag that could not be read is given ``hold_seconds`` to become readable before it is called unreadable, because the
    first attempt often comes while it is still on its way to the reader; a failure while the same tag is being taken away
    belongs to the tap before and says nothing.
    """

    def __init__(self, hold_seconds: float) -> None:
        self._hold_seconds = hold_seconds
        self._held: dict[TagContent, _Held] = {}
        self._failing_since: float | None = None
        self._failed_last = 0.0
        self._failure_said = False

    def read(self, content: TagContent, sight: str, at: float) -> bool:
        """A tag was read: whether this is a new tap, to be emitted."""
        self._forget(at)
        new = content not in self._held
        self._held[content] = _Held(sight, at)
        self._failing_since = None
        return new

    def still(self, content: TagContent, at: float) -> None:
        """The tag that was read last is still there."""
        held = self._held.get(content)
        if held is not None:
            self._held[content] = _Held(held.sight, at)

    def failed(self, sight: str, at: float) -> bool:
        """A tag was there and could not be read: whether to call it unreadable now."""
        self._forget(at)
        same = [content for content, held in self._held.items() if held.sight == sight]
        if same:
            self._held |= {content: _Held(sight, at) for content in same}
            return False
        if self._failing_since is None:
            self._failing_since, self._failure_said = at, False
        self._failed_last = at
        return self._due(at)

    def nothing(self, at: float) -> bool:
        """No tag is there: whether one that failed before has to be called unreadable now."""
        self._forget(at)
        due = self._due(at)
        if self._failing_since is not None and at - self._failed_last >= self._hold_seconds:
            self._failing_since = None
        return due

    def _due(self, at: float) -> bool:
        if self._failing_since is None or self._failure_said or at - self._failing_since < self._hold_seconds:
            return False
        self._failure_said = True
        return True

    def _forget(self, at: float) -> None:
        self._held = {content: held for content, held in self._held.items() if at - held.seen <= self._hold_seconds}
