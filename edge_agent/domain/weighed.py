"""Labels that scales print: an EAN-13 or UPC-A with the article's number and its weight, price or count inside, by the shop's own patterns.

GS1 reserves the prefixes 02, 04 and 20 to 29 for numbers that mean something in one shop or country only (General Specifications,
1.4.5 and 2.1.11); what the digits mean is for the shop to say. A pattern says it digit by digit, for all but the check digit::

    21.....{NNDDD}     EAN-13: 21, five digits of item number, weight in kg with three decimals
    22.....{NNNDD}     EAN-13: 22, item number, price with two decimals
    2.....*{NNDD}      UPC-A: 2, item number, a digit that is not looked at, price

``0`` to ``9`` stand for themselves, ``.`` is a digit of the item number, ``*`` a digit that is not looked at, ``N`` and ``D`` are the
integer digits and the decimals of the amount.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from msgspec import Struct

from edge_agent.domain.code_refusal import refuse
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.quantity import QUANTITY_GRAMS_MAX, QUANTITY_PIECES_MAX

PRICE_MINOR_MAX = 99_999_999
"""A price inside a code above this many minor units is refused."""
PRICE_DECIMALS_MAX = 4
"""No currency has more."""

_PATTERN = re.compile(r"([0-9*]*)(\.+)([0-9*]*)\{(N+D*)\}([0-9*]*)")
_SPARED = ("2", "02", "04")


class Measure(Enum):
    """What the amount in a label is."""

    WEIGHT = "weight"
    PRICE = "price"
    COUNT = "count"


class WeighedCode(Struct, frozen=True):
    """A label from a scale: the shop's item number, and the amount in the one of the three that ``rule`` (the pattern) names.

    ``grams`` is net weight, ``price_minor`` the price of this piece in minor units, ``count`` pieces. All three are None when the
    label carries a zero: the article is known, the amount is not.
    """

    item: str
    grams: int | None
    price_minor: int | None
    count: int | None
    rule: str


@dataclass(frozen=True, slots=True)
class WeighedRule:
    """One pattern, ready to match; make it with ``parse``."""

    pattern: str
    kind: Measure
    decimals: int
    _item: slice = field(repr=False)
    _amount: slice = field(repr=False)
    _digits: re.Pattern[str] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, pattern: str, kind: str, section: str = "codes.weighed") -> WeighedRule:
        """The rule of ``pattern`` for ``kind`` (weight, price or count). Raises ConfigError naming ``section``.

        >>> WeighedRule.parse("21.....{NNDDD}", "weight").read("2112345004125", minor_digits=2)
        WeighedCode(item='12345', grams=412, price_minor=None, count=None, rule='21.....{NNDDD}')
        """
        kinds = {measure.value: measure for measure in Measure}
        if kind not in kinds:
            raise _config_error(section, kind, f"one of {', '.join(kinds)}", kind)
        found = _PATTERN.fullmatch(pattern)
        digits = re.sub(r"[{}]", "", pattern)
        if not found or len(digits) not in (11, 12):
            raise _config_error(section, kind, "12 digits (EAN-13) or 11 (UPC-A) like 21.....{NNDDD}, without the check digit", pattern)
        padding = "0" * (12 - len(digits))
        digits = padding + digits
        if not digits.startswith(_SPARED):
            raise _config_error(section, kind, "a pattern that begins with 02, 04 or 20 to 29 (UPC-A: 2 or 4)", pattern)
        decimals = found[4].count("D")
        if decimals > {Measure.WEIGHT: 3, Measure.PRICE: PRICE_DECIMALS_MAX, Measure.COUNT: 0}[kinds[kind]]:
            raise _config_error(section, kind, "fewer decimals (weight: three at most, count: none)", pattern)
        item = slice(digits.index("."), digits.rindex(".") + 1)
        amount = slice(digits.index("N"), digits.index("N") + len(found[4]))
        matcher = re.compile(re.sub(r"[.*ND]", "[0-9]", digits) + "[0-9]")
        return cls(pattern, kinds[kind], decimals, item, amount, matcher)

    @property
    def form(self) -> str:
        """The 13 digits of its codes; a dot is any digit.

        >>> WeighedRule.parse("2.....*{NNDD}", "price").form
        '02...........'
        """
        return self._digits.pattern.replace("[0-9]", ".")

    def read(self, digits: str, minor_digits: int) -> WeighedCode | None:
        """What ``digits`` (13, the check digit already verified) say by this rule, or None when they are not of this pattern.

        ``minor_digits`` is how many decimals the register's currency has. Raises CodeInvalid (``amount``) when the amount cannot be sold.
        """
        if not self._digits.fullmatch(digits):
            return None
        amount = int(digits[self._amount])
        item = digits[self._item]
        if self.kind is Measure.WEIGHT:
            return WeighedCode(item, bounded_grams(amount * 10 ** (3 - self.decimals)), None, None, self.pattern)
        if self.kind is Measure.PRICE:
            return WeighedCode(item, None, minor_of(amount, self.decimals, minor_digits), None, self.pattern)
        return WeighedCode(item, None, None, bounded_count(amount), self.pattern)


def bounded_grams(grams: int) -> int | None:
    """``grams`` within QUANTITY_GRAMS_MAX, None for zero; else CodeInvalid (``amount``)."""
    return _bounded(grams, QUANTITY_GRAMS_MAX, "weight in grams")


def bounded_count(count: int) -> int | None:
    """``count`` within QUANTITY_PIECES_MAX, None for zero; else CodeInvalid (``amount``)."""
    return _bounded(count, QUANTITY_PIECES_MAX, "count")


def minor_of(amount: int, decimals: int, minor_digits: int) -> int | None:
    """The price ``amount`` / 10^``decimals`` in minor units of a currency with ``minor_digits``, None for zero; CodeInvalid when finer.

    >>> minor_of(1995, 2, 2), minor_of(20, 0, 2), minor_of(19950, 3, 2)
    (1995, 2000, 1995)
    """
    minor, rest = divmod(amount * 10**minor_digits, 10**decimals)
    if rest:
        raise refuse("amount", f"Invalid price in the code: expected at most {minor_digits} decimals, got {decimals}.", expected=minor_digits, got=decimals)
    return _bounded(minor, PRICE_MINOR_MAX, "price in minor units")


def _bounded(amount: int, amount_max: int, what: str) -> int | None:
    if amount > amount_max:
        raise refuse("amount", f"Invalid {what} in the code: expected at most {amount_max}, got {amount}.", what=what, expected=amount_max, got=amount)
    return amount or None


def _config_error(section: str, key: str, expected: str, got: str) -> ConfigError:
    return ConfigError(
        f"Invalid configuration: [{section}] {key}: expected {expected}, got {got!r}.",
        hint=f"Correct {key} in section [{section}].",
        reason="value",
        section=section,
        key=key,
        expected=expected,
        got=got,
    )
