"""Everything else that can be on top: opening the register, questions, past sales, lists, the panel, a lost or stopped service."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from edge_agent.views import Answer, NoticeView, OpenShift, PrintReceipt, Problem, QuestionView, Reprint
from tests.support_service import ScriptedService
from tests.support_snapshots import CLOSED, COAT, DAY, DEVICES, HOUR, MARIA, NOW, READY, SALE, SOCKS, TERMINAL_AWAY, UNKNOWN_CODE, euros, ident, selling
from tests.support_till import till
from tui.panel import PanelAction

replace = msgspec.structs.replace
QUESTION = QuestionView(
    ident("question"), "question.replace_customer", {"new": "Jonas Weber", "current": "Maria Fernandez"}, ["replace", "keep"], "Is it Jonas Weber's now?"
)
STOPPED = replace(
    selling(COAT), phase="stopped", stopped=NoticeView("disk_full", "bad", "The disk is full.", "Make room."),
    notice=NoticeView("disk_full", "bad", "The disk is full.", "Make room.", at_ms=NOW),
)  # fmt: skip


class World:
    """A panel with two groups, that remembers what it did."""

    title = "The world"

    def __init__(self) -> None:
        self.done: list[str] = []

    def actions(self) -> Sequence[PanelAction]:
        return [
            PanelAction("1", "scan a coat", "The customer"), PanelAction("2", "tap a card", "The customer"),
            PanelAction("cut", "cut the network" if "cut" not in self.done else "mend the network", "The world"),
        ]  # fmt: skip

    async def perform(self, key: str) -> str:
        self.done.append(key)
        return f"did {key}"


# --- opening the register --------------------------------------------------------------------------------------------------------


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
        await counter.sees("That is no amount.")
        await counter.press("ctrl+u", "enter")
        assert await counter.sent(OpenShift) == OpenShift("1002", 0)


async def test_a_badge_that_is_refused_is_asked_for_again() -> None:
    service = ScriptedService(CLOSED)
    service.on(OpenShift, lambda snapshot, command: Problem("about:blank", "No", 404, "Nobody.", "code_unknown.badge"))
    async with till(service) as counter:
        await counter.type("9")
        await counter.press("enter", "enter")
        await counter.sees("That badge belongs to nobody here.", "Who opens this register?")


async def test_a_scanned_badge_opens_the_sale_by_itself() -> None:
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


# --- questions -------------------------------------------------------------------------------------------------------------------


async def test_a_second_customers_tap_asks_and_escape_is_the_safe_answer() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        await counter.shows(question=QUESTION)
        await counter.sees("This basket is Maria Fernandez's. Is it Jonas Weber's now?", "Esc no, keep the customer")
        counter.clock.seconds += 1
        await counter.press("escape")
        assert await counter.sent(Answer) == Answer(QUESTION.id, "keep")


@pytest.mark.parametrize(("keys", "answer"), [(("enter",), "replace"), (("down", "enter"), "keep"), (("2",), "keep"), (("1",), "replace")])
async def test_a_question_is_answered_with_enter_or_its_digit(keys: tuple[str, ...], answer: str) -> None:
    async with till(replace(selling(COAT, customer=MARIA), question=QUESTION)) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        counter.clock.seconds += 1
        await counter.press(*keys)
        assert await counter.sent(Answer) == Answer(QUESTION.id, answer)
        assert len(counter.of(Answer)) == 1


async def test_who_is_typing_a_code_when_a_question_comes_up_answers_nothing_with_it() -> None:
    async with till(replace(selling(COAT, customer=MARIA), question=QUESTION)) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        for key in ("1", "2", "enter"):
            counter.clock.seconds += 0.5
            await counter.press(key)
        assert counter.service.commands == []
        counter.clock.seconds += 1
        await counter.press("2")
        assert await counter.sent(Answer) == Answer(QUESTION.id, "keep")


async def test_a_question_that_was_answered_elsewhere_goes_away() -> None:
    async with till(replace(selling(COAT, customer=MARIA), question=QUESTION)) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        await counter.shows(question=None)
        await counter.until(lambda: "Jonas" not in counter.text(), "the question going")


async def test_a_question_of_an_unknown_kind_is_asked_in_its_english_words() -> None:
    strange = QuestionView(ident("q2"), "question.of_tomorrow", {}, ["go_on", "wait"], "Shall the parrot go on?")
    async with till(replace(READY, question=strange), locale="de") as counter:
        await counter.sees("Shall the parrot go on?", "go on", "wait")


async def test_with_names_hidden_a_question_shows_initials() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        counter.app.set_name_hidden(True)
        await counter.shows(question=QUESTION)
        await counter.sees("This basket is M. F.'s. Is it J. W.'s now?")


# --- past sales, messages, devices -----------------------------------------------------------------------------------------------


async def test_a_past_sale_is_looked_up_shown_and_printed_as_a_copy() -> None:
    service = ScriptedService(READY)
    service.sales = [SALE, replace(SALE, id=ident("older"), receipt="R-0001-02-000122", at_ms=NOW - DAY, total=euros(999), print_state="not_printed")]
    service.receipt = ["        Berlin Mitte", "Wool coat, navy, 38      199,00"]
    async with till(service) as counter:
        await counter.press("f9", "s")
        await counter.sees("2 sales, newest first", "yesterday", "not printed")
        await counter.type("0123")
        await counter.sees("1 sale")
        await counter.press("enter")
        await counter.sees("Wool coat, navy, 38      199,00", "P print a copy")
        await counter.press("p")
        assert await counter.sent(Reprint) == Reprint(SALE.id)
        await counter.sees("R-0001-02-000123 is being printed.")


async def test_a_receipt_that_never_came_out_is_printed_as_the_original() -> None:
    service = ScriptedService(READY)
    service.sales = [replace(SALE, print_state="not_printed")]
    async with till(service) as counter:
        await counter.press("f9", "s", "enter")
        await counter.sees("P print it")
        await counter.press("p")
        assert await counter.sent(PrintReceipt) == PrintReceipt(SALE.id)


async def test_messages_are_kept_and_shown_in_full() -> None:
    service = ScriptedService(READY)
    service.notices = [UNKNOWN_CODE, NoticeView("notice.shift_opened", "good", "Good day", shown={"name": "Ayse K."}, at_ms=NOW - HOUR)]
    async with till(service) as counter:
        await counter.press("f9", "n")
        await counter.sees("■ 4006381333931 is not in the catalogue.", "● The register is open. Good day, Ayse K.")


async def test_devices_say_what_is_wrong_and_what_to_do() -> None:
    async with till(replace(READY, devices=[*DEVICES[:3], TERMINAL_AWAY])) as counter:
        await counter.press("f9", "d")
        await counter.sees("○ card terminal (terminal-1)  not answering", "Check the cable of the card terminal.", "since 14:02")


# --- the panel -------------------------------------------------------------------------------------------------------------------


async def test_f12_opens_the_panel_and_each_action_says_what_it_did() -> None:
    world = World()
    async with till(READY, panel=world) as counter:
        await counter.press("f12")
        await counter.sees("The world", "The customer", "scan a coat", "cut the network", "Basket")
        await counter.press("2")
        await counter.sees("did 2")
        await counter.press("down", "down", "enter")
        await counter.sees("did cut", "mend the network")
        assert world.done == ["2", "cut"]
        await counter.press("escape")
        await counter.sees("F8 discount")


async def test_without_a_panel_f12_does_nothing_and_the_menu_does_not_offer_it() -> None:
    async with till(READY) as counter:
        await counter.press("f12", "f9")
        await counter.sees("What else?")
        assert "demo panel" not in counter.text()


# --- a service that is not there, or must not sell -------------------------------------------------------------------------------


async def test_without_a_service_the_screen_waits_with_a_word_and_goes_on_by_itself() -> None:
    service = ScriptedService(READY)
    service.down = True
    async with till(service) as counter:
        await counter.sees("Waiting for the register's service", "for 0 s", "nothing listens")
        counter.clock.seconds += 65
        await counter.sees("for 1:05 min")
        service.down = False
        await counter.sees("Scan an article, a customer's card")


async def test_a_service_that_goes_away_is_said_at_once_and_waited_for_in_full_later() -> None:
    async with till(selling(COAT, SOCKS)) as counter:
        counter.service.down = True
        counter.service.wake()
        await counter.sees("The register's service does not answer; waiting for it.", "Wool coat")
        counter.clock.seconds += 5
        await counter.sees("Waiting for the register's service", "Nothing that was sold is lost")
        counter.service.down = False
        await counter.sees("Wool coat", "F2 pay")
        await counter.until(lambda: "does not answer" not in counter.text(), "the word going")


async def test_a_command_without_an_answer_says_to_look_before_doing_it_again() -> None:
    async with till(READY) as counter:
        counter.service.lose_answers = 2
        await counter.type("40")
        await counter.press("enter")
        await counter.sees("The service did not answer. Look whether it was done before you do it again.")
        assert len(counter.service.commands) == 1


async def test_a_lost_answer_is_asked_for_again_under_the_same_id() -> None:
    async with till(READY) as counter:
        counter.service.lose_answers = 1
        await counter.type("40")
        await counter.press("enter")
        await counter.until(lambda: len(counter.service.repeated) == 1, "the repetition")
        assert len(counter.service.commands) == 1
        assert "did not answer" not in counter.text()


async def test_a_register_that_must_not_sell_says_why_in_large_and_still_shows_past_sales() -> None:
    service = ScriptedService(READY)
    service.sales = [SALE]
    async with till(service) as counter:
        await counter.shows(STOPPED)
        await counter.sees("S E L L I N G   H A S   S T O P P E D", "The disk of the register is full.", "Every sale that was completed is safe on the disk.")
        assert "Wool coat" not in counter.text()
        assert counter.app.bells == 1
        await counter.press("f9", "s")
        await counter.sees("R-0001-02-000123")
        await counter.press("escape")
        await counter.shows(selling(COAT))
        await counter.sees("Wool coat")


async def test_what_is_typed_while_selling_is_stopped_is_not_lost_on_the_way() -> None:
    async with till(STOPPED) as counter:
        await counter.press("f2")
        await counter.sees("S E L L I N G")
        assert counter.service.commands == []


async def test_x_leaves_the_screen_and_the_service_goes_on() -> None:
    async with till(READY) as counter:
        await counter.press("f9", "x")
        await counter.until(lambda: counter.app._exit, "leaving")
        assert counter.service.commands == []


async def test_where_there_is_no_room_beside_the_counter_the_panel_closes_after_each_action() -> None:
    world = World()
    async with till(READY, panel=world, size=(80, 24)) as counter:
        await counter.press("f12", "1")
        await counter.sees("did 1", "F2 pay")
        await counter.press("f12")
        await counter.sees("scan a coat")
