"""Articles and the dated prices that central published for them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct


class SoldBy(Enum):
    """What one unit of the price is for."""

    PIECE = "piece"
    KILOGRAM = "kg"


class Article(Struct, frozen=True):
    """A thing on sale. ``gtins`` are 14 digits each; ``item`` is the number that weighed-goods codes carry, or empty."""

    sku: str
    name: str
    gtins: tuple[str, ...]
    department: str
    tax_class: str
    sold_by: SoldBy = SoldBy.PIECE
    item: str = ""
    variant: str = ""


class Price(Struct, frozen=True):
    """One row of a price book. ``amount_minor`` is for a piece, or for a kilogram where the article is sold by weight.

    ``group`` is empty for everybody, or the customer tier that the row is for. The row holds from ``from_ms`` (inclusive) until
    ``until_ms`` (exclusive; None is open). ``book`` and ``version`` say which price book it came from, and go on the fact.
    """

    sku: str
    amount_minor: int
    currency: str
    book: str
    version: str
    group: str = ""
    from_ms: int = 0
    until_ms: int | None = None

    def holds(self, at_ms: int) -> bool:
        """Whether the row is in force at ``at_ms``."""
        return self.from_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


class Offer(Struct, frozen=True):
    """What one article costs at one moment: everybody's price, and the lower one of the customer's tier when there is one."""

    base: Price
    member: Price | None = None

    @property
    def applied(self) -> Price:
        """The price that the sale uses: a member's, where it is lower."""
        return self.member if self.member is not None and self.member.amount_minor < self.base.amount_minor else self.base


def offer(prices: Iterable[Price], at_ms: int, group: str = "") -> Offer | None:
    """The offer among ``prices`` (rows of one article and currency) at ``at_ms`` for a customer of tier ``group``; None without a base price.

    Among rows in force the one that began last wins; equal beginnings: the later version.

    >>> rows = (Price("A", 200, "EUR", "b", "1"), Price("A", 180, "EUR", "b", "2", from_ms=50), Price("A", 150, "EUR", "b", "2", group="gold"))
    >>> offer(rows, 10).applied.amount_minor, offer(rows, 60).applied.amount_minor, offer(rows, 60, "gold").applied.amount_minor
    (200, 180, 150)
    """
    in_force = sorted((price for price in prices if price.holds(at_ms)), key=lambda price: (price.from_ms, price.version))
    base = next((price for price in reversed(in_force) if not price.group), None)
    if base is None:
        return None
    member = next((price for price in reversed(in_force) if group and price.group == group), None)
    return Offer(base, member)
