"""The sale screen by its keys: every act of a sale, through the service, without a mouse."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from edge_agent.views import (
    AddArticle,
    AddDepartment,
    AttachCustomer,
    CheckPrice,
    CloseShift,
    CustomerRowView,
    DetachCustomer,
    DiscountBasket,
    DiscountLine,
    Enter,
    LoadCart,
    NextIsCheck,
    NextQuantity,
    NoticeView,
    PrintReceipt,
    Problem,
    Recall,
    ReleaseCart,
    RemoveLine,
    RepriceView,
    SetQuantity,
    SignIn,
    Snapshot,
    Suspend,
    VoidBasket,
)  # fmt: skip
from tests.support_service import ScriptedService, article
from tests.support_snapshots import (
    CART,
    COAT,
    GLOVES,
    MARIA,
    NOW,
    PARKED,
    PRALINES,
    READY,
    SALE,
    SCARF,
    SOCKS,
    SUSPENDED,
    UNKNOWN_CODE,
    basket,
    euros,
    ident,
    line,
    selling,
)  # fmt: skip
from tests.support_till import till

replace = msgspec.structs.replace
FULL = selling(COAT, SOCKS, PRALINES)
WOOL = [
    article("SKU-1", "Wool coat", "navy, 38", "04006381333931", 19900, "199,00"),
    article("SKU-3", "Wool scarf", "navy", "04006381333955", 4900, "49,00"),
]


def refusal(key: str, detail: str, hint: str = "", **shown: str) -> Problem:
    return Problem("about:blank", "Refused", 409, detail, key, hint, shown)


# --- typing ----------------------------------------------------------------------------------------------------------------------


async def test_typing_goes_to_the_entry_line_and_enter_sends_it() -> None:
    async with till(READY) as counter:
        await counter.type("40063")
        await counter.sees("› 40063")
        await counter.press("enter")
        assert (await counter.sent(Enter)).text == "40063"
        await counter.sees("› scan, or type a code")


async def test_a_quantity_and_a_code_in_one_go_are_two_commands_in_their_order() -> None:
    async with till(READY) as counter:
        await counter.type("3*40063")
        await counter.press("enter")
        await counter.sent(Enter)
        assert counter.service.commands == [NextQuantity("3"), Enter("40063")]


async def test_a_weight_before_the_star_is_a_quantity_too() -> None:
    async with till(READY) as counter:
        await counter.type("0,412 kg*")
        assert (await counter.sent(NextQuantity)).text == "0,412 kg"


async def test_a_star_within_a_code_is_only_a_character() -> None:
    async with till(READY) as counter:
        await counter.type("AB*")
        await counter.sees("› AB*")
        assert counter.service.commands == []


async def test_the_next_quantity_is_shown_and_taken_back_with_escape() -> None:
    async with till(replace(READY, next_quantity="3")) as counter:
        await counter.sees("3 × scan")
        await counter.press("escape")
        assert (await counter.sent(NextQuantity)).text == ""


async def test_escape_clears_the_line_first() -> None:
    async with till(replace(READY, next_quantity="3")) as counter:
        await counter.type("123")
        await counter.press("escape")
        await counter.sees("3 × scan")
        assert counter.service.commands == []


async def test_typing_works_wherever_the_focus_is() -> None:
    async with till(FULL) as counter:
        await counter.press("tab", "tab", "4")
        await counter.sees("› 4")


async def test_text_that_arrives_at_once_is_taken_like_typing() -> None:
    async with till(READY) as counter:
        entry = counter.app.screen.entry
        assert entry is not None
        entry.take("LOY1234567890")
        await counter.press("enter")
        assert (await counter.sent(Enter)).text == "LOY1234567890"


# --- the chosen line -------------------------------------------------------------------------------------------------------------


async def test_the_newest_line_is_the_one_the_keys_mean() -> None:
    async with till(FULL) as counter:
        await counter.press("delete")
        await counter.sees("Take Pralines, mixed out of the basket?")
        await counter.press("delete")
        assert (await counter.sent(RemoveLine)).line == PRALINES.id


async def test_up_chooses_another_line_and_escape_keeps_it_in_the_basket() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up", "delete")
        await counter.sees("Take Wool coat, navy, 38 out of the basket?")
        await counter.press("escape")
        assert counter.service.commands == []
        await counter.sees("F2 pay")


async def test_a_scan_does_not_move_the_choice_under_the_hands() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up")
        hat = line(6, "Hat, felt", 3900)
        await counter.shows(selling(COAT, SOCKS, PRALINES, hat))
        await counter.press("delete")
        await counter.sees("Take Wool coat, navy, 38 out")
        await counter.press("escape")


async def test_later_a_scan_is_the_chosen_line_again() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up")
        counter.clock.seconds += 10
        await counter.shows(selling(COAT, SOCKS, PRALINES, line(6, "Hat, felt", 3900)))
        await counter.sees("›  6 Hat, felt")


async def test_a_removal_that_is_asked_about_goes_away_when_its_line_does() -> None:
    async with till(FULL) as counter:
        await counter.press("delete")
        await counter.sees("Take Pralines")
        await counter.shows(selling(COAT, SOCKS))
        await counter.until(lambda: "Take Pralines" not in counter.text(), "the question going")


async def test_plus_and_minus_change_the_pieces_of_the_chosen_line() -> None:
    async with till(selling(COAT, SOCKS)) as counter:
        await counter.type("+")
        assert await counter.sent(SetQuantity) == SetQuantity(SOCKS.id, "3")
        await counter.type("-")
        assert await counter.sent(SetQuantity, 2) == SetQuantity(SOCKS.id, "1")


async def test_minus_on_the_last_piece_asks_before_it_removes() -> None:
    async with till(selling(SOCKS, COAT)) as counter:
        await counter.type("-")
        await counter.sees("Take Wool coat, navy, 38 out of the basket?")
        assert counter.service.commands == []


async def test_q_types_a_quantity_and_a_refusal_stays_in_the_box_with_what_was_typed() -> None:
    service = ScriptedService(selling(SOCKS))
    service.on(SetQuantity, lambda snapshot, command: refusal("out_of_bounds.quantity", "No.", got="99999", max="9999"))
    async with till(service) as counter:
        await counter.press("q")
        await counter.sees("Quantity", "Socks, merino, 39-42")
        await counter.type("99999")
        await counter.press("enter")
        assert await counter.sent(SetQuantity) == SetQuantity(SOCKS.id, "99999")
        await counter.sees("▲ 99999 is not possible: 1 to 9999.")
        await counter.sees("99999")
        await counter.press("escape")
        await counter.until(lambda: "Quantity" not in counter.text(), "the box closing")


async def test_a_basket_longer_than_the_screen_keeps_the_newest_line_in_sight() -> None:
    many = [line(n, f"Article {n}", 100 + n) for n in range(1, 61)]
    async with till(selling(*many), size=(80, 24)) as counter:
        await counter.sees("› 60 Article 60", "rows above")
        await counter.press("pageup", "pageup", "pageup", "pageup", "pageup", "pageup", "pageup")
        await counter.sees("›  1 Article 1", "rows below")
        await counter.press("pagedown")
        await counter.until(lambda: "›  1 Article 1" not in counter.text(), "the page")


# --- function keys ---------------------------------------------------------------------------------------------------------------


async def test_f4_finds_an_article_by_typing_and_enter_sells_it() -> None:
    service = ScriptedService(READY)
    service.articles = WOOL
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("wool navy")
        await counter.sees("Wool coat, navy, 38", "Wool scarf, navy", "2 found in the local copy, as of 14:05")
        await counter.press("down", "enter")
        assert await counter.sent(AddArticle) == AddArticle("SKU-3")
        await counter.sees("F2 pay")


async def test_three_star_before_the_words_sells_three() -> None:
    service = ScriptedService(READY)
    service.articles = WOOL
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("3*scarf")
        await counter.press("enter")
        assert await counter.sent(AddArticle) == AddArticle("SKU-3", "3")


async def test_f10_in_the_search_prices_what_is_marked_without_selling_it() -> None:
    service = ScriptedService(READY)
    service.articles = WOOL
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("scarf")
        await counter.sees("Wool scarf, navy")
        await counter.press("f10")
        assert await counter.sent(CheckPrice) == CheckPrice("SKU-3")
        assert counter.of(AddArticle) == []


async def test_nothing_found_says_what_else_can_be_done() -> None:
    async with till(READY) as counter:
        await counter.press("f4")
        await counter.type("zzz")
        await counter.sees("Nothing here is called “zzz”", "F9 T sells it by department")
        await counter.press("enter")
        assert counter.service.commands == []


async def test_a_refused_article_leaves_the_search_open_and_says_why() -> None:
    service = ScriptedService(READY)
    service.articles = WOOL
    service.on(AddArticle, lambda snapshot, command: refusal("code_unknown.no_price", "No price.", name="Wool scarf"))
    async with till(service) as counter:
        await counter.press("f4")
        await counter.type("scarf")
        await counter.press("enter")
        await counter.sees("Wool scarf has no price today.", "Find an article")
        assert counter.app.bells == 1


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
        await counter.sees("The notes did not come")


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
        await counter.sees("Shall the basket be nobody's again?")
        await counter.press("enter")
        await counter.sent(DetachCustomer)


async def test_f5_loads_the_online_cart_and_asks_before_it_lets_goods_to_pick_go() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        await counter.press("f5")
        assert await counter.sent(LoadCart) == LoadCart(CART.id)
        await counter.shows(selling(COAT, SCARF, GLOVES, customer=replace(MARIA, cart=replace(CART, state="here"))))
        await counter.press("f5")
        await counter.sees("3 articles still to pick leave the basket")
        await counter.press("enter")
        await counter.sent(ReleaseCart)


async def test_f5_without_a_customer_says_what_to_do() -> None:
    async with till(selling(COAT)) as counter:
        await counter.press("f5")
        await counter.sees("Nobody is attached. Scan the customer's card, or F3.")
        assert counter.service.commands == []


async def test_f6_suspends_with_a_word_or_without() -> None:
    async with till(FULL) as counter:
        await counter.press("f6")
        await counter.sees("Set this basket aside")
        await counter.type("umbrella")
        await counter.press("enter")
        assert await counter.sent(Suspend) == Suspend("umbrella")
        await counter.press("f6", "enter")
        assert await counter.sent(Suspend, 2) == Suspend("")


async def test_f7_brings_back_what_was_chosen() -> None:
    async with till(replace(READY, suspended=[SUSPENDED], parked=[PARKED])) as counter:
        await counter.sees("F7 recall 2", "1 basket suspended", "1 payment is being clarified")
        await counter.press("f7")
        await counter.sees("lady with the umbrella", "parked: Outcome not known yet")
        await counter.press("down", "enter")
        assert await counter.sent(Recall) == Recall(SUSPENDED.id)


async def test_f7_without_anything_set_aside_says_so() -> None:
    async with till(READY) as counter:
        await counter.press("f7")
        await counter.sees("Nothing is set aside.")


async def test_f8_takes_a_share_off_the_chosen_line_for_a_reason() -> None:
    async with till(FULL) as counter:
        await counter.press("f8")
        await counter.type("20%")
        await counter.press("enter")
        await counter.sees("price promise")
        await counter.press("down", "enter")
        assert await counter.sent(DiscountLine) == DiscountLine(PRALINES.id, "price promise", percent_milli=20_000)


async def test_f8_and_tab_take_an_amount_off_the_whole_basket_for_a_typed_reason() -> None:
    async with till(FULL) as counter:
        await counter.press("f8", "tab")
        await counter.sees("the whole basket")
        await counter.type("5,00")
        await counter.press("enter")
        await counter.type("opening day")
        await counter.press("enter")
        assert await counter.sent(DiscountBasket) == DiscountBasket("opening day", amount_minor=500)


async def test_a_discount_that_is_none_is_said_and_nothing_is_sent() -> None:
    async with till(FULL) as counter:
        await counter.press("f8")
        await counter.type("120%")
        await counter.press("enter")
        await counter.sees("Type a share with % (up to 100%), or an amount.")
        await counter.press("escape")
        assert counter.service.commands == []


async def test_who_may_not_give_discounts_is_told_whom_to_ask() -> None:
    junior = replace(FULL, shift=replace(FULL.shift, rights=[]))
    async with till(junior) as counter:
        await counter.press("f8")
        await counter.sees("You may not do this. A colleague who may can sign in (F9 B).")


async def test_f10_asks_for_a_price_and_escape_sells_again() -> None:
    async with till(READY) as counter:
        await counter.press("f10")
        assert await counter.sent(NextIsCheck) == NextIsCheck(on=True)
        await counter.shows(next_is_check=True)
        await counter.sees("How much is this?")
        await counter.press("escape")
        assert await counter.sent(NextIsCheck, 2) == NextIsCheck(on=False)


async def test_void_asks_a_reason_and_escape_keeps_the_basket() -> None:
    async with till(FULL) as counter:
        await counter.press("f9", "v")
        await counter.sees("Give up this basket of 200,64 EUR?")
        await counter.press("escape")
        await counter.sees("F2 pay")
        assert counter.service.commands == []
        await counter.press("f9", "v", "down", "enter")
        assert await counter.sent(VoidBasket) == VoidBasket("could not pay")


async def test_an_unknown_code_is_sold_by_department_with_the_code_kept() -> None:
    service = ScriptedService(replace(READY, notice=UNKNOWN_CODE))
    service.departments = ["fashion", "beauty"]
    async with till(service) as counter:
        await counter.press("f9", "t")
        await counter.sees("for the unknown code 4006381333931")
        await counter.type("abc")
        await counter.press("enter")
        await counter.sees("That is no price.")
        await counter.press("ctrl+u")
        await counter.type("12,50")
        await counter.press("enter")
        await counter.sees("Which department?", "12,50 EUR", "beauty")
        await counter.press("down")
        await counter.type("Hair slide")
        await counter.press("enter")
        assert await counter.sent(AddDepartment) == AddDepartment("beauty", 1250, name="Hair slide", code="4006381333931")


async def test_somebody_else_signs_in_and_the_basket_stays() -> None:
    async with till(FULL) as counter:
        await counter.press("f9", "b")
        await counter.type("1002")
        await counter.press("enter")
        assert await counter.sent(SignIn) == SignIn("1002")


async def test_a_badge_scanned_meanwhile_closes_the_sign_in_box() -> None:
    async with till(FULL) as counter:
        await counter.press("f9", "b")
        await counter.sees("Who takes over?")
        await counter.shows(shift=replace(READY.shift, operator="Ben", operator_id="1002"))
        await counter.until(lambda: "Who takes over?" not in counter.text(), "the box closing")


async def test_the_shift_is_closed_after_a_question_and_never_over_a_basket() -> None:
    async with till(FULL) as counter:
        await counter.press("f9", "e")
        await counter.sees("A basket is open: complete, suspend or void it first.")
        await counter.shows(replace(READY, view=9, suspended=[SUSPENDED]))
        await counter.press("f9", "e")
        await counter.sees("Close the shift after 17 sales? 1 suspended basket stays for the next shift.")
        await counter.press("enter")
        await counter.sent(CloseShift)


async def test_a_receipt_that_did_not_print_has_a_key_of_its_own() -> None:
    async with till(replace(READY, last_sale=replace(SALE, print_state="not_printed"))) as counter:
        await counter.sees("Ctrl+R print the receipt")
        await counter.press("ctrl+r")
        assert await counter.sent(PrintReceipt) == PrintReceipt(SALE.id)


async def test_ctrl_p_finds_a_command_by_a_part_of_its_name() -> None:
    async with till(FULL) as counter:
        await counter.press("ctrl+p")
        await counter.type("susp")
        await counter.sees("F6     suspend")
        await counter.press("enter")
        await counter.sees("Set this basket aside")


async def test_function_keys_mean_the_same_on_a_list() -> None:
    async with till(FULL) as counter:
        await counter.press("f9")
        await counter.sees("What else?")
        await counter.press("f2")
        await counter.sees("How does the customer pay?")
        await counter.press("escape", "f4", "f3")
        await counter.sees("Find a customer")
        await counter.press("escape")
        await counter.sees("F8 discount")


@pytest.mark.parametrize(
    ("keys", "title"),
    [((), "The sale"), (("4",), "Typing"), (("up", "tab"), "The basket"), (("f4",), "Finding an article"), (("f9",), "The menu"), (("f2",), "Paying"),
     (("f6",), "Setting aside"), (("delete",), "Are you sure?")],
)  # fmt: skip
async def test_f1_explains_what_has_the_focus(keys: tuple[str, ...], title: str) -> None:
    async with till(FULL) as counter:
        await counter.press(*keys)
        if keys == ("up", "tab"):
            await counter.until(lambda: counter.app.screen.focus_topic in ("basket", "customer", "status"), "a pane in focus")
            counter.app.screen.query_one("#basket").focus()
        await counter.press("f1")
        await counter.sees(title, "Keys here")
        await counter.press("f1")
        await counter.until(lambda: "Keys here" not in counter.text(), "help closing")


async def test_help_tells_the_last_message_in_full() -> None:
    async with till(replace(FULL, notice=UNKNOWN_CODE)) as counter:
        await counter.press("f1")
        await counter.sees("The last message", "F9 T sells it by department.")


# --- what is heard and what is said ----------------------------------------------------------------------------------------------


async def test_a_bad_scan_rings_once_however_often_it_is_shown() -> None:
    async with till(READY) as counter:
        await counter.shows(notice=UNKNOWN_CODE)
        assert counter.app.bells == 1
        await counter.shows(devices=[])
        assert counter.app.bells == 1
        await counter.shows(notice=replace(UNKNOWN_CODE, at_ms=NOW + 500))
        assert counter.app.bells == 2
        await counter.shows(notice=NoticeView("notice.picked", "good", "Coat", shown={"name": "Coat"}, at_ms=NOW + 900))
        assert counter.app.bells == 2


async def test_an_old_message_does_not_ring_when_the_screen_opens() -> None:
    async with till(replace(READY, notice=UNKNOWN_CODE)) as counter:
        await counter.sees("4006381333931 is not in the catalogue.")
        assert counter.app.bells == 0


async def test_a_refusal_and_the_notice_about_it_ring_once() -> None:
    service = ScriptedService(READY)

    def unknown(snapshot: Snapshot, command: object) -> Problem:
        service.publish(notice=UNKNOWN_CODE)
        return refusal(UNKNOWN_CODE.key, UNKNOWN_CODE.text, UNKNOWN_CODE.hint, **UNKNOWN_CODE.shown)

    service.on(Enter, unknown)
    async with till(service) as counter:
        await counter.type("40063")
        await counter.press("enter")
        await counter.sees("is not in the catalogue.")
        await counter.until(lambda: counter.app.picture is not None and counter.app.picture.snapshot.view == service.snapshot.view, "both")
        await counter.pilot.pause()
        assert counter.app.bells == 1


async def test_a_sentence_of_our_own_goes_when_the_service_says_something_newer() -> None:
    async with till(FULL) as counter:
        await counter.press("f5")
        await counter.sees("Nobody is attached.")
        await counter.shows(notice=UNKNOWN_CODE)
        await counter.sees("is not in the catalogue")
        assert "Nobody is attached." not in counter.text()


async def test_a_sentence_of_our_own_goes_by_itself() -> None:
    async with till(FULL) as counter:
        await counter.press("f5")
        await counter.sees("Nobody is attached.")
        counter.clock.seconds += 11
        await counter.until(lambda: "Nobody is attached." not in counter.text(), "the sentence going")


async def test_commands_keep_their_order_while_an_answer_is_awaited() -> None:
    service = ScriptedService(READY)
    service.hold = asyncio.Event()
    async with till(service) as counter:
        await counter.type("1")
        await counter.press("enter", "f10")
        await counter.type("2")
        await counter.press("enter")
        counter.clock.seconds += 3
        await counter.sees("One moment", "3 s")
        service.hold.set()
        await counter.sent(Enter, 2)
        assert service.commands == [Enter("1"), NextIsCheck(on=True), Enter("2")]


async def test_a_stuck_key_does_not_pile_up_commands() -> None:
    service = ScriptedService(selling(SOCKS))
    service.hold = asyncio.Event()
    async with till(service) as counter:
        for _ in range(40):
            counter.app.command(SetQuantity(SOCKS.id, "2"))
        await counter.sees("Too many keys at once; the last one was left out.")
        service.hold.set()
        await counter.until(lambda: len(service.commands) >= 32, "the commands that were taken")
        assert len(service.commands) <= 34


async def test_an_older_snapshot_of_the_same_boot_is_ignored_and_another_boot_is_newer() -> None:
    async with till(replace(READY, view=10)) as counter:
        counter.app._take(replace(READY, view=9, store="Old"))
        assert "Berlin Mitte" in counter.text()
        counter.app._take(replace(READY, view=1, boot=ident("another boot"), store="Restarted"))
        await counter.sees("Restarted")


async def test_prices_of_a_member_are_shown_as_before_and_after() -> None:
    async with till(FULL) as counter:
        await counter.shows(customer=MARIA, repriced=RepriceView(euros(21490), euros(20064)))
        await counter.sees("214,90 → 200,64", "Maria Fernandez")


async def test_a_sale_with_nothing_in_hand_cannot_be_paid() -> None:
    picture = replace(READY, phase="selling", basket=basket(SCARF))
    async with till(picture) as counter:
        await counter.press("f2")
        await counter.sees("Nothing is in hand to be paid. Scan an article first.")
