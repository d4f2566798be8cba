"""What a scan did while something lies on the sale: said in place, because a scan is never silent."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.views import Amount, BasketView, LineView, Snapshot
from tui.drawing.line import Line, wrapped
from tui.shown import Shown, like


class Grown(Struct, frozen=True):
    """What came into the basket: the line (None when something else changed the amount), and what was due before."""

    by: LineView | None
    before: Amount


def grown(stood: Snapshot, now: Snapshot, told: Grown | None) -> Grown | None:
    """What is told of ``now`` to who looked at ``stood`` and was ``told`` before: that stays until another basket, or money that was taken."""
    payment, paid = now.payment, stood.payment.paid.minor if stood.payment is not None else 0
    if now.basket is None or payment is None or payment.attempt is not None or payment.paid.minor != paid:
        return None
    if stood.basket is not None and stood.basket.id != now.basket.id:
        return None
    before = stood.payment.rest if stood.payment is not None else Amount(0, like(0, now.digits, now.decimal, now.group))
    by = _came(stood.basket, now.basket)
    return told if by is None and payment.rest == before else Grown(by, before)


def _came(before: BasketView | None, basket: BasketView) -> LineView | None:
    """The line that changed last, when there is more of it in hand than there was (or another weight); a new price alone adds nothing."""
    held = next((line for line in basket.lines if line.id == basket.changed and line.state == "in_hand"), None)
    was = next((line for line in before.lines if line.id == basket.changed), None) if before is not None and held is not None else None
    same = held is not None and was is not None and (was.state, was.quantity, was.pieces) == (held.state, held.quantity, held.pieces)
    return None if same else held


def grown_rows(shown: Shown, told: Grown | None, cells: int, mark: str, role: str) -> list[Line]:
    """What was added and what is due now; nothing when nothing came."""
    payment = shown.snapshot.payment
    if told is None or payment is None:
        return []
    now, before = f"{payment.rest.text} {shown.snapshot.currency}", told.before.text
    if told.by is None:
        return wrapped(f"{mark} {shown.words('pay.changed', due=now, before=before)}", cells, role)
    return wrapped(f"{mark} {shown.words('pay.added', name=named(told.by), due=now, before=before)}", cells, role)


def named(held: LineView) -> str:
    """A line's name with its variant."""
    return f"{held.name}, {held.variant}" if held.variant else held.name
