"""What is drawn from a snapshot: pure functions, values in, lines out."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import DeviceView, DiscountView, LinkView, NoticeView, PriceView, RepriceView, Snapshot, TenderView
from tests.support_snapshots import (
    CART,
    COAT,
    DAY,
    DEVICES,
    GLOVES,
    HOUR,
    MARIA,
    MINUTE,
    NOW,
    PARKED,
    PRALINES,
    READY,
    SALE,
    SCARF,
    SOCKS,
    SUSPENDED,
    TERMINAL_AWAY,
    UNKNOWN_CODE,
    attempt,
    basket,
    euros,
    ident,
    line,
    payment,
    selling,
)  # fmt: skip
from tui.drawing import foot, head, pay, rows, stopped, total
from tui.drawing.basket import basket_rows, empty_rows, order
from tui.drawing.customer import customer_fold, customer_page, customer_panel
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line
from tui.glyphs import ASCII
from tui.messages import Words
from tui.shown import Shown, money

EN, DE = Words("en"), Words("de")
replace = msgspec.structs.replace


def shown(snapshot: Snapshot, words: Words = EN, **more: object) -> Shown:
    return Shown(**{"snapshot": snapshot, "words": words, "now_ms": snapshot.at_ms, "rows": 40, **more})


def texts(lines: list[Line]) -> list[str]:
    return [row.text.rstrip() for row in lines]


def joined(lines: list[Line]) -> str:
    return "\n".join(texts(lines))


def roles(lines: list[Line], text: str) -> set[str]:
    return {piece.role for row in lines for piece in row.pieces if text in piece.text}


# --- the basket ------------------------------------------------------------------------------------------------------------------


def test_amounts_line_up_on_the_decimal_sign_whatever_stands_before_them() -> None:
    drawn = texts([row.line for row in basket_rows(shown(selling(COAT, SOCKS, PRALINES)), "", 76)])
    columns = {row.rindex(",") for row in drawn if row.endswith(tuple("0123456789")) and "," in row and "L2207" not in row}
    assert len(columns) == 1


def test_a_discount_stands_below_its_line_with_its_reason_and_share() -> None:
    drawn = texts([row.line for row in basket_rows(shown(selling(COAT)), "", 60)])
    assert drawn[1].split() == ["winter", "offer", "−20", "%", "-39,80"]


def test_a_quantity_moves_below_the_name_where_there_is_no_room_beside_it() -> None:
    wide = texts([row.line for row in basket_rows(shown(selling(SOCKS)), "", 60)])
    narrow = texts([row.line for row in basket_rows(shown(selling(SOCKS)), "", 40)])
    assert "2 × 12,50" in wide[0]
    assert "2 × 12,50" in narrow[1]


def test_goods_to_pick_stand_apart_say_so_in_words_and_bracket_their_amount() -> None:
    drawn = texts([row.line for row in basket_rows(shown(selling(SCARF, COAT, GLOVES)), "", 76)])
    assert [row.strip(" ▌").split("  ")[0] for row in drawn] == [
        "1 Wool coat, navy, 38", "winter offer −20 %", "From the online cart, still to pick: 3", "○ Scarf, navy", "○ Gloves, lined, M",
    ]  # fmt: skip
    assert drawn[3].endswith("to pick    (49,00)")


def test_the_order_for_the_arrow_keys_is_the_order_that_is_drawn() -> None:
    picture = selling(SCARF, COAT, GLOVES, SOCKS)
    drawn = [row.of for row in basket_rows(shown(picture), "", 76) if row.of]
    assert list(dict.fromkeys(drawn)) == order(picture.basket) == [COAT.id, SOCKS.id, SCARF.id, GLOVES.id]


def test_the_chosen_line_and_the_changed_one_are_marked_without_colour_too() -> None:
    drawn = texts([row.line for row in basket_rows(shown(selling(COAT, SOCKS)), COAT.id, 60)])
    assert drawn[0].startswith("›")
    assert drawn[2].startswith("▌")


@pytest.mark.parametrize(
    ("source", "note"), [("member", "member price, else 249,00"), ("online", "online price, else 249,00"), ("code", "price from the label")]
)
def test_a_price_that_is_not_the_books_says_why(source: str, note: str) -> None:
    held = replace(COAT, source=source, base_price=euros(24900), discounts=[])
    assert note in joined([row.line for row in basket_rows(shown(selling(held)), "", 60)])


def test_what_comes_off_the_whole_basket_stands_at_its_end() -> None:
    picture = replace(READY, basket=basket(COAT, off=500))
    assert texts([row.line for row in basket_rows(shown(picture), "", 60)])[-1].split() == ["goodwill", "-5,00"]


def test_a_line_of_five_hundred_characters_keeps_its_amount() -> None:
    drawn = basket_rows(shown(selling(line(1, "x" * 500, 100))), "", 60)
    assert drawn[0].line.text.rstrip().endswith("1,00")
    assert drawn[0].line.cells == 59


def test_an_empty_counter_says_what_can_be_done_and_what_waits() -> None:
    assert "F7 2 baskets are set aside" in joined(empty_rows(shown(replace(READY, suspended=[SUSPENDED], parked=[PARKED])), 70, 20))


# --- the total -------------------------------------------------------------------------------------------------------------------


def test_the_total_is_large_and_says_what_it_includes() -> None:
    drawn = texts(total.total(shown(selling(COAT, SOCKS)), 100))
    assert len(drawn) == 3
    assert drawn[0].startswith(" 3 articles · includes 29,41 tax")
    assert "▀█  █▀█ █ █" in drawn[0]
    assert drawn[2].endswith("EUR")


def test_exclusive_tax_is_said_as_an_addition() -> None:
    picture = selling(COAT)
    picture = replace(picture, basket=replace(picture.basket, tax_included=False, tax=euros(1413), total=euros(17333)))
    assert "159,20 + 14,13 tax" in joined(total.total(shown(picture), 100))


def test_in_a_split_the_rest_takes_the_totals_place() -> None:
    drawn = joined(total.total(shown(replace(selling(COAT), payment=payment(5920, paid=10000))), 100))
    assert "Still due" in drawn
    assert "of 159,20, 100,00 is paid" in drawn


def test_change_stays_large_until_the_next_basket() -> None:
    after = texts(total.total(shown(replace(READY, last_sale=SALE)), 100))
    assert "Change" in after[0]
    assert "Sold for 200,64, cash" in after[0]
    assert "Change" not in joined(total.total(shown(replace(selling(COAT), last_sale=SALE)), 100))


def test_a_sale_without_change_says_that_it_is_paid() -> None:
    drawn = texts(total.total(shown(replace(READY, last_sale=replace(SALE, change=euros(0), tenders=["card"]))), 100))
    assert "Paid" in drawn[0]


def test_a_receipt_that_did_not_print_says_so_in_words() -> None:
    drawn = total.total(shown(replace(READY, last_sale=replace(SALE, print_state="not_printed"))), 100)
    assert roles(drawn, "not printed") == {"bad"}


@pytest.mark.parametrize("more", [{"rows": 16}, {"glyphs": ASCII}])
def test_without_room_or_blocks_the_total_is_bold_text(more: dict[str, object]) -> None:
    drawn = total.total(shown(selling(COAT), **more), 100)
    assert drawn[0].text.rstrip().endswith("159,20 EUR")
    assert not set("█▀") & set(joined(drawn))


def test_a_total_too_wide_for_the_screen_is_text() -> None:
    assert joined(total.total(shown(selling(line(1, "Yacht", 999_999_999))), 60)).count("9.999.999,99 EUR") == 1


def test_a_price_check_is_large_and_says_that_nothing_was_sold() -> None:
    price = PriceView("SKU", "Wool coat", "navy, 38", euros(19900), "piece", euros(17900))
    drawn = joined(total.price_check(shown(replace(READY, price_check=price)), 100))
    assert "price each, not sold" in drawn
    assert "179,00 for this customer" in drawn
    assert total.price_check(shown(READY), 100) == []


def test_while_a_price_is_asked_for_the_screen_says_how_to_stop() -> None:
    assert "Esc: sell again" in joined(total.price_check(shown(replace(READY, next_is_check=True)), 100))


def test_member_prices_show_the_total_before_and_after() -> None:
    drawn = texts(total.repriced(shown(replace(READY, repriced=RepriceView(euros(21490), euros(18420)))), 80))
    assert drawn[0].endswith("214,90 → 184,20")
    assert total.repriced(shown(replace(READY, repriced=RepriceView(euros(100), euros(100)))), 80) == []


# --- the customer ----------------------------------------------------------------------------------------------------------------


def test_the_panel_shows_who_it_is_and_what_waits_for_them() -> None:
    drawn = texts(customer_panel(shown(selling(COAT, customer=MARIA)), 40))
    assert drawn[0].split() == ["Maria", "Fernandez", "Gold"]
    assert drawn[1] == "2,310 points · 11 visits · last 3 Oct"
    assert "opened 10:12, on the phone" in "\n".join(drawn)
    assert "size 38 · no e-mail · birthday Tuesday" in drawn


def test_what_was_said_and_noted_is_never_beside_the_basket() -> None:
    drawn = joined(customer_panel(shown(selling(COAT, customer=MARIA)), 40))
    assert "something was promised" in drawn
    assert "scarf aside" not in drawn
    assert "2 notes" in drawn


def test_the_page_shows_the_talk_and_the_notes_only_when_they_were_asked_for() -> None:
    picture = shown(selling(COAT, customer=MARIA))
    assert "Will put the navy scarf aside" in joined(customer_page(picture, None, 80))
    assert "Notes" not in joined(customer_page(picture, None, 80))
    assert "· Likes tea." in joined(customer_page(picture, ["Likes tea."], 80))


def test_a_hidden_name_is_initials_everywhere() -> None:
    picture = shown(selling(COAT, customer=MARIA, notice=NoticeView("notice.customer_attached", "good", "", shown={"name": MARIA.name})), name_hidden=True)
    everything = joined([*customer_panel(picture, 40), *customer_fold(picture, 80), *customer_page(picture, None, 80), *foot.notice(picture, 100)])
    assert "Fernandez" not in everything
    assert "M. F." in everything


def test_a_local_copy_says_how_old_it_is() -> None:
    stale = replace(MARIA, fresh=False, as_of_ms=NOW - DAY)
    assert "as of yesterday" in joined(customer_panel(shown(selling(COAT, customer=stale)), 60))
    assert "as of" not in joined(customer_panel(shown(selling(COAT, customer=MARIA)), 60))


@pytest.mark.parametrize(("state", "said"), [("open", "3 articles"), ("held", "at register 04"), ("here", "in this basket")])
def test_the_cart_says_where_it_is(state: str, said: str) -> None:
    cart = replace(CART, state=state, held_by="04")
    assert said in joined(customer_panel(shown(selling(COAT, customer=replace(MARIA, cart=cart))), 40))


def test_a_cart_from_the_local_copy_says_so() -> None:
    cart = replace(CART, state="here", offline_copy=True)
    drawn = customer_panel(shown(selling(COAT, customer=replace(MARIA, cart=cart))), 40)
    assert roles(drawn, "copy as of 14:05") == {"warn"}


def test_folded_the_customer_takes_two_lines_and_none_without_one() -> None:
    assert len(customer_fold(shown(selling(COAT, customer=MARIA)), 80)) == 2
    assert customer_fold(shown(selling(COAT)), 80) == []


# --- top and bottom --------------------------------------------------------------------------------------------------------------


def test_the_header_says_where_who_and_when() -> None:
    drawn = head.header(shown(READY), 120)
    assert drawn[0].text.split("  ")[0].strip() == "Berlin Mitte · register 02"
    assert "Ayse K." in drawn[0].text
    assert drawn[0].text.rstrip().endswith("Sun 22 Nov 14:07")
    assert drawn[0].cells == 120


def test_training_is_said_on_every_screen() -> None:
    assert "TRAINING" in joined(head.header(shown(replace(READY, training=True)), 120))


def test_a_device_that_is_gone_says_since_when_and_what_works_without_it() -> None:
    drawn = joined(head.status(shown(replace(READY, devices=[*DEVICES[:3], TERMINAL_AWAY])), 130))
    assert "○ card terminal: not answering since 14:02, cash works" in drawn


def test_on_a_narrow_screen_only_trouble_is_said() -> None:
    assert texts(head.status(shown(READY), 60)) == [" ● all devices ready"]
    assert texts(head.status(shown(replace(READY, devices=[*DEVICES[:3], TERMINAL_AWAY])), 60))[0].startswith(" ○ card terminal")


@pytest.mark.parametrize("cells", [60, 80, 120])
def test_where_all_is_wrong_at_once_each_trouble_is_still_named(cells: int) -> None:
    away = [DeviceView(name, kind, "absent", NOW, "unplugged") for name, kind in (("a", "serial_scanner"), ("b", "nfc_reader"), ("c", "receipt_printer"))]
    drawn = head.status(shown(replace(READY, link=LinkView("offline", NOW, 12), devices=[*away, TERMINAL_AWAY])), cells)
    assert len(drawn) <= 3
    for name in ("central not reachable", "○ scanner", "○ NFC", "○ printer", "○ card terminal"):
        assert name in joined(drawn)


def test_what_is_well_makes_room_for_what_is_not() -> None:
    drawn = texts(head.status(shown(replace(READY, link=LinkView("offline", NOW, 12), devices=[*DEVICES[:3], TERMINAL_AWAY])), 80))
    assert drawn == [
        " ○ central not reachable since 14:07, selling goes on",
        " 12 records wait safely on disk   ○ card terminal: not answering",
    ]


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (LinkView("in_step", NOW, 0), "● in step with central"),
        (LinkView("sending", NOW, 3), "● sending to central"),
        (LinkView("offline", NOW - 5 * MINUTE, 12), "○ central not reachable since 14:02, selling goes on   12 records wait safely on disk"),
        (LinkView("frozen", NOW, 12), "■ central has frozen this register: call IT"),
        (LinkView("alone", NOW, 0), "○ on its own, not enrolled at central"),
        (LinkView("in_step", NOW, 0, quarantined=1), "● in step with central   ▲ 1 record needs a look at central"),
    ],
)
def test_every_state_of_the_link_has_a_mark_and_words(link: LinkView, said: str) -> None:
    assert said in joined(head.status(shown(replace(READY, link=link)), 160))


def test_a_device_of_an_unknown_kind_is_still_readable() -> None:
    strange = DeviceView("x", "coffee_machine", "degraded", NOW, reason="no_beans")
    assert "◐ coffee machine: works, with a problem" in joined(head.status(shown(replace(READY, devices=[strange])), 120))


def test_a_notice_says_what_happened_and_what_to_do_on_one_line() -> None:
    drawn = foot.notice(shown(replace(READY, notice=UNKNOWN_CODE)), 120)
    assert texts(drawn) == [" ■ 4006381333931 is not in the catalogue.  F4 finds it by name; F9 T sells it by department."]
    assert len(foot.notice(shown(replace(READY, notice=UNKNOWN_CODE)), 60)) == 2


def test_a_command_without_an_answer_is_said_to_be_waited_for() -> None:
    assert "One moment  3 s" in joined(foot.notice(shown(READY, waiting_seconds=3), 80))


def test_the_key_line_drops_what_matters_least_and_never_help_and_pay() -> None:
    hints = [KeyHint("F1", "help", rank=0), KeyHint("F2", "pay", rank=0), *(KeyHint(f"F{n}", "something long", rank=2) for n in range(3, 13))]
    drawn = joined(foot.keys(hints, 40))
    assert "F1 help  F2 pay" in drawn
    assert "F12" not in drawn


def test_a_count_that_waits_behind_a_key_stands_beside_it() -> None:
    assert "F7 recall 2" in joined(foot.keys([KeyHint("F7", "recall", badge=2)], 40))


# --- paying ----------------------------------------------------------------------------------------------------------------------


def test_the_offered_choice_is_exact_cash_then_notes_then_the_card() -> None:
    offered = pay.choices(shown(selling(COAT)))
    assert [(choice.key, choice.kind, choice.amount.text) for choice in offered] == [
        ("Enter", "cash", "159,20"), ("A", "cash", "160,00"), ("S", "cash", "200,00"), ("C", "card", "159,20"),
    ]  # fmt: skip


def test_without_a_terminal_cash_is_offered_and_the_reason_said() -> None:
    picture = shown(replace(selling(COAT), payment=payment(15920, methods=("cash",))))
    assert [choice.kind for choice in pay.choices(picture)] == ["cash"] * 3
    assert "cash works" in joined(pay.pay_panel(picture, "", 0, 50))


def test_where_no_cash_is_taken_enter_is_the_card() -> None:
    offered = pay.choices(shown(replace(selling(COAT), payment=payment(15920, methods=("card",)))))
    assert [(choice.key, choice.kind) for choice in offered] == [("Enter", "card")]


def test_a_paid_basket_offers_to_be_completed() -> None:
    offered = pay.choices(shown(replace(selling(COAT), payment=payment(0, paid=15920))))
    assert [(choice.key, choice.kind, choice.minor) for choice in offered] == [("Enter", "cash", None)]


@pytest.mark.parametrize(
    ("typed", "said"), [("200", "gives 40,80 change"), ("100", "leaves 59,20 to pay"), ("159,20", "gives 0,00 change"), ("1,234", "That is no amount yet.")]
)
def test_a_typed_amount_says_what_it_would_do(typed: str, said: str) -> None:
    assert said in joined(pay.pay_panel(shown(selling(COAT)), typed, 0, 50))


def test_a_typed_amount_above_the_rest_is_not_offered_to_the_card() -> None:
    drawn = texts(pay.pay_panel(shown(selling(COAT)), "200", 0, 50))
    assert [row.split()[0] for row in drawn if "200,00" in row and "card" in row] == []


def test_tenders_so_far_say_what_became_of_them() -> None:
    tenders = (TenderView(ident("1"), "cash", "settled", euros(10000)), TenderView(ident("2"), "card", "failed", euros(5920), reason="insufficient_funds"))
    drawn = joined(pay.pay_panel(shown(replace(selling(COAT), payment=payment(5920, paid=10000, tenders=tenders))), "", 0, 50))
    assert "● cash" in drawn
    assert "○ card not paid" in drawn
    assert "not enough money on the account" in drawn


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("present_card", "Please hold, insert or swipe your card"),
        ("enter_pin", "Please enter your PIN"),
        ("strange_step", "strange step"),
        ("", "The terminal is at work"),
    ],
)
def test_the_terminals_steps_are_said_in_the_customers_words(step: str, said: str) -> None:
    held = attempt("in_progress", step=step)
    drawn = joined(pay.attempt_panel(shown(selling(COAT)), held, 50))
    assert said in drawn
    assert "for 8 s" in drawn
    assert "Esc  stop the payment" in drawn


def test_an_unknown_outcome_says_what_is_done_what_not_to_do_and_what_one_may() -> None:
    drawn = joined(pay.attempt_panel(shown(selling(COAT)), attempt("unknown", waited_s=125, reason="connection_lost"), 80))
    assert "keeps asking the terminal" in drawn
    assert "▲ Do not take the card or cash for it again" in drawn
    assert "P    park it, serve the next customer" in drawn
    assert "for 2:05 min" in drawn
    assert "Esc" not in drawn
    assert "Reason: the connection was lost" in drawn


def test_a_review_names_its_key() -> None:
    assert "R    decide" in joined(pay.attempt_panel(shown(selling(COAT)), attempt("needs_review"), 80))


@pytest.mark.parametrize(
    ("typed", "digits", "minor"),
    [("50", 2, 5000), ("49,9", 2, 4990), ("49.90", 2, 4990), ("1.234,50", 2, None), ("12,345", 3, 12345), ("1200", 0, 1200), ("12,5", 0, None), ("-5", 2, None),
     ("", 2, None), (",5", 2, None), ("5,", 2, 500), ("٣", 2, None), ("1234567890", 2, None)],
)  # fmt: skip
def test_a_typed_amount_is_read_in_whole_units(typed: str, digits: int, minor: int | None) -> None:
    assert money(typed, digits) == minor


def test_an_amount_of_ours_is_written_like_the_markets() -> None:
    assert shown(READY).amount(5) == "0,05"
    assert shown(replace(READY, decimal=".", digits=3)).amount(1200000) == "1200.000"
    assert shown(replace(READY, digits=0)).amount(1200) == "1200"


# --- rows and banners ------------------------------------------------------------------------------------------------------------


def test_set_aside_rows_say_how_the_payment_stands() -> None:
    assert "parked: Outcome not known yet" in rows.aside_row(shown(READY), PARKED, 100).text
    assert "lady with the umbrella" in rows.aside_row(shown(READY), SUSPENDED, 100).text


def test_a_sale_whose_receipt_did_not_print_is_marked_in_the_list() -> None:
    assert "not printed" in rows.sale_row(shown(READY), replace(SALE, print_state="not_printed"), 100).text
    assert "printed" not in rows.sale_row(shown(READY), SALE, 100).text


def test_a_device_row_says_what_to_do() -> None:
    drawn = rows.device_row(shown(READY), TERMINAL_AWAY, 120).text
    assert "Check the cable of the card terminal." in drawn
    assert drawn.count("not answering") == 1


def test_a_register_that_stopped_says_why_what_to_do_and_what_is_safe() -> None:
    picture = replace(READY, phase="stopped", stopped=NoticeView("disk_full", "bad", "The disk is full.", "Make room."))
    drawn = joined(stopped.stopped_panel(shown(picture, DE), 100))
    assert "V E R K A U F" in drawn
    assert "Die Platte der Kasse ist voll." in drawn
    assert "Jeder abgeschlossene Verkauf ist sicher" in drawn
    assert stopped.stopped_panel(shown(READY), 100) == []


def test_every_drawing_keeps_within_its_columns_in_both_languages() -> None:
    busy = selling(
        COAT, SOCKS, replace(PRALINES, discounts=[DiscountView("x" * 80, euros(-1))]), SCARF, customer=MARIA, notice=UNKNOWN_CODE, suspended=[SUSPENDED],
        parked=[PARKED], devices=[*DEVICES[:3], TERMINAL_AWAY], repriced=RepriceView(euros(9), euros(8)), price_check=PriceView("", "n"*90, "", euros(1), "kg"),
        link=LinkView("offline", NOW - HOUR, 4, quarantined=2),
    )  # fmt: skip
    for words in (EN, DE):
        for cells in (40, 60, 80, 120):
            picture = shown(busy, words)
            held = attempt("unknown", reason="connection_lost")
            drawn = [
                *[row.line for row in basket_rows(picture, COAT.id, cells)], *total.total(picture, cells), *total.price_check(picture, cells),
                *total.repriced(picture, cells), *customer_panel(picture, cells), *customer_fold(picture, cells), *head.header(picture, cells),
                *head.status(picture, cells), *foot.notice(picture, cells), *pay.pay_panel(picture, "50", 0, cells), *pay.attempt_panel(picture, held, cells),
            ]  # fmt: skip
            assert [row.text for row in drawn if row.cells > cells] == [], (words.language, cells)
