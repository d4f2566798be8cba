"""Cash: what is due when coins end at a step, and the amounts that people put down."""

from __future__ import annotations

from edge_agent.domain.errors import OutOfBounds
from edge_agent.domain.market import Market
from edge_agent.domain.money import AMOUNT_MINOR_MAX, round_to_step
from edge_agent.domain.tender import Tender, TenderKind

QUICK_AMOUNTS_MAX = 5


def cash_due_minor(rest_minor: int, market: Market) -> int:
    """What is due when the rest is paid in cash: rounded to the market's smallest coin, halves away from zero, or down where that is the custom.

    Only the cash part is rounded, once, on what is still due when cash is chosen; a card's share stays exact.
    """
    step = market.cash_step_minor
    return rest_minor // step * step if market.cash_rounds_down else round_to_step(rest_minor, step)


def cash_tender(tender_id: str, rest_minor: int, given_minor: int | None, market: Market) -> Tender:
    """The tender for ``given_minor`` put down (None: exactly what is due) while ``rest_minor`` was still to pay.

    Less than is due settles a part, without rounding. Raises OutOfBounds (reason ``cash_step``) for an amount that no coins make,
    (``cash_amount``) for one that is nothing or absurd.
    """
    due = cash_due_minor(rest_minor, market)
    given = due if given_minor is None else given_minor
    if given % market.cash_step_minor:
        raise OutOfBounds("No coins make that amount.", hint="Type an amount that ends at the smallest coin.", reason="cash_step")
    if not 0 <= given <= AMOUNT_MINOR_MAX or (given == 0 and due > 0):
        raise OutOfBounds("That is no amount of cash.", hint="Type what the customer gave.", reason="cash_amount")
    if given < due:
        return Tender(tender_id, TenderKind.CASH, given, settled_minor=given, given_minor=given)
    return Tender(
        tender_id, TenderKind.CASH, rest_minor, settled_minor=rest_minor, given_minor=given, change_minor=given - due, rounding_minor=due - rest_minor
    )


def quick_amounts(rest_minor: int, market: Market) -> tuple[int, ...]:
    """What is likely to be put down for ``rest_minor``: exact, then what the market's notes make of it, ascending.

    >>> from edge_agent.domain.market import GERMANY
    >>> quick_amounts(3720, GERMANY)
    (3720, 4000, 5000, 10000)
    """
    due = cash_due_minor(rest_minor, market)
    if due <= 0:
        return (0,)
    rounded_up = {-(-due // note) * note for note in market.notes_minor}
    return (due, *sorted(amount for amount in rounded_up if amount > due))[:QUICK_AMOUNTS_MAX]
