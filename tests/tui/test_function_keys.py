"""The other function keys of a sale: suspending, recalling, price checks, the menu, the palette, and help."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import AddDepartment, CloseShift, NextIsCheck, PrintReceipt, Recall, SignIn, Suspend, TenderView, VoidBasket
from tests.support_service import ScriptedService
from tests.support_snapshots import COAT, FULL, MARIA, MINUTE, NOW, PARKED, READY, SALE, SUSPENDED, UNKNOWN_CODE, euros, ident, payment, selling
from tests.support_till import till

replace = msgspec.structs.replace
BASKET = ident("basket")


# --- setting aside, pricing, voiding ---------------------------------------------------------------------------------------------


async def test_f6_suspends_with_a_word_or_without() -> None:
    async with till(FULL) as counter:
        await counter.press("f6")
        await counter.sees("Suspend this basket")
        await counter.type("umbrella")
        await counter.press("enter")
        assert await counter.sent(Suspend) == Suspend("umbrella", BASKET)
        await counter.press("f6", "enter")
        assert await counter.sent(Suspend, 2) == Suspend("", BASKET)


async def test_f7_brings_back_what_was_chosen() -> None:
    async with till(replace(READY, suspended=[SUSPENDED], parked=[PARKED])) as counter:
        await counter.sees("F7 recall 2", "1 basket suspended", "1 payment is being clarified")
        await counter.press("f7")
        await counter.sees("lady with the umbrella", "parked · Outcome not known yet")
        await counter.press("down", "enter")
        assert await counter.sent(Recall) == Recall(SUSPENDED.id)


async def test_what_is_said_at_the_foot_of_the_list_goes_with_the_marked_row() -> None:
    unclear = replace(PARKED, review_ms=NOW + 10 * MINUTE)
    undecided = replace(PARKED, id=ident("undecided"), attempt="needs_review")
    unpaid = replace(PARKED, id=ident("unpaid"), kind="unpaid", attempt="")
    async with till(replace(READY, suspended=[SUSPENDED], parked=[unclear, undecided, unpaid]), size=(80, 24)) as counter:
        await counter.press("f7")
        await counter.sees("Enter recall, with its payment", "From 14:17 on a manager can decide it")
        await counter.press("down")
        await counter.sees("Enter recall and decide its payment", "A manager can decide it now")
        assert "From 14:17" not in counter.text()
        await counter.press("down")
        await counter.sees("Enter recall and take the money")
        assert "manager" not in counter.text()
        await counter.press("down")
        await counter.sees("Enter recall  ↑↓ choose")
        await counter.press("pageup")
        await counter.sees("Enter recall, with its payment", "From 14:17 on a manager can decide it")


async def test_f7_without_anything_set_aside_says_so() -> None:
    async with till(READY) as counter:
        await counter.press("f7")
        await counter.sees("Nothing is suspended or parked.")


async def test_f10_asks_for_a_price_and_escape_sells_again() -> None:
    async with till(READY) as counter:
        await counter.press("f10")
        assert await counter.sent(NextIsCheck) == NextIsCheck(on=True)
        await counter.shows(next_is_check=True)
        await counter.sees("How much is this?")
        await counter.press("escape")
        assert await counter.sent(NextIsCheck, 2) == NextIsCheck(on=False)


async def test_a_basket_that_is_paid_in_part_is_not_voided_and_that_is_said_before_anything_is_asked() -> None:
    partly = [TenderView(ident("cash"), "cash", "settled", euros(10_000))]
    async with till(replace(FULL, payment=payment(10_064, paid=10_000, tenders=partly))) as counter:
        await counter.press("f9", "v")
        await counter.sees("Part of it is paid: give that back (F2, Del), complete the sale, or suspend it (F6). What the terminal cannot give back,")
        assert "customer changed their mind" not in counter.text()
        assert counter.service.commands == []


async def test_void_asks_a_reason_and_escape_keeps_the_basket() -> None:
    async with till(FULL) as counter:
        await counter.press("f9", "v")
        await counter.sees("Void this basket of 200,64 EUR?")
        await counter.press("escape")
        await counter.sees("F2 pay")
        assert counter.service.commands == []
        await counter.press("f9", "v", "2", "enter")
        await counter.sees("Say it in words.")
        await counter.press("backspace", "down", "enter")
        assert await counter.sent(VoidBasket) == VoidBasket("could not pay")


# --- the menu --------------------------------------------------------------------------------------------------------------------


async def test_an_unknown_code_is_sold_by_department_with_the_code_kept() -> None:
    service = ScriptedService(replace(READY, notice=UNKNOWN_CODE))
    service.departments = ["fashion", "beauty"]
    async with till(service) as counter:
        await counter.press("f9", "t")
        await counter.sees("for the unknown code 4006381333931")
        await counter.type("abc")
        await counter.press("enter")
        await counter.sees("That is no price. Type it like 150,50.")
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


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("none", {"en": "Nothing is open about receipt", "de": "Zu Bon R-0001-02-000123 ist nichts offen"}),
        ("printed", {"en": "Receipt R-0001-02-000123 was printed; Enter shows it, and P prints a copy.", "de": "Bon R-0001-02-000123 wurde gedruckt"}),
        ("printing", {"en": "is being printed", "de": "wird gerade gedruckt"}),
        ("unclear", {"en": "look at the paper", "de": "auf das Papier sehen"}),
        ("unknown", {"en": "was perhaps printed", "de": "wurde vielleicht gedruckt"}),
    ],
)
async def test_a_receipt_that_is_not_to_be_printed_first_says_why_its_key_shows_the_past_sales(state: str, says: dict[str, str], locale: str) -> None:
    service = ScriptedService(replace(READY, last_sale=replace(SALE, print_state=state)))
    service.sales = [SALE]
    async with till(service, locale=locale) as counter:
        await counter.press("f9", "p")
        await counter.sees("Past sales" if locale == "en" else "Frühere Verkäufe", says[locale])
        assert service.commands == []


async def test_a_customer_without_a_cart_is_said_so_with_the_age_of_the_copy_that_knows_none() -> None:
    away = replace(selling(COAT).link, state="offline")
    copy = replace(MARIA, cart=None, fresh=False, as_of_ms=NOW - 30 * MINUTE)
    async with till(replace(selling(COAT), customer=copy, link=away)) as counter:
        await counter.press("f5")
        await counter.sees("No online cart of this customer is known (as of 13:37); central may know one.")
        await counter.shows(replace(selling(COAT), view=9, customer=replace(copy, as_of_ms=0), link=away))
        await counter.press("f5")
        await counter.sees("No online cart of this customer is known (age unknown)")
        await counter.shows(replace(selling(COAT), view=10, customer=replace(copy, fresh=True)))
        await counter.press("f5")
        await counter.sees("This customer has no online cart.")


# --- what the keys are -----------------------------------------------------------------------------------------------------------


async def test_ctrl_p_finds_a_command_by_a_part_of_its_name() -> None:
    async with till(FULL) as counter:
        await counter.press("ctrl+p")
        await counter.type("susp")
        await counter.sees("F6     suspend")
        await counter.press("enter")
        await counter.sees("Suspend this basket")


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
     (("f6",), "Suspending"), (("delete",), "Are you sure?")],
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
