"""The sale screen by its keys: what is typed, and which line of the basket the keys mean."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from edge_agent.views import Enter, NextQuantity, Problem, RemoveLine, SetQuantity, Snapshot
from tests.support_service import ScriptedService, refusal
from tests.support_snapshots import CLOSED, COAT, FULL, PRALINES, READY, SALE, SOCKS, SUSPENDED, UNKNOWN_CODE, line, selling
from tests.support_till import till
from tui.widgets.basket import Basket

replace = msgspec.structs.replace


# --- typing ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["paid", "voided", "suspended", "closed"])
async def test_what_was_typed_for_a_customer_goes_with_them(ends: str) -> None:
    after = {"paid": replace(READY, last_sale=SALE), "voided": READY, "suspended": replace(READY, suspended=[SUSPENDED]), "closed": CLOSED}[ends]
    async with till(selling(COAT)) as counter:
        await counter.type("4711")
        await counter.shows(replace(selling(COAT, SOCKS), notice=UNKNOWN_CODE, link=replace(READY.link, waiting=3)))
        await counter.sees("› 4711")
        await counter.shows(after)
        await counter.shows(READY)
        assert "4711" not in counter.text()


async def test_what_is_typed_before_the_first_article_stays_when_it_is_scanned() -> None:
    async with till(READY) as counter:
        await counter.type("4711")
        await counter.shows(selling(COAT))
        await counter.sees("› 4711")


async def test_typing_goes_to_the_entry_line_and_enter_sends_it() -> None:
    async with till(READY) as counter:
        await counter.type("40063")
        await counter.sees("› 40063")
        await counter.press("enter")
        assert (await counter.sent(Enter)).text == "40063"
        await counter.sees("› scan, or type a code")


def _takes_quantities(snapshot: Snapshot, command: NextQuantity) -> Snapshot | Problem:
    return refusal("out_of_bounds.next_quantity", "No.", got=command.text, max="9999") if command.text == "0" else replace(snapshot, next_quantity=command.text)


def _quantities(service: ScriptedService) -> ScriptedService:
    """The service's answer to a quantity, and to a code with one before it."""
    service.on(NextQuantity, _takes_quantities)
    service.on(Enter, lambda snapshot, command: _takes_quantities(snapshot, NextQuantity("0")) if command.text.startswith("0*") else selling(COAT))
    return service


async def test_a_quantity_and_a_code_in_one_go_are_one_thing() -> None:
    service = _quantities(ScriptedService(READY))
    service.hold = asyncio.Event()
    async with till(service) as counter:
        await counter.type("3*40063")
        await counter.press("enter")
        service.hold.set()
        await counter.sent(Enter)
        assert counter.service.commands == [NextQuantity("3"), Enter("3*40063")]


async def test_a_quantity_that_was_taken_is_not_sent_with_the_code() -> None:
    async with till(_quantities(ScriptedService(READY))) as counter:
        await counter.type("3*")
        await counter.sees("3 × scan")
        await counter.type("40063")
        await counter.press("enter")
        await counter.sent(Enter)
        assert counter.service.commands == [NextQuantity("3"), Enter("40063")]


@pytest.mark.parametrize("slow", [False, True], ids=["in one go", "slowly"])
async def test_a_refused_quantity_sells_nothing_however_fast_the_code_behind_it_comes(slow: bool) -> None:
    service = _quantities(ScriptedService(READY))
    async with till(service) as counter:
        if not slow:
            service.hold = asyncio.Event()
        await counter.type("0*40")
        if slow:
            await counter.sees("0 is not possible", "› 0*40")
        await counter.type("063")
        await counter.press("enter")
        if service.hold is not None:
            service.hold.set()
        assert (await counter.sent(Enter)).text == "0*40063"
        await counter.sees("0 is not possible", "› scan, or type a code")
        assert counter.app.picture.snapshot.basket is None


async def test_a_refusal_that_comes_while_the_code_is_typed_goes_back_before_it() -> None:
    service = _quantities(ScriptedService(READY))
    service.hold = asyncio.Event()
    async with till(service) as counter:
        await counter.type("0*40")
        await counter.sees("› 40")
        service.hold.set()
        await counter.sees("› 0*40")
        await counter.type("063")
        await counter.press("enter")
        assert (await counter.sent(Enter)).text == "0*40063"


async def test_behind_a_refused_quantity_another_can_be_typed_or_escape_forgets_it() -> None:
    async with till(_quantities(ScriptedService(READY))) as counter:
        await counter.type("0*")
        await counter.sees("› 0*")
        await counter.type("3*")
        await counter.sees("3 × scan")
        await counter.type("0*")
        await counter.sees("0*")
        await counter.press("escape")
        await counter.type("40063")
        await counter.press("enter")
        assert (await counter.sent(Enter)).text == "40063"
        assert [command.text for command in counter.of(NextQuantity)] == ["0", "3", "0"]


async def test_escape_right_behind_a_quantity_forgets_it() -> None:
    service = _quantities(ScriptedService(READY))
    service.hold = asyncio.Event()
    async with till(service) as counter:
        await counter.type("3*")
        await counter.press("escape")
        await counter.type("40063")
        await counter.press("enter")
        service.hold.set()
        await counter.sent(Enter)
        assert counter.service.commands == [NextQuantity("3"), NextQuantity(""), Enter("40063")]


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
        await counter.sees("› Hat, felt")


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


async def test_one_row_out_of_sight_is_said_in_the_singular() -> None:
    async with till(selling(*(line(n, f"Article {n}", 100) for n in range(1, 14))), size=(80, 24)) as counter:
        lines = counter.app.screen.query_one(Basket).content_size.height
        await counter.shows(selling(*(line(n, f"Article {n}", 100) for n in range(1, lines + 2))))
        await counter.sees("1 row above")
        await counter.press(*("up",) * lines)
        await counter.sees("1 row below")


async def test_under_a_box_no_key_of_the_screen_below_is_offered_and_afterwards_they_are_again() -> None:
    async with till(FULL, size=(80, 24)) as counter:
        for opens, awaited in (("q", "Weight"), ("delete", "Take Pralines"), ("f1", "Keys here"), ("f8", "Discount")):
            await counter.sees("F2 pay", "F4 find")
            await counter.press(opens)
            await counter.sees(awaited)
            await counter.until(lambda: "F2 pay" not in counter.text() and "F4 find" not in counter.text(), "the keys going")
            assert "in step with central" in counter.text()
            await counter.press("escape")
        await counter.sees("F2 pay", "F4 find")


async def test_of_two_boxes_the_upper_one_says_the_keys() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up", "f8")
        await counter.sees("Enter next  Del take it off")
        await counter.press("delete")
        await counter.sees("Take this discount off again", "Enter take it off  Esc back, nothing changes")
        await counter.until(lambda: "Enter next" not in counter.text(), "the lower box's keys going")
        await counter.press("escape")
        await counter.sees("Enter next  Del take it off")


async def test_a_basket_longer_than_the_screen_keeps_the_newest_line_in_sight() -> None:
    many = [line(n, f"Article {n}", 100 + n) for n in range(1, 61)]
    async with till(selling(*many), size=(80, 24)) as counter:
        await counter.sees("› Article 60", "rows above")
        await counter.press("pageup", "pageup", "pageup", "pageup", "pageup", "pageup", "pageup")
        await counter.sees("› Article 1  ", "rows below")
        await counter.press("pagedown")
        await counter.until(lambda: "› Article 1  " not in counter.text(), "the page")


async def test_an_asterisk_of_nothing_forgets_the_number_that_waits() -> None:
    async with till(replace(selling(COAT), next_quantity="3")) as counter:
        await counter.press("*")
        assert await counter.sent(NextQuantity) == NextQuantity("")
    async with till(selling(COAT)) as counter:
        await counter.press("*")
        assert counter.service.commands == []
