"""The field in front of a simulated reader: one tag or none, and counters that tests and people can wait on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from drivers.simulators._tags_air import Identity, Tag, TypeA, technologies


class Field:
    """What the reader's chip sees. Thread-safe.

    ``looks`` counts how often somebody looked for a tag of some technology, ``empty_looks`` how often in vain, ``exchanges``
    the commands sent to a tag.
    """

    def __init__(self) -> None:
        self._tag: Tag | None = None
        self._news = threading.Condition()
        self.looks = 0
        self.empty_looks = 0
        self.exchanges = 0

    def put(self, tag: Tag) -> None:
        """Hold ``tag`` to the reader, instead of what is there."""
        with self._news:
            self._tag = tag

    def remove(self) -> None:
        """Take the tag away."""
        with self._news:
            self._tag = None

    def find(self, technology: str, uid: bytes = b"") -> Identity | None:
        """Look for a tag of ``technology``, with ``uid`` (type A) if that is given; it is then selected."""
        with self._news:
            self.looks += 1
            found = self._there(technology, uid)
            self.empty_looks += found is None
            self._news.notify_all()
            if found is None:
                return None
            found.select()
            return found.identity()

    def exchange(self, command: bytes, technology: str = "") -> bytes | None:
        """Send ``command`` to the tag (of ``technology``, if given); None when nothing answers."""
        with self._news:
            tag = self._there(technology, b"")
            self.exchanges += 1
            self._news.notify_all()
            return tag.answer(command) if tag is not None and command else None

    def here(self, technology: str) -> Identity | None:
        """What a tag of ``technology`` that is there announces itself with; not a look of the reader's, and not counted."""
        with self._news:
            tag = self._there(technology, b"")
            return tag.identity() if tag is not None else None

    def off(self) -> None:
        """Switch the field off."""
        with self._news:
            if self._tag is not None:
                self._tag.field_off()

    def wait(self, condition: Callable[[Field], bool], wait_seconds: float) -> bool:
        """Whether ``condition`` came true, looked at after each command, within ``wait_seconds``."""
        with self._news:
            return self._news.wait_for(lambda: condition(self), wait_seconds)

    def _there(self, technology: str, uid: bytes) -> Tag | None:
        tag = self._tag
        if tag is None or not tag.in_field or (technology and technology not in technologies(tag)):
            return None
        identity = tag.identity()
        if uid and not (isinstance(identity, TypeA) and identity.uid == uid):
            return None
        return tag
