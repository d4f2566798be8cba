"""How the customer and their online cart are drawn: beside the basket, folded, and on a page of their own."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import LinkView, NoticeView
from tests.support_drawing import DE, EN, joined, roles, shown, texts
from tests.support_snapshots import CART, COAT, DAY, GLOVES, HOUR, MARIA, MINUTE, NOW, READY, SCARF, SUSPENDED, euros, selling
from tui.drawing import foot
from tui.drawing.customer import customer_fold, customer_page, customer_panel
from tui.drawing.rows import aside_row

replace = msgspec.structs.replace


def test_the_panel_shows_who_it_is_and_what_waits_for_them() -> None:
    drawn = texts(customer_panel(shown(selling(COAT, customer=MARIA)), 40))
    assert drawn[0].split() == ["Maria", "Fernandez", "Gold"]
    assert drawn[1] == "2,310 points · 11 visits · last 3 Oct"
    assert "opened 10:12, on the phone" in "\n".join(drawn)
    assert "size 38 · no e-mail · birthday Tuesday" in drawn


@pytest.mark.parametrize("cells", [38, 80])
def test_a_long_tier_goes_below_and_the_name_stays_whole(cells: int) -> None:
    tier = "Founding member of the very first hour, with all the honours that come with it and more"
    drawn = texts(customer_panel(shown(selling(COAT, customer=replace(MARIA, tier=tier))), cells))
    assert drawn[0] == "Maria Fernandez"
    assert " ".join(drawn).count(tier) == 1
    assert joined(customer_fold(shown(selling(COAT, customer=replace(MARIA, tier=tier))), cells)).startswith(" Maria Fernandez")


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


@pytest.mark.parametrize(
    ("link", "fresh", "old_ms", "told"),
    [("in_step", True, HOUR, False), ("in_step", False, 30_000, False), ("in_step", False, 2 * MINUTE, True), ("offline", False, 30_000, True),
     ("alone", False, 30_000, True), ("offline", True, 30_000, False), ("offline", True, 2 * MINUTE, True)],
)  # fmt: skip
def test_while_central_does_not_answer_everything_of_a_customer_says_its_age(link: str, fresh: bool, old_ms: int, told: bool) -> None:
    cart = replace(CART, fresh=fresh, as_of_ms=NOW - old_ms)
    known = replace(MARIA, fresh=fresh, as_of_ms=NOW - old_ms, cart=cart)
    picture = replace(selling(COAT), customer=known, link=LinkView(link, NOW - HOUR, 0))
    assert [row.count("as of") for row in (joined(customer_panel(shown(picture), 60)), joined(customer_fold(shown(picture), 120)))] == [2 * told, 2 * told]


def test_a_cart_in_this_basket_has_the_figure_of_what_is_still_to_pick() -> None:
    here = replace(CART, state="here", articles=3, total=euros(16880))
    picture = shown(replace(selling(COAT, SCARF, GLOVES), customer=replace(MARIA, cart=here)))
    assert sum(held.amount.minor for held in (SCARF, GLOVES)) == here.total.minor
    for drawn in (joined(customer_panel(picture, 40)), joined(customer_fold(picture, 90))):
        assert "here, 3 to pick" in drawn
        assert "168,80" in drawn
    done = joined(customer_panel(shown(replace(selling(COAT), customer=replace(MARIA, cart=replace(here, articles=0, total=euros(0))))), 40))
    assert "here, all in hand" in done
    assert "0,00" not in done


@pytest.mark.parametrize(
    ("online", "panel", "fold"),
    [
        ("changed", "changed online since: release it", "changed online"),
        ("gone", "no longer open", "no longer online"),
        ("taken", "held by register 0001/03 now", "taken elsewhere"),
        ("run_out", "not held any more", "not held"),
    ],
)
def test_a_cart_that_changed_online_since_it_was_loaded_says_so(online: str, panel: str, fold: str) -> None:
    picture = shown(replace(selling(COAT, SCARF), customer=replace(MARIA, cart=replace(CART, state="here", online=online, held_by="0001/03"))))
    assert f"▲ {panel}" in joined(customer_panel(picture, 60))
    assert f"▲ {fold}" in joined(customer_fold(picture, 100))


def test_numbers_beside_the_markets_amounts_are_written_like_them() -> None:
    assert EN.number(2310) == "2,310"
    german = shown(replace(selling(COAT), customer=MARIA), EN.in_market(",", "."))
    assert "2.310 points" in joined(customer_panel(german, 60))
    assert german.words("quantity.how_weight") == "A weight in kg (0,412), or in grams (412 g)."
    assert DE.in_market(".", ",").notice(NoticeView("out_of_bounds.needs_weight", "bad", "", ""))[1].startswith("Das Gewicht (0.412 kg)")


def test_a_local_copy_says_how_old_it_is() -> None:
    stale = replace(MARIA, fresh=False, as_of_ms=NOW - DAY)
    assert "as of yesterday" in joined(customer_panel(shown(selling(COAT, customer=stale)), 60))
    assert "as of" not in joined(customer_panel(shown(selling(COAT, customer=MARIA)), 60))


@pytest.mark.parametrize(("state", "said"), [("open", "3 articles"), ("held", "at register 04"), ("here", "here, 3 to pick")])
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


def test_a_cart_in_a_basket_that_is_suspended_here_says_so_and_the_basket_names_it() -> None:
    aside = replace(SUSPENDED, articles=0, cart=CART.id, to_pick=3)
    assert "lady with the umbrella  online cart, 3 to pick" in aside_row(shown(READY), aside, 80).text
    held = replace(selling(COAT, customer=replace(MARIA, cart=replace(CART, state="held", held_by="0001/01"))), suspended=[aside])
    assert "in a suspended basket here (F7)" in joined(customer_panel(shown(held), 60))
    assert "at register 0001/01" in joined(customer_panel(shown(replace(held, suspended=[])), 60))
