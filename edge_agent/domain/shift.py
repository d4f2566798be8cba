"""Who sells, on which shift, on which business day."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from edge_agent.domain.moments import wall_time


class Operator(Struct, frozen=True):
    """A member of staff. ``rights`` are the names of what they may do; a missing right is a no."""

    id: str
    name: str
    rights: frozenset[str] = frozenset()
    badge: str = ""

    def may(self, right: str) -> bool:
        """Whether this operator has ``right``."""
        return right in self.rights


class Shift(Struct, frozen=True):
    """A cashier's period on a register. ``business_day`` is an ISO date, fixed when the shift opens and carried by every fact of it."""

    id: str
    business_day: str
    opened_ms: int
    opened_by: str
    float_minor: int


RIGHT_DEPARTMENT = "sale.department"
RIGHT_DISCOUNT = "sale.discount"
RIGHT_VOID = "sale.void"
RIGHT_REVIEW = "payment.review"
RIGHTS_ALL = frozenset({RIGHT_DEPARTMENT, RIGHT_DISCOUNT, RIGHT_VOID, RIGHT_REVIEW})


def business_day(at_ms: int, timezone: str, day_change_hour: int) -> str:
    """The business day, as an ISO date, of a shift that opens at ``at_ms`` in ``timezone`` (an IANA name) of a market with ``day_change_hour``.

    A shop that sells past midnight has one business day. Reckoned on the wall clock, so a change to or from summer time moves nothing.

    >>> business_day(1_795_388_400_000, "Europe/Berlin", 4)  # Mon 23 Nov 2026, 00:20 in Berlin: still Sunday's shop
    '2026-11-22'
    """
    local = wall_time(at_ms, ZoneInfo(timezone))
    return (local.replace(tzinfo=None) - timedelta(hours=day_change_hour)).date().isoformat()
