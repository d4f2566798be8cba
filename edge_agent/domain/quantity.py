"""How much of an article: whole pieces or whole grams, within bounds."""

from __future__ import annotations

import re
from enum import Enum

from msgspec import Struct

from edge_agent.domain.card_data import shown_text
from edge_agent.domain.code_refusal import refuse
from edge_agent.domain.errors import OutOfBounds
from edge_agent.domain.money import divide_half_up

QUANTITY_PIECES_MAX = 9_999
"""More pieces than this in one line are refused: a slipped key or an article's number typed as a quantity."""

QUANTITY_GRAMS_MAX = 999_999
"""A line weighs less than a tonne: more is refused."""

_TYPED_CHARS_MAX = 20
_PIECES = re.compile(r"([0-9]+) ?[xX×*]?")
_KILOGRAMS = re.compile(r"([0-9]+)(?:[.,]([0-9]{1,3}))? ?[kK][gG]")
_GRAMS = re.compile(r"([0-9]+) ?[gG]")


class Unit(Enum):
    """What is counted."""

    PIECE = "piece"
    GRAM = "gram"


_MAX = {Unit.PIECE: QUANTITY_PIECES_MAX, Unit.GRAM: QUANTITY_GRAMS_MAX}


class Quantity(Struct, frozen=True):
    """``amount`` pieces or grams, from 1 to QUANTITY_PIECES_MAX or QUANTITY_GRAMS_MAX; anything else raises OutOfBounds.

    >>> Quantity(412, Unit.GRAM).shown(decimal=",")
    '0,412 kg'
    >>> Quantity(3, Unit.PIECE).shown()
    '3'
    """

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        amount_max = _MAX[self.unit]
        if not 1 <= self.amount <= amount_max:
            got = shown_text(str(self.amount))  # a card's number typed as a quantity
            raise OutOfBounds(
                f"Invalid quantity of {got} {self.unit.value}s: expected 1 to {amount_max}.",
                hint="Type a smaller quantity, or split it over two lines." if self.amount > amount_max else "Remove the line instead.",
                reason="quantity",
                got=got,
                unit=self.unit.value,
                max=amount_max,
            )

    @classmethod
    def parse(cls, typed: str) -> Quantity:
        """The quantity that a person typed: ``3``, ``3x``, ``0,412 kg``, ``0.412kg``, ``412 g``.

        Both decimal signs are understood and neither groups thousands. Raises CodeInvalid (reason ``quantity``) for anything else and
        OutOfBounds.

        >>> Quantity.parse("0,412 kg")
        Quantity(amount=412, unit=<Unit.GRAM: 'gram'>)
        >>> Quantity.parse("12 x")
        Quantity(amount=12, unit=<Unit.PIECE: 'piece'>)
        """
        text = " ".join(typed.split()) if len(typed) <= _TYPED_CHARS_MAX else ""
        if found := _PIECES.fullmatch(text):
            return cls(int(found[1]), Unit.PIECE)
        if found := _KILOGRAMS.fullmatch(text):
            return cls(int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")), Unit.GRAM)
        if found := _GRAMS.fullmatch(text):
            return cls(int(found[1]), Unit.GRAM)
        got = shown_text(typed)
        raise refuse("quantity", f"Invalid quantity {got!r}: expected pieces or a weight in kg or g.", got=got)

    def cost_minor(self, unit_price_minor: int) -> int:
        """What so much costs at a price for a piece, or of a weight for a kilogram, rounded half up.

        >>> Quantity(412, Unit.GRAM).cost_minor(3990), Quantity(4, Unit.PIECE).cost_minor(1250)
        (1644, 5000)
        """
        if self.unit is Unit.GRAM:
            return divide_half_up(unit_price_minor * self.amount, 1000)
        return unit_price_minor * self.amount

    def shown(self, decimal: str = ".") -> str:
        """The quantity as text: pieces as a number, a weight in kilograms with the market's ``decimal`` sign."""
        if self.unit is Unit.PIECE:
            return str(self.amount)
        return f"{self.amount // 1000}{decimal}{self.amount % 1000:03} kg"
