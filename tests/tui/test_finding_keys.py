"""Finding articles (F4), customers (F3) and their online cart (F5) from the sale, by keys."""

from __future__ import annotations

import msgspec

from edge_agent.views import AddArticle, AttachCustomer, CheckPrice, CustomerRowView, DetachCustomer, LoadCart, ReleaseCart, Snapshot
from tests.support_service import ScriptedService, article, refusal
from tests.support_snapshots import CART, COAT, GLOVES, MARIA, NOW, READY, SCARF, selling
from tests.support_till import till

replace = msgspec.structs.replace
WOOL = [
    article("SKU-1", "Wool coat", "navy, 38", "04006381333931", 19900, "199,00"),
    article("SKU-3", "Wool scarf", "navy", "04006381333955", 4900, "49,00"),
]


def wool_shop(snapshot: Snapshot = READY) -> ScriptedService:
    """A service with a coat and a scarf of wool in its catalogue."""
    service = ScriptedService(snapshot)
    service.articles = WOOL
    return service


# --- articles --------------------------------------------------------------------------------------------------------------------


async def test_f4_finds_an_article_by_typing_and_enter_sells_it() -> None:
    service = wool_shop()
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("wool navy")
        await counter.sees("Wool coat, navy, 38", "Wool scarf, navy", "2 found · as of 14:05")
        await counter.press("down", "enter")
        assert await counter.sent(AddArticle) == AddArticle("SKU-3")
        await counter.sees("F2 pay")


async def test_what_to_do_when_nothing_is_found_is_said_whole_on_a_small_screen() -> None:
    async with till(wool_shop(), size=(80, 24)) as counter:
        await counter.press("f4")
        await counter.type("pralzzzz")
        await counter.sees("Nothing is called “pralzzzz” (as of 14:05). Fewer letters find more; F9 T sells it by department.")


async def test_three_star_before_the_words_sells_three() -> None:
    service = wool_shop()
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("3*scarf")
        await counter.press("enter")
        assert await counter.sent(AddArticle) == AddArticle("SKU-3", "3")


async def test_a_number_that_waits_for_the_next_article_is_seen_where_it_is_chosen() -> None:
    async with till(wool_shop(replace(READY, next_quantity="7")), size=(80, 24)) as counter:
        await counter.press("f4")
        await counter.sees("Find an article", "7 ×")
        await counter.shows(replace(READY, next_quantity=""))
        await counter.until(lambda: "7 ×" not in counter.text(), "no number")
        await counter.sees("Find an article")


async def test_f10_in_the_search_prices_what_is_marked_without_selling_it() -> None:
    service = wool_shop()
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("scarf")
        await counter.sees("Wool scarf, navy")
        await counter.press("f10")
        assert await counter.sent(CheckPrice) == CheckPrice("SKU-3")
        assert counter.of(AddArticle) == []


async def test_in_the_search_enter_prices_too_while_a_price_is_asked_for() -> None:
    service = wool_shop(replace(READY, next_is_check=True))
    async with till(service) as counter:
        await counter.sees("it is priced, not sold")
        await counter.press("f4")
        await counter.sees("name, variant or number · it is priced, not sold", "Enter show the price")
        await counter.type("scarf")
        await counter.sees("Wool scarf, navy")
        await counter.press("enter")
        assert await counter.sent(CheckPrice) == CheckPrice("SKU-3")
        assert counter.of(AddArticle) == []


async def test_nothing_found_says_what_else_can_be_done() -> None:
    async with till(READY) as counter:
        await counter.press("f4")
        await counter.type("zzz")
        await counter.sees("Nothing is called “zzz”", "F9 T sells it by department")
        await counter.press("enter")
        assert counter.service.commands == []


async def test_a_refused_article_leaves_the_search_open_and_says_why() -> None:
    service = wool_shop()
    service.on(AddArticle, lambda snapshot, command: refusal("code_unknown.no_price", "No price.", name="Wool scarf"))
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("scarf")
        await counter.press("enter")
        await counter.sees("Wool scarf has no price today.", "Find an article")
        assert counter.app.bells == 1


async def test_more_than_a_search_shows_is_said() -> None:
    service = ScriptedService(READY)
    service.articles = [article(f"S-{n}", f"Coat {n}", "", f"{n:014}", 100, "1,00") for n in range(50)]
    service.more = True
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("coat")
        await counter.sees("The first 50 of many: type more to narrow them down")


# --- the customer and their online cart ------------------------------------------------------------------------------------------


async def test_f3_finds_a_customer_and_shows_nobody_before_something_is_typed() -> None:
    service = ScriptedService(READY)
    service.customers = [CustomerRowView("c-1", "Maria Fernandez", "gold", "…4711", NOW), CustomerRowView("c-2", "Marie Fischer", "", "…0815")]
    async with till(service) as counter:
        await counter.press("f3")
        await counter.sees("Type at least two letters or digits.")
        assert "Maria" not in counter.text()
        await counter.type("mari")
        await counter.sees("Maria Fernandez  Gold", "…0815")
        await counter.press("down", "enter")
        assert await counter.sent(AttachCustomer) == AttachCustomer("c-2")


async def test_f3_shows_the_customer_with_notes_on_request_only() -> None:
    service = ScriptedService(selling(COAT, customer=MARIA))
    service.notes = ["Likes to be called by her first name."]
    async with till(service) as counter:
        await counter.press("f3")
        await counter.sees("Will put the navy scarf aside")
        assert "Likes to be" not in counter.text()
        await counter.press("n")
        await counter.sees("Likes to be called by her first name.")
        await counter.press("n")
        await counter.until(lambda: "Likes to be" not in counter.text(), "the notes going")


async def test_notes_that_do_not_come_say_why() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        await counter.press("f3", "n")
        await counter.sees("The notes cannot be shown")


async def test_h_hides_the_customers_name_everywhere() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        await counter.press("f3", "h")
        await counter.until(lambda: "Fernandez" not in counter.text(), "the name going")
        await counter.press("escape")
        await counter.sees("M. F.")
        assert "Fernandez" not in counter.text()


async def test_the_customer_can_be_let_go_after_a_question() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        await counter.press("f3", "k")
        await counter.sees("Remove the customer from this basket?")
        await counter.press("enter")
        await counter.sent(DetachCustomer)


async def test_f5_loads_the_online_cart_and_asks_before_it_lets_goods_to_pick_go() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        await counter.press("f5")
        assert await counter.sent(LoadCart) == LoadCart(CART.id)
        await counter.shows(with_cart(selling(COAT, SCARF, GLOVES, customer=replace(MARIA, cart=replace(CART, state="here")))))
        await counter.press("f5")
        await counter.sees("3 articles still to pick leave the basket")
        await counter.press("enter")
        await counter.sent(ReleaseCart)


async def test_f5_lets_a_guests_cart_go_that_came_with_nobody() -> None:
    async with till(with_cart(selling(COAT, SCARF))) as counter:
        await counter.press("f5")
        await counter.sees("still to pick")
        await counter.press("enter")
        await counter.sent(ReleaseCart)


def with_cart(snapshot: Snapshot) -> Snapshot:
    """The same with the online cart loaded into its basket."""
    assert snapshot.basket is not None
    return replace(snapshot, basket=replace(snapshot.basket, cart=CART.id))


async def test_f5_without_a_customer_says_what_to_do() -> None:
    async with till(selling(COAT)) as counter:
        await counter.press("f5")
        await counter.sees("No customer yet. Scan their card, or F3.")
        assert counter.service.commands == []
