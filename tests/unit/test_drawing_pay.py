"""How paying is drawn: the offered choices, typed amounts, tenders so far, and a card payment under way."""

from __future__ import annotations

import re

import msgspec
import pytest

from edge_agent.views import TenderView
from tests.support_drawing import DE, EN, joined, shown, texts
from tests.support_snapshots import COAT, GLOVES, READY, SALE, SCARF, SOCKS, TERMINAL_AWAY, attempt, euros, ident, line, payment, selling
from tui.drawing import head, pay, total
from tui.drawing.beside import Grown
from tui.messages import Words
from tui.shown import Shown, money, no_money

replace = msgspec.structs.replace


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
    ("typed", "said"),
    [("200", "gives 40,80 change"), ("100", "leaves 59,20 to pay"), ("159,20", "gives 0,00 change"), ("1,", "leaves 158,20"),
     ("1,234", "At most 2 digits"), ("1.000", "Type 1000, or 1,00"), ("1.234,5", "type 1234,5, without a sign"), ("1,2345", "Type it like 1,00"),
     (",", "That is no amount yet.")],
)  # fmt: skip
def test_a_typed_amount_says_what_it_would_do(typed: str, said: str) -> None:
    assert said in " ".join(joined(pay.pay_panel(shown(selling(COAT)), typed, 0, 50)).split())


def test_a_typed_amount_above_the_rest_is_not_offered_to_the_card() -> None:
    drawn = texts(pay.pay_panel(shown(selling(COAT)), "200", 0, 50))
    assert [row.split()[0] for row in drawn if "200,00" in row and "card" in row] == []


def test_a_register_that_takes_no_cards_does_not_speak_of_them() -> None:
    picture = replace(selling(COAT), payment=payment(15920, methods=("cash",)), tender_kinds=["cash"])
    drawn = joined(pay.pay_panel(shown(picture), "", 0, 50)) + joined(pay.pay_panel(shown(picture), "50", 0, 50))
    assert "card" not in drawn
    away = joined(pay.pay_panel(shown(replace(picture, tender_kinds=["cash", "card"])), "", 0, 50))
    assert "The card terminal is not there now; cash works." in away


@pytest.mark.parametrize("words", [EN, DE])
def test_a_register_that_takes_cards_alone_offers_no_cash_while_the_terminal_is_away(words: Words) -> None:
    picture = replace(selling(COAT), payment=payment(15920, methods=()), tender_kinds=["card"], devices=[TERMINAL_AWAY])
    drawn = joined(pay.pay_panel(shown(picture, words), "", 0, 50)) + joined(head.status(shown(picture, words), 160))
    assert words("pay.no_card_alone").split(",")[0] in drawn
    assert not re.search(r"cash|bar\b", drawn, re.IGNORECASE), drawn


def test_where_only_cards_are_taken_enter_is_said_to_take_a_typed_amount_from_the_card() -> None:
    picture = replace(selling(COAT), payment=payment(15920, methods=("card",)), tender_kinds=["card"])
    drawn = joined(pay.pay_panel(shown(picture), "", 0, 60))
    assert "Enter takes it from the card" in drawn
    assert "cash" not in drawn


def test_what_came_in_while_one_pays_is_said_with_the_amount_now_and_before() -> None:
    grown = Grown(SOCKS, euros(15920))
    assert "Socks, merino, 39-42 was added. Now due: 184,20 EUR (before: 159,20)." in joined(pay.pay_panel(shown(selling(COAT, SOCKS)), "", 0, 90, grown))
    other = Grown(None, euros(16920))
    assert "The basket changed. Now due: 159,20 EUR (before: 169,20)." in joined(pay.pay_panel(shown(selling(COAT)), "", 0, 90, other))


def test_what_is_not_picked_is_said_before_paying_and_after_it() -> None:
    before = joined(pay.pay_panel(shown(selling(COAT, SCARF, GLOVES)), "", 0, 120))
    assert "○ 3 articles of the online cart are not picked and stay online: Scarf, navy, Gloves, lined, M (2)" in before
    assert "online" not in joined(pay.pay_panel(shown(selling(COAT)), "", 0, 120))
    many = [line(number, "Something with a very long name", 100, state="to_pick", from_cart=True) for number in range(9)]
    assert len([row for row in pay.pay_panel(shown(selling(COAT, *many), rows=24), "", 0, 60) if "pick" in {piece.role for piece in row.pieces}]) == 2
    assert "…" not in joined(pay.pay_panel(shown(selling(COAT, *many), rows=40), "", 0, 60))
    after = joined(total.total(shown(replace(READY, last_sale=replace(SALE, left_online=3))), 100))
    assert "○ 3 articles of the online cart stay online" in after


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("gone", "▲ The online cart is not open online any more. Before payment: ask whether it was ordered."),
        ("taken", "▲ Register 0001/03 holds the online cart now. Before payment: ask who sells it."),
        ("run_out", "▲ The online cart is not held any more. Before payment: ask whether it was ordered."),
    ],
)
def test_of_a_cart_that_is_not_held_any_more_it_is_said_before_paying_and_nothing_is_said_to_stay_online(lost: str, said: str) -> None:
    picture = selling(COAT, SCARF, GLOVES)
    picture = replace(picture, basket=replace(picture.basket, cart="CART-1", cart_lost=lost, cart_holder="0001/03" if lost == "taken" else ""))
    drawn = joined(pay.pay_panel(shown(picture), "", 0, 120))
    assert said in drawn
    assert "○ 3 articles of the online cart are not picked: Scarf, navy, Gloves, lined, M (2)" in drawn
    assert "stay online" not in drawn
    every = selling(COAT)
    assert said in joined(pay.pay_panel(shown(replace(every, basket=replace(every.basket, cart="CART-1", cart_lost=lost, cart_holder="0001/03"))), "", 0, 120))


def test_tenders_so_far_say_what_became_of_them() -> None:
    tenders = (TenderView(ident("1"), "cash", "settled", euros(10000)), TenderView(ident("2"), "card", "failed", euros(5920), reason="insufficient_funds"))
    drawn = joined(pay.pay_panel(shown(replace(selling(COAT), payment=payment(5920, paid=10000, tenders=tenders))), "", 0, 50))
    assert "● cash" in drawn
    assert "○ card not paid" in drawn
    assert "not enough money on the account" in drawn


def _parts(count: int) -> Shown:
    tenders = tuple(TenderView(ident(str(at)), "cash", "settled", euros(100 * at)) for at in range(1, count + 1))
    return shown(replace(selling(COAT), payment=payment(5920, paid=10000, tenders=tenders)))


def test_of_more_tenders_than_there_is_room_for_the_newest_are_shown_and_how_many_came_before() -> None:
    drawn = texts(pay.pay_panel(_parts(9), "", 0, 50, rows_max=13))
    assert len(drawn) <= 13
    assert [row for row in drawn if "So far" in row] == ["So far                                   ↑ 4 more"]
    assert [row.split()[-1] for row in drawn if row.startswith("●")] == ["5,00", "6,00", "7,00", "8,00", "9,00"]
    whole = texts(pay.pay_panel(_parts(9), "", 0, 50))
    assert len([row for row in whole if row.startswith("●")]) == 9
    assert "more" not in "".join(whole)


@pytest.mark.parametrize("rows_max", [10, 12, 13])
def test_the_newest_tender_stays_in_sight_while_an_amount_is_typed(rows_max: int) -> None:
    drawn = texts(pay.pay_panel(_parts(9), "20", 0, 50, rows_max=rows_max))
    assert len(drawn) <= rows_max
    assert any(row.startswith("●") and row.endswith("9,00") for row in drawn)
    assert "leaves 39,20 to pay" in "\n".join(drawn)
    assert f"↑ {9 - sum(row.startswith('●') for row in drawn)} more" in "\n".join(drawn)


def test_a_refused_card_keeps_its_reason_when_the_rows_are_few() -> None:
    tenders = (
        *(TenderView(ident(str(at)), "cash", "settled", euros(100 * at)) for at in range(1, 6)),
        TenderView(ident("card"), "card", "failed", euros(5920), reason="insufficient_funds"),
    )
    drawn = texts(pay.pay_panel(shown(replace(selling(COAT), payment=payment(5920, paid=10000, tenders=tenders))), "", 0, 50, rows_max=10))
    assert drawn[-3:] == [
        "So far                                   ↑ 5 more",
        "○ card not paid                             59,20",
        "  not enough money on the account",
    ]


@pytest.mark.parametrize(
    ("state", "step", "said"),
    [
        ("sent", "present_card", "Please hold, insert or swipe your card"),
        ("sent", "", "The terminal is called"),
        ("in_progress", "enter_pin", "Please enter your PIN"),
        ("in_progress", "strange_step", "strange step"),
        ("in_progress", "", "The terminal is at work"),
    ],
)
def test_the_terminals_steps_are_said_in_the_customers_words(state: str, step: str, said: str) -> None:
    held = attempt(state, step=step)
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
    assert shown(replace(READY, decimal=".", group=",", digits=3)).amount(1200000) == "1,200.000"
    assert shown(replace(READY, digits=0)).amount(1200) == "1.200"
    assert money(shown(READY).typed_amount(123456), 2) == 123456, "what is put into an entry line can be sent from there"


@pytest.mark.parametrize(
    ("signs", "digits", "typed", "said"),
    [
        (",.", 2, "46,505", "At most 2 digits come after the decimal sign. Type it like 1,00."),
        (".,", 2, "46.505", "At most 2 digits come after the decimal sign. Type it like 1.00."),
        (".,", 3, "46.5055", "At most 3 digits come after the decimal sign. Type it like 1.000."),
        (".,", 0, "46.505", "This currency has whole numbers only."),
        (",.", 2, "46.505", "“46.505”: type 46505, without a sign between thousands."),
        (",.", 2, "1.234.505", "“1.234.505”: type 1234505, without a sign between thousands."),
        (",.", 2, "46,000", "“46,000” can be read two ways. Type 46000, or 46,00."),
    ],
)
def test_a_digit_too_many_after_the_markets_own_sign_is_no_thousand(signs: str, digits: int, typed: str, said: str) -> None:
    market = replace(READY, decimal=signs[0], group=signs[1], digits=digits)
    assert no_money("pay.not_amount", shown(market, EN.in_market(*signs)), typed) == said
