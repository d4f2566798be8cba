"""The customer's online cart, as it stood when central last told us."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of the online cart; ``line`` is the web shop's own id, by which it is reconciled."""

    line: str
    sku: str
    pieces: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class Cart:
    """An open online cart. ``version`` changes with every edit online; ``as_of_ms`` says how old this copy is."""

    id: str
    customer: str
    version: int
    currency: str
    lines: tuple[CartLine, ...]
    channel: str = "web"
    opened_ms: int = 0
    as_of_ms: int = 0
    held_by: str = ""  # the register that holds a lease on it, or empty

    @property
    def total_minor(self) -> int:
        """What the lines cost online, without delivery."""
        return sum(line.pieces * line.unit_price_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a cart that keeps the web shop from being paid for it too, until ``until_ms``. Empty token: sold from a copy, offline."""

    cart: str
    version: int
    token: str
    until_ms: int
