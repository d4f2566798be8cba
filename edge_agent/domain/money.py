"""Amounts of money: integer minor units of one currency."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

DIGITS_BY_CURRENCY = {
    # ISO 4217 minor units that differ from 2; a test compares this table with CLDR's.
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0,
    "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0, "VUV": 0, "XAF": 0,
    "XOF": 0, "XPF": 0,
}  # fmt: skip
AMOUNT_MINOR_MAX = 99_999_999_99
"""The largest amount, in minor units, that a line, a sale or a tender may have (the terminals' protocols end there too)."""


def digits(currency: str) -> int:
    """How many digits the minor unit of ``currency`` (ISO 4217) has.

    >>> digits("EUR"), digits("JPY"), digits("KWD")
    (2, 0, 3)
    """
    return DIGITS_BY_CURRENCY.get(currency, 2)


class Money(Struct, frozen=True, order=True):
    """``minor`` units (cents, öre, yen) of ``currency``. Amounts of two currencies never meet in one operation.

    >>> Money(1999, "EUR") + Money(1, "EUR")
    Money(minor=2000, currency='EUR')
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert isinstance(self.minor, int), self.minor
        assert len(self.currency) == 3, self.currency
        assert self.currency.isascii(), self.currency
        assert self.currency.isupper(), self.currency

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: Money) -> Money:
        assert self.currency == other.currency, f"{self.currency} meets {other.currency}"
        return other


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of ``amounts``, all of ``currency``; zero of it when there are none."""
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result


def divide_half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded to the nearest integer, halves away from zero.

    >>> [divide_half_up(n, 2) for n in (1, 3, -1, -3, 2)]
    [1, 2, -1, -2, 1]
    """
    assert denominator > 0, denominator
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def allocate(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """``amount`` (of either sign) shared out in proportion to ``weights`` (none negative), to the last unit.

    Largest remainder; equal remainders go to the earlier weight. With no positive weight everybody gets nothing, and
    ``amount`` must be zero.

    >>> allocate(100, (1, 1, 1)), allocate(-5, (199, 1)), allocate(0, ())
    ((34, 33, 33), (-5, 0), ())
    """
    whole = sum(weights)
    assert all(weight >= 0 for weight in weights), weights
    if whole == 0:
        assert amount == 0, amount
        return tuple(0 for _ in weights)
    sign, size = (-1, -amount) if amount < 0 else (1, amount)
    shares = [size * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % whole), i))
    for i in order[: size - sum(shares)]:
        shares[i] += 1
    return tuple(sign * share for share in shares)


def round_to_step(minor: int, step: int) -> int:
    """``minor`` rounded to the nearest multiple of ``step`` minor units, halves away from zero.

    >>> round_to_step(1232, 5), round_to_step(1233, 5), round_to_step(1050, 100), round_to_step(1049, 100)
    (1230, 1235, 1100, 1000)
    """
    return divide_half_up(minor, step) * step
