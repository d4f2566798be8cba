"""Chance that a seed decides: the same name and seed throw the same numbers on every machine and in every version of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws from SHA-256 over a name and a count, so that each part of a script has dice of its own and disturbs no other's.

    >>> first, again = Dice("1/sale/7"), Dice("1/sale/7")
    >>> [first.below(6) for _ in range(5)] == [again.below(6) for _ in range(5)]
    True
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def below(self, bound: int) -> int:
        """At least 0, less than ``bound``."""
        self._count += 1
        return int.from_bytes(hashlib.sha256(f"{self._name}#{self._count}".encode()).digest()[:8], "big") % bound

    def between(self, low: int, high: int) -> int:
        """At least ``low``, at most ``high``."""
        return low + self.below(high - low + 1)

    def in_hundred(self, cases: int) -> bool:
        """True in so many of a hundred cases."""
        return self.below(100) < cases

    def one_of(self, things: Sequence[T]) -> T:
        """One of them."""
        return things[self.below(len(things))]
