"""A scan while a list, a page or a box lies on the sale: what it did is said there, at once, and the screen stays where it is."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import AddArticle, PriceView, RepriceView, Snapshot
from tests.support_service import ScriptedService, article
from tests.support_snapshots import COAT, MARIA, PARKED, PRALINES, READY, SALE, SOCKS, SUSPENDED, basket, euros, payment, selling
from tests.support_till import till

replace = msgspec.structs.replace
BEFORE = selling(COAT, SOCKS, suspended=[SUSPENDED], parked=[PARKED])
AFTER = selling(COAT, SOCKS, PRALINES, suspended=[SUSPENDED], parked=[PARKED])
SAID = ("Pralines, mixed was added. Now due: 200,64 EUR", "184,20).")
SCREENS = [
    (("f3",), "Find a customer"),
    (("f4",), "Find an article"),
    (("f7",), "Suspended and parked"),
    (("f9",), "What else?"),
    (("f9", "n"), "Messages"),
    (("f9", "s"), "Past sales"),
    (("f9", "s", "enter"), "Returns cannot be done at this register yet"),
    (("f9", "d"), "Devices"),
    (("ctrl+p",), "Find a command"),
    (("f8",), "Discount"),
    (("f1",), "Keys here"),
    (("q",), "A number of pieces (3)."),
    (("delete",), "out of the basket?"),
    (("f9", "v"), "Void this basket"),
    (("f9", "b"), "Who takes over?"),
]


def served(snapshot: Snapshot) -> ScriptedService:
    service = ScriptedService(snapshot)
    service.articles = [article("SKU-9", "Woolly pralines", "", "04006381333962", 3990, "39,90", "kg")]
    service.sales = [SALE]
    service.receipt = ["Wool coat"]
    return service


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize(("keys", "heading"), SCREENS, ids=[" ".join(keys) for keys, _ in SCREENS])
async def test_what_a_scan_added_is_said_on_every_screen_that_lies_on_the_sale(keys: tuple[str, ...], heading: str, size: tuple[int, int]) -> None:
    async with till(served(BEFORE), size=size) as counter:
        await counter.press(*keys)
        await counter.sees(heading)
        assert "was added" not in counter.text()
        await counter.shows(AFTER)
        await counter.sees(heading, *SAID)
        assert counter.service.commands == []


async def test_on_the_customers_page_too() -> None:
    async with till(replace(BEFORE, customer=MARIA), size=(80, 24)) as counter:
        await counter.press("f3")
        await counter.sees("Online cart", "N notes")
        await counter.shows(replace(AFTER, customer=MARIA))
        await counter.sees(*SAID, "N notes")


async def test_the_first_article_of_a_basket_is_told_as_well_and_more_of_one() -> None:
    async with till(READY, size=(80, 24)) as counter:
        await counter.press("f4")
        await counter.sees("Find an article")
        await counter.shows(selling(replace(SOCKS, pieces=1, quantity="", amount=euros(1250))))
        await counter.sees("Socks, merino, 39-42 was added. Now due: 12,50 EUR (before: 0,00).")
        await counter.shows(selling(SOCKS))
        await counter.sees("Socks, merino, 39-42 was added. Now due: 25,00 EUR (before: 12,50).")
        await counter.shows(READY)
        assert "was added" not in counter.text()


async def test_a_price_that_changed_with_the_customer_is_no_article_that_was_added() -> None:
    member = replace(SOCKS, unit_price=euros(1000), amount=euros(2000), gross=euros(2000), source="member")
    async with till(selling(SOCKS), size=(80, 24)) as counter:
        await counter.press("f4")
        await counter.shows(selling(member, customer=MARIA, repriced=RepriceView(euros(2500), euros(2000))))
        await counter.sees("The basket changed. Now due: 20,00 EUR (before: 25,00).")
        assert "was added" not in counter.text()


async def test_the_price_that_a_scan_asked_for_is_said_in_place() -> None:
    async with till(replace(selling(SOCKS), next_is_check=True), size=(80, 24)) as counter:
        await counter.press("f4")
        await counter.sees("it is priced, not sold")
        await counter.shows(selling(SOCKS, price_check=PriceView("SKU-1", "Wool coat", "navy, 38", euros(19900), "piece")))
        await counter.sees("Wool coat, navy, 38", "price each, not sold", "Find an article")


async def test_what_the_screen_itself_sells_is_not_told_as_a_scan() -> None:
    service = served(BEFORE)
    service.on(AddArticle, lambda snapshot, command: AFTER)
    async with till(service) as counter:
        told: list[object] = []
        await counter.press("f4")
        await counter.type("wool")
        await counter.sees("1 found")
        screen = counter.app.screen
        screen.has_grown = lambda: told.append(screen)  # type: ignore[attr-defined]
        await counter.press("enter")
        await counter.until(lambda: "Find an article" not in counter.text(), "the list closing")
        assert told == []


async def test_what_was_said_goes_with_the_basket() -> None:
    async with till(served(BEFORE), size=(80, 24)) as counter:
        await counter.press("f9", "n")
        await counter.sees("Messages")
        await counter.shows(AFTER)
        await counter.sees(*SAID)
        held = replace(basket(COAT), id="another")
        await counter.shows(replace(AFTER, basket=held, payment=payment(15920)))
        assert "was added" not in counter.text()
