"""Setting aside, and giving up, a sale that is paid in part, by keys."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import Suspend, TenderView
from tests.support_drawing import shown
from tests.support_snapshots import COAT, READY, RIGHTS, euros, ident, payment, selling
from tests.support_till import till
from tui.acts import BY_NAME

replace = msgspec.structs.replace
CARD = TenderView(ident("tender"), "card", "settled", euros(5_000))
HALF = selling(COAT, payment=payment(14_900, paid=5_000, tenders=(CARD,)))


async def test_f6_sets_a_part_paid_sale_aside() -> None:
    async with till(HALF) as counter:
        await counter.press("f6")
        await counter.sees("Suspend this basket")
        await counter.press("enter")
        assert await counter.sent(Suspend) == Suspend("", ident("basket"))


@pytest.mark.parametrize(
    ("rights", "tender", "refused"),
    [
        (RIGHTS, replace(CARD, reason="unreachable"), ""),
        (RIGHTS, CARD, "refused.part_paid"),
        (RIGHTS, replace(CARD, kind="cash"), "refused.part_paid"),
        (["sale.void"], replace(CARD, reason="unreachable"), "refused.part_paid"),
    ],
)
def test_voiding_what_could_not_be_given_back_is_for_who_may_decide_about_payments(rights: list[str], tender: TenderView, refused: str) -> None:
    held = replace(HALF, payment=payment(14_900, paid=5_000, tenders=(tender,)))
    picture = shown(replace(held, shift=replace(READY.shift, rights=rights)))
    assert BY_NAME["void"].ready(picture) == refused
    assert BY_NAME["suspend"].ready(picture) == ""
