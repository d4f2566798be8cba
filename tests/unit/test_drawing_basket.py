"""How the basket and its total are drawn from a snapshot: pure functions, values in, lines out."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from edge_agent.views import NoticeView, PriceView, RepriceView
from tests.support_drawing import DE, EN, joined, roles, shown, texts
from tests.support_snapshots import COAT, GLOVES, PARKED, PRALINES, READY, SALE, SCARF, SOCKS, SUSPENDED, basket, euros, line, payment, selling
from tui.drawing import total
from tui.drawing.basket import basket_rows, empty_rows, order
from tui.glyphs import ASCII
from tui.messages import Words

replace = msgspec.structs.replace


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
        "Wool coat, navy, 38", "winter offer −20 %", "From the online cart, still to pick: 3", "○ Scarf, navy", "○ Gloves, lined, M",
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


def test_a_discount_off_the_basket_that_was_just_given_is_marked() -> None:
    picture = replace(selling(COAT), basket=basket(COAT, off=500))
    given = picture.basket.discounts[0].id
    before, after = (basket_rows(shown(picture), "", 60, newest)[-1] for newest in ("", given))
    assert (before.of, after.of) == (given, given)
    assert before.line.text.startswith("    goodwill")
    assert after.line.text.startswith("▌   goodwill")


@pytest.mark.parametrize(
    ("source", "note"), [("member", "member price, else 249,00"), ("online", "online price, else 249,00"), ("code", "price from the label")]
)
def test_a_price_that_is_not_the_books_says_why(source: str, note: str) -> None:
    held = replace(COAT, source=source, base_price=euros(24900), discounts=[])
    assert note in joined([row.line for row in basket_rows(shown(selling(held)), "", 60)])


@pytest.mark.parametrize(("label", "note"), [("0,412 kg", "0,412 kg"), ("4", "4 pieces")])
def test_what_a_label_with_a_price_holds_stands_below_its_line(label: str, note: str) -> None:
    held = replace(COAT, source="code", base_price=COAT.unit_price, discounts=[], label=label)
    drawn = texts([row.line for row in basket_rows(shown(selling(held)), "", 60)])
    assert [row.strip() for row in drawn[1:3]] == ["price from the label", note]


def test_what_comes_off_the_whole_basket_stands_at_its_end() -> None:
    picture = replace(READY, basket=basket(COAT, off=500))
    assert texts([row.line for row in basket_rows(shown(picture), "", 60)])[-1].split() == ["goodwill", "-5,00"]


def test_a_line_of_five_hundred_characters_keeps_its_amount() -> None:
    drawn = basket_rows(shown(selling(line(1, "x" * 500, 100))), "", 60)
    assert drawn[0].line.text.rstrip().endswith("1,00")
    assert drawn[0].line.cells == 59


def test_an_empty_counter_says_what_can_be_done_and_what_waits() -> None:
    assert "F7 recall 2 waiting sales" in joined(empty_rows(shown(replace(READY, suspended=[SUSPENDED], parked=[PARKED])), 70, 20))


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


@pytest.mark.parametrize("cells", [60, 80, 120])
def test_a_basket_that_goes_unsold_does_not_bring_the_sale_before_it_back(cells: int) -> None:
    past = replace(SALE, past=True)
    assert not joined(total.total(shown(replace(READY, last_sale=past)), cells)).strip()
    owed = joined(total.total(shown(replace(READY, last_sale=replace(past, print_state="not_printed"), suspended=[SUSPENDED])), cells))
    assert f"receipt {SALE.receipt} · not printed" in owed
    assert "suspended" in owed
    assert not any(said in owed for said in ("Sold for", "Change", "cash"))


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


@pytest.mark.parametrize(
    ("price", "says"),
    [
        (PriceView("SKU", "Pralines", "", euros(3990), "kg", None, "", euros(1644), "0,412 kg"), ["0,412 kg × 39,90/kg", "16,44 EUR", "this label, not sold"]),
        (PriceView("SKU", "Wool coat", "", euros(19900), "piece", None, "", euros(500)), ["this label, not sold  199,00", "Price  5,00 EUR"]),
    ],
)
def test_a_price_check_of_a_label_says_what_it_is_sold_at(price: PriceView, says: list[str]) -> None:
    drawn = joined(total.price_check(shown(replace(READY, price_check=price), glyphs=ASCII), 100))
    assert [part for part in says if part not in drawn] == []


def test_while_a_price_is_asked_for_the_screen_says_how_to_stop() -> None:
    assert "Esc: sell again" in joined(total.price_check(shown(replace(READY, next_is_check=True)), 100))


def test_member_prices_show_the_total_before_and_after() -> None:
    drawn = texts(total.repriced(shown(replace(READY, repriced=RepriceView(euros(21490), euros(18420)))), 80))
    assert drawn[0].endswith("214,90 → 184,20")
    assert total.repriced(shown(replace(READY, repriced=RepriceView(euros(100), euros(100)))), 80) == []


# --- paying ----------------------------------------------------------------------------------------------------------------------


def test_a_sale_of_nothing_names_no_way_of_paying() -> None:
    said = joined(total.total(shown(replace(READY, last_sale=replace(SALE, tenders=[], total=euros(0), paid=euros(0)))), 100))
    assert "Sold for 0,00  14:06" in said


@pytest.mark.parametrize("words", [EN, DE], ids=["en", "de"])
@pytest.mark.parametrize("minor", [1_250, 123_456, 12_345_678, 123_456_789, 999_999_999])
@pytest.mark.parametrize("paid", [0, 100])
@pytest.mark.parametrize("cells", [58, 60, 78, 79, 80, 118])
def test_beside_a_large_total_a_number_is_said_whole_or_not_at_all(words: Words, minor: int, paid: int, cells: int) -> None:
    held = replace(line(1, "Thing", minor), pieces=1)
    picture = selling(held, replace(SCARF, pieces=12))
    picture = replace(picture, basket=replace(picture.basket, articles=1234), payment=payment(minor - paid, paid=paid))
    drawn = joined(total.total(shown(picture, words, rows=24), cells))
    assert "…" not in drawn
    assert cells < 100 or words.count("total.articles", 1234) in drawn


def test_where_both_have_no_room_on_one_row_the_tax_goes_below_the_count() -> None:
    drawn = texts(total.total(shown(selling(replace(line(1, "Thing", 12_345_678), pieces=1)), rows=24), 79))
    assert drawn[0].startswith(" 1 article  ")
    assert drawn[1].startswith(" includes 19.711,58 tax  ")


@pytest.mark.parametrize(
    ("words", "iso", "said"),
    [
        (EN, "2026-12-01", "best before 1 Dec"),
        (DE, "2026-12-01", "haltbar bis 1. Dez."),
        (EN, "2027-12-01", "best before 1 Dec 2027"),
        (DE, "2028-01-31", "haltbar bis 31. Jan. 2028"),
        (EN, "soon", "best before soon"),
    ],
)
def test_a_best_before_date_is_written_like_every_other_date(words: Words, iso: str, said: str) -> None:
    drawn = texts([row.line for row in basket_rows(shown(selling(replace(PRALINES, batch="", expiry=iso)), words), "", 76)])
    assert drawn[-1].strip() == said


@pytest.mark.parametrize(("words", "said"), [(EN, "Milk expired on 9 Nov 2026."), (DE, "Milk ist seit 9. Nov. 2026 abgelaufen.")])
def test_so_is_the_date_in_a_refusal(words: Words, said: str) -> None:
    refused = NoticeView("out_of_bounds.expired", "bad", "", shown={"name": "Milk", "date": "2026-11-09"})
    assert words.notice(refused)[0] == said
    held = NoticeView("central_conflict.held_until", "bad", "", shown={"held_by": "01", "until": "2026-11-23 09:15"})
    assert words.day(date(2026, 11, 23)) + " 2026 09:15" in words.notice(held)[0]
    today = replace(held, shown={"held_by": "01", "until": "09:15"})
    assert "09:15" in words.notice(today)[0]
