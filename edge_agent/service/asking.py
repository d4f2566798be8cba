"""What a "yes" to the open question would change, so that it is said before it is answered."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain import commands as do
from edge_agent.domain.decide import decide
from edge_agent.domain.errors import RuleError
from edge_agent.domain.events import CartReleased
from edge_agent.domain.quantity import Unit
from edge_agent.domain.register import evolve
from edge_agent.service.core import Core
from edge_agent.service.desk import Question
from edge_agent.service.offers import offers_of_basket


class Change(Struct, frozen=True):
    """The total before and after, and how many pieces of the former customer's online cart, still to be picked, leave the basket."""

    before_minor: int
    after_minor: int
    leaves_pieces: int


def change_of(core: Core, question: Question) -> Change | None:
    """What changing the basket's customer would lead to now, by the very rules that it will follow; None for another question, or when it would be refused."""
    basket, customer = core.state.basket, question.about
    if basket is None or customer is None:
        return None
    command = do.AttachCustomer(customer, question.identified_by, offers_of_basket(core, customer.tier))
    try:
        events = decide(core.state, command, core.moment())
    except RuleError:
        return None
    after = core.state
    for event in events:
        after = evolve(after, event)
    assert after.basket is not None
    released = any(isinstance(event, CartReleased) for event in events)
    market, wanted = core.shop.market, [line.quantity for line in basket.to_pick] if released else []
    leaves = sum(quantity.amount if quantity.unit is Unit.PIECE else 1 for quantity in wanted)
    return Change(basket.totals(market).total_minor, after.basket.totals(market).total_minor, leaves)
