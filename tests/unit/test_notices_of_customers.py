"""What the messages say of a customer goes when the customer does: nobody reads yesterday's names off the list."""

from __future__ import annotations

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.reading import Reading
from edge_agent.views import NoticeView
from tests.support_drawing import DE, EN, joined, shown
from tests.support_register import MARIA, OMAR
from tests.support_shop import Rig, register
from tui.drawing.foot import notice
from tui.drawing.rows import notice_row
from tui.messages import Words
from tui.said import Said

COAT = b"4006381333931"
LOYALTY = b"LOY0000000001"
NOBODYS = b"LOY0000009999"


async def scanned(rig: Rig, code: bytes) -> None:
    await rig.till.scanned(Reading(code, "scanner", rig.core.ports.clock.now_ms()))


def said(rig: Rig) -> str:
    return " ".join(f"{notice.key} {notice.text} {notice.hint} {dict(notice.shown)}" for notice in rig.core.desk.notices)


@pytest.mark.parametrize("leaves", ["pays", "steps aside", "is voided", "is detached"])
async def test_a_customers_name_leaves_the_list_of_messages_with_the_customer(tmp_path, leaves):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await scanned(rig, LOYALTY)
        await scanned(rig, COAT)
        assert MARIA.name in said(rig)
        match leaves:
            case "pays":
                await rig.till.paying.cash(rig.presenter.snapshot().basket.total.minor, "")
            case "steps aside":
                await rig.till.set_aside(do.Suspend(""), "")
            case "is voided":
                await rig.till.void("scanned wrongly", "")
            case "is detached":
                await rig.till.clienteling.detach("")
        assert MARIA.name not in said(rig)
        assert "notice.shift_opened" in said(rig)  # the rest stays


async def test_a_number_that_nobody_was_known_by_goes_with_the_end_of_the_shift(tmp_path):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await scanned(rig, NOBODYS)
        assert NOBODYS.decode() in said(rig)
        await rig.till.day.close("")
        assert NOBODYS.decode() not in said(rig)
        assert "notice.shift_closed" in said(rig)


async def test_the_name_of_a_customer_whose_place_another_took_goes_too(tmp_path):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await scanned(rig, LOYALTY)
        await scanned(rig, b"LOY0000000002")
        await rig.till.clienteling.answered(rig.core.desk.question.id, "replace", "")
        assert MARIA.name not in said(rig)
        assert OMAR.name in said(rig)


async def test_a_customer_who_comes_when_too_much_is_paid_is_named_until_the_sale_ends(tmp_path):
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await scanned(rig, COAT)
        await rig.till.paying.cash(18_000, "")
        await scanned(rig, LOYALTY)
        told = rig.presenter.snapshot().notice
        assert told.text == "Maria Fernandez was not put on this sale: part of it is paid already."
        for words, begins in ((EN, "Maria Fernandez was not put"), (DE, "Maria Fernandez wurde diesem Verkauf nicht")):
            assert words.notice(told)[0].startswith(begins)
            hidden = shown(rig.presenter.snapshot(), words, name_hidden=True)
            assert all("Fernandez" not in joined(drawn) for drawn in (notice(hidden, 80), [notice_row(hidden, told, 80)]))
            assert "M. F. w" in joined(notice(hidden, 80))
        await rig.till.paying.cash(1_900, "")
        assert rig.core.state.basket is None
        assert MARIA.name not in said(rig)


def test_the_screens_own_list_forgets_by_what_a_customer_was_looked_for():
    kept = Said()
    kept.keep(NoticeView("code_unknown.customer", "bad", "No customer is known by LOY0000009999.", at_ms=1))
    kept.keep(NoticeView("not_now.customer_part_paid", "bad", "Maria Fernandez was not put on this sale.", at_ms=1))
    kept.keep(NoticeView("code_unknown.article", "bad", "No article.", at_ms=2))
    kept.customer_left()
    assert [notice.key for notice in kept.among([], Words("en"))] == ["code_unknown.article"]
