"""What the seller of the kills holds true: the open basket as the screen showed it, and what was begun and not acknowledged."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent import views as v


@dataclass(frozen=True)
class Held:
    """What the screen showed of the open basket. ``lines`` are (id, sku, pieces, amount)."""

    basket: str = ""
    lines: tuple[tuple[str, str, int, int], ...] = ()
    total: int = 0
    customer: str = ""
    discounts: int = 0

    @property
    def pieces(self) -> Count[str]:
        found: Count[str] = Count()
        for _, sku, pieces, _ in self.lines:
            found[sku] += pieces
        return found


def held(snapshot: v.Snapshot) -> Held:
    """What ``snapshot`` shows of the open basket."""
    basket = snapshot.basket
    customer = snapshot.customer.id if snapshot.customer is not None else ""
    if basket is None:
        return Held(customer=customer)
    lines = tuple((line.id, line.sku or line.name, line.pieces, line.amount.minor) for line in basket.lines)
    return Held(basket.id, lines, basket.total.minor, customer, len(basket.discounts))


@dataclass
class Pending:
    """Something that was begun and not acknowledged. Without ``command`` it came from a device. ``done`` says whether a screen shows its one effect."""

    what: str
    done: Callable[[v.Snapshot], bool]
    command: v.AnyCommand | None = None
    id: str = ""
