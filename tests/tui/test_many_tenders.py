"""A sale that is paid in many parts, on the smallest usual terminal: the newest part is always in sight."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import NoticeView, TenderView
from tests.support_snapshots import COAT, NOW, PRALINES, SOCKS, euros, ident, payment, selling
from tests.support_till import till

replace = msgspec.structs.replace
TENDERS = tuple(TenderView(ident(f"t{at}"), "cash", "settled", euros(100 * at)) for at in range(1, 10))
PARTS = replace(selling(COAT, SOCKS, PRALINES), payment=payment(15564, paid=4500, tenders=TENDERS))


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
async def test_the_newest_part_is_in_sight_and_how_many_came_before_also_while_an_amount_is_typed(size: tuple[int, int]) -> None:
    async with till(PARTS, size=size) as counter:
        await counter.press("f2")
        await counter.sees("So far", " more", "9,00")
        await counter.type("20")
        await counter.sees("leaves 135,64 to pay", "So far", " more", "9,00")


async def test_the_part_that_was_taken_last_stays_in_sight_when_a_message_takes_rows() -> None:
    async with till(PARTS, size=(80, 24)) as counter:
        await counter.press("f2")
        await counter.sees("So far", "9,00")
        said = NoticeView("x", "warn", "Something that takes more than one row of the message, " * 2, "and what to do about it, said to its end.", at_ms=NOW)
        await counter.shows(replace(PARTS, notice=said))
        await counter.sees("said to its end.", "9,00", " more")
