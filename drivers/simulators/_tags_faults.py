"""What goes wrong with tags on a counter: pulled away in the middle, garbled, silent."""

from __future__ import annotations

from drivers.simulators._tags_air import Identity, Tag


class _Wrapped:
    """Any tag, passed through."""

    def __init__(self, tag: Tag) -> None:
        self._tag = tag

    @property
    def in_field(self) -> bool:
        return self._tag.in_field

    def identity(self) -> Identity:
        return self._tag.identity()

    def field_off(self) -> None:
        self._tag.field_off()

    def select(self) -> None:
        self._tag.select()

    def answer(self, command: bytes) -> bytes | None:
        return self._tag.answer(command)


class PulledAway(_Wrapped):
    """A tag that leaves the field for good after it has answered ``answers`` commands."""

    def __init__(self, tag: Tag, answers: int) -> None:
        super().__init__(tag)
        self._answers_left = answers

    @property
    def in_field(self) -> bool:
        return self._answers_left > 0

    def answer(self, command: bytes) -> bytes | None:
        if self._answers_left <= 0:
            return None
        self._answers_left -= 1
        return self._tag.answer(command)


class Damaged(bytes):
    """An answer that was damaged on the air: the reader's chip sees that its checksum is wrong."""

    __slots__ = ()


class Garbled(_Wrapped):
    """A tag at the edge of the field: it is found, and what it answers to the first ``count`` commands arrives damaged."""

    def __init__(self, tag: Tag, count: int) -> None:
        super().__init__(tag)
        self._count_left = count

    def answer(self, command: bytes) -> bytes | None:
        answer = self._tag.answer(command)
        if self._count_left <= 0 or answer is None:
            return answer
        self._count_left -= 1
        return Damaged(byte ^ 0x5A for byte in answer)


class Silent(_Wrapped):
    """A tag that is found and then never answers."""

    def answer(self, command: bytes) -> bytes | None:
        del command
        return None
