"""Opening the register by a badge and a float, what it shows while it is closed, and closing it."""

from __future__ import annotations

from msgspec.structs import replace

from edge_agent.views import CheckBadge, ForgetBadge, OpeningView, OpenShift, Problem
from tests.support_service import ScriptedService
from tests.support_snapshots import CLOSED, READY, SALE
from tests.support_till import till

NOBODY = Problem("about:blank", "No", 404, "Nobody.", "code_unknown.badge", shown={"code": "9"})


async def test_a_typed_badge_is_asked_for_the_float_and_opens_the_register() -> None:
    service = ScriptedService(CLOSED)
    service.on(OpenShift, lambda snapshot, command: READY)
    async with till(service) as counter:
        await counter.sees("Who opens this register?", "no shift is open")
        await counter.type("1001")
        await counter.press("enter")
        await counter.sees("How much money is in the drawer?")
        await counter.type("150,00")
        await counter.press("enter")
        assert await counter.sent(OpenShift) == OpenShift("1001", 15000)
        await counter.sees("Scan an article, a customer's card")


async def test_an_empty_float_is_none_and_escape_goes_back_to_the_badge() -> None:
    async with till(CLOSED) as counter:
        await counter.type("1001")
        await counter.press("enter")
        await counter.sees("How much money")
        await counter.press("escape")
        await counter.sees("Who opens this register?")
        await counter.type("1002")
        await counter.press("enter")
        await counter.type("x")
        await counter.press("enter")
        await counter.sees("That is no amount. Type it like 150,50.")
        await counter.press("ctrl+u", "enter")
        assert await counter.sent(OpenShift) == OpenShift("1002", 0)


async def test_what_was_said_of_the_float_goes_with_the_way_back_to_the_badge() -> None:
    async with till(CLOSED) as counter:
        await counter.type("1001")
        await counter.press("enter")
        await counter.sees("How much money")
        await counter.type("abc")
        await counter.press("enter")
        await counter.sees("That is no amount.")
        await counter.press("escape")
        await counter.sees("Who opens this register?")
        assert "That is no amount." not in counter.text()


async def test_an_unknown_badge_is_refused_before_a_float_is_asked_for() -> None:
    service = ScriptedService(CLOSED)
    service.on(CheckBadge, lambda snapshot, command: NOBODY)
    async with till(service) as counter:
        await counter.press("enter")
        await counter.type("9")
        await counter.press("enter")
        await counter.sees("The badge 9 belongs to nobody here.", "Who opens this register?")
        assert counter.service.commands == [CheckBadge("9")]


async def test_a_badge_that_is_refused_is_asked_for_again() -> None:
    service = ScriptedService(CLOSED)
    service.on(OpenShift, lambda snapshot, command: NOBODY)
    async with till(service) as counter:
        await counter.type("9")
        await counter.press("enter", "enter")
        await counter.sees("The badge 9 belongs to nobody here.", "Who opens this register?")


async def test_escape_that_was_refused_asks_for_the_float_again() -> None:
    service = ScriptedService(replace(CLOSED, opening=OpeningView("STAFF-1001", "Ayse K.")))
    service.on(ForgetBadge, lambda snapshot, command: NOBODY)
    async with till(service) as counter:
        await counter.sees("How much money is in the drawer?", "Ayse K.")
        await counter.press("escape")
        await counter.sees("belongs to nobody here.", "How much money is in the drawer?", "Ayse K.")
        assert counter.service.commands == [ForgetBadge("STAFF-1001")]


async def test_a_float_that_could_not_be_told_stays_typed() -> None:
    service = ScriptedService(replace(CLOSED, opening=OpeningView("STAFF-1001", "Ayse K.")))
    service.on(OpenShift, lambda snapshot, command: Problem("about:blank", "No", 507, "The disk is full.", "disk_full"))
    async with till(service) as counter:
        await counter.sees("How much money is in the drawer?")
        await counter.type("150")
        await counter.press("enter")
        assert await counter.sent(OpenShift) == OpenShift("STAFF-1001", 15000)
        await counter.sees("The disk of the register is full.", "How much money is in the drawer?", "150")


async def test_a_shift_opened_elsewhere_shows_the_sale_by_itself() -> None:
    async with till(CLOSED) as counter:
        await counter.shows(READY)
        await counter.sees("Scan an article, a customer's card")
        await counter.type("4")
        await counter.sees("› 4")


async def test_a_closed_register_sells_nothing_but_shows_past_sales_and_devices() -> None:
    service = ScriptedService(CLOSED)
    service.sales = [SALE]
    async with till(service) as counter:
        await counter.press("f4")
        await counter.sees("No shift is open.")
        await counter.press("f9", "s")
        await counter.sees("R-0001-02-000123")
        await counter.press("escape")
        await counter.sees("Who opens this register?")


async def test_closing_the_shift_closes_whatever_was_open() -> None:
    async with till(READY) as counter:
        await counter.press("f4")
        await counter.sees("Find an article")
        await counter.shows(CLOSED)
        await counter.sees("Who opens this register?")
