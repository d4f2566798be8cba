"""The customer's online cart, as it stood when central last told us."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from msgspec import Struct

from edge_agent.domain.errors import CentralConflict
from edge_agent.domain.moments import wall_time
from edge_agent.domain.one_line import one_line

HOLDER_CHARACTERS_MAX = 80


class CartLine(Struct, frozen=True):
    """One line of the online cart; ``line`` is the web shop's own id, by which it is reconciled."""

    line: str
    sku: str
    pieces: int
    unit_price_minor: int


class Cart(Struct, frozen=True):
    """An open online cart. ``version`` changes with every edit online; ``as_of_ms`` says how old this copy is, on central's clock."""

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


GONE, TAKEN, RUN_OUT = "gone", "taken", "run_out"


class Lost(Struct, frozen=True, omit_defaults=True):
    """Why a cart in a basket is not held any more, as found at ``at_ms``. GONE: it is not open online, for it was ordered, emptied, or sold elsewhere;
    TAKEN: another register holds it (``holder``: store/register); RUN_OUT: the lease ended while central did not answer, and nobody here knows the rest."""

    why: str
    at_ms: int
    holder: str = ""


class Lease(Struct, frozen=True, omit_defaults=True):
    """A claim on a cart that keeps the web shop from being paid for it too, until ``until_ms`` on central's clock. Empty token: sold from a copy, offline.

    ``claim`` is the id that central was, or may have been, asked with: the same claim again is answered with the same lease. ``lost`` is
    set once it is known not to hold: the goods in hand may still be sold at the price shown, but nothing is promised of the rest.
    """

    cart: str
    version: int
    token: str
    until_ms: int
    claim: str = ""
    lost: Lost | None = None


def who_holds(conflict: CentralConflict, now_ms: int, timezone: str) -> CentralConflict:
    """``conflict`` in words that say who holds the cart (``held_by``: store/register) and until when (``until_ms``), as far as central said it.

    >>> held = CentralConflict("Somebody else holds this cart.", hint="Ask there.", reason="held", held_by="0001/03", until_ms=1_795_388_400_000)
    >>> who_holds(held, 1_795_388_000_000, "Europe/Berlin").message
    'Register 0001/03 holds this online cart until 2026-11-23 00:00.'
    """
    shown = dict(conflict.args_shown)
    holder = one_line(shown.get("held_by", ""))[:HOLDER_CHARACTERS_MAX]
    if conflict.reason != "held" or not holder:
        return conflict
    hint, shown["held_by"] = "Have it released there, or sell without it.", holder
    until_ms = int(shown["until_ms"]) if shown.get("until_ms", "").isdecimal() else 0
    if until_ms <= now_ms:
        return CentralConflict(f"Register {holder} holds this online cart.", hint=hint, reason="held_by", **shown)
    zone = ZoneInfo(timezone)
    until, today = wall_time(until_ms, zone), wall_time(now_ms, zone).date()
    told = f"{until:%H:%M}" if until.date() == today else f"{until:%Y-%m-%d %H:%M}"
    return CentralConflict(f"Register {holder} holds this online cart until {told}.", hint=hint, reason="held_until", **(shown | {"until": told}))
