"""Chance that is the same for the same seed on every machine: numbers from a hash, never from the computer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A stream of numbers made of SHA-256 over seed, purpose and a counter: streams of different purposes do not disturb each other.

    >>> Dice(1, "articles").below(1000) == Dice(1, "articles").below(1000), Dice(1, "a").below(10**9) == Dice(1, "b").below(10**9)
    (True, False)
    """

    def __init__(self, seed: int, purpose: str) -> None:
        self._stream = f"{seed}/{purpose}/".encode()
        self._blocks = 0
        self._numbers: list[int] = []

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit`` - 1. (64 bits modulo ``limit``: even enough for a sample.)"""
        if not self._numbers:
            block = hashlib.sha256(self._stream + str(self._blocks).encode()).digest()
            self._blocks += 1
            self._numbers = [int.from_bytes(block[at : at + 8], "big") for at in range(0, 32, 8)]
        return self._numbers.pop() % limit

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True ``percent`` times of a hundred."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """One of ``choices``."""
        return choices[self.below(len(choices))]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """``count`` different ones of ``choices`` (all of them when there are fewer), in any order."""
        left = list(choices)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]
