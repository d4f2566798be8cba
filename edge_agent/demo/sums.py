"""The till's arithmetic a second time, written from its stated rules alone, so that the scripted day can check the first.

Nothing here imports the domain: two programs that agree to the cent agree because the rules say so, not because they share a line of code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

PERCENT = 100_000
"""All of it, in thousandths of a per cent."""


class Rules(Struct, frozen=True):
    """What a market does to a sum: its currency, its rates in thousandths of a per cent, and whether prices include tax.

    Included tax is reckoned once per rate on the whole document, tax on top once per line and then added.
    """

    country: str
    currency: str
    included: bool
    rates: Mapping[str, int]


RULES = {
    "DE": Rules("DE", "EUR", included=True, rates={"standard": 19_000, "reduced": 7_000, "zero": 0}),
    "US": Rules("US", "USD", included=False, rates={"standard": 8_875, "reduced": 4_500, "zero": 0}),
}
"""The sample's two markets; both have coins for every minor unit, so cash is not rounded."""


def nearest(numerator: int, denominator: int) -> int:
    """The nearest integer to a quotient of integers that are not negative, the half going up.

    >>> nearest(1, 2), nearest(5, 3), nearest(4, 3)
    (1, 2, 1)
    """
    whole, rest = divmod(numerator, denominator)
    return whole + (rest * 2 >= denominator)


def weighed(per_kilogram: int, grams: int) -> int:
    """What ``grams`` cost.

    >>> weighed(3990, 412)
    1644
    """
    return nearest(per_kilogram * grams, 1000)


def cut(amount: int, percent_milli: int, amount_minor: int) -> int:
    """What one discount, a share or else an amount, takes off ``amount``: never more than all of it."""
    wish = nearest(amount * percent_milli, PERCENT) if percent_milli else amount_minor
    return amount if wish > amount else wish


def spread(off: int, amounts: Sequence[int]) -> list[int]:
    """What is left of ``amounts`` after ``off`` was taken from them in proportion: whole units first, then one each to those who lost
    the largest fraction, the earlier one where fractions are alike.

    >>> spread(100, [500, 500, 500]), spread(1, [300, 300])
    ([466, 467, 467], [299, 300])
    """
    whole = sum(amounts)
    if whole == 0 or off == 0:
        return list(amounts)
    taken = [off * amount // whole for amount in amounts]
    short = off - sum(taken)
    by_fraction = sorted(range(len(amounts)), key=lambda at: off * amounts[at] % whole, reverse=True)  # sorted() keeps the order of equals
    for at in by_fraction[:short]:
        taken[at] += 1
    return [amount - less for amount, less in zip(amounts, taken, strict=True)]


def taxed(rules: Rules, shares: Sequence[tuple[str, int]]) -> dict[str, tuple[int, int]]:
    """Base and tax by class of (class, amount) pairs.

    >>> taxed(RULES["DE"], [("standard", 11900)]), taxed(RULES["US"], [("standard", 10000), ("standard", 199)])
    ({'standard': (10000, 1900)}, {'standard': (10199, 906)})
    """
    found: dict[str, tuple[int, int]] = {}
    for tax_class in dict.fromkeys(tax_class for tax_class, _ in shares):
        rate, amounts = rules.rates[tax_class], [amount for its_class, amount in shares if its_class == tax_class]
        if rules.included:
            tax = nearest(sum(amounts) * rate, PERCENT + rate)
            found[tax_class] = (sum(amounts) - tax, tax)
        else:
            found[tax_class] = (sum(amounts), sum(nearest(amount * rate, PERCENT) for amount in amounts))
    return found


def check_digit(digits: str) -> int:
    """The last digit of a GTIN whose others are ``digits``: weights 3 and 1 from the right, up to the next ten.

    >>> check_digit("400638133393"), check_digit("211234500412")
    (1, 9)
    """
    odd, even = digits[::-2], digits[-2::-2]
    return -(3 * sum(map(int, odd)) + sum(map(int, even))) % 10
