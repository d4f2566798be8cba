"""Questions that come up over a sale: how they are put, answered by keys, and taken back."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import Answer, QuestionView, RepriceView
from tests.support_snapshots import COAT, MARIA, QUESTION, READY, euros, ident, selling
from tests.support_till import till
from tui.screens.confirm import QuestionDialog

replace = msgspec.structs.replace
ASKED = replace(selling(COAT, customer=MARIA), question=QUESTION)


async def test_a_second_customers_tap_asks_and_escape_is_the_safe_answer() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        await counter.shows(question=QUESTION)
        await counter.sees("This basket is Maria Fernandez's. Is it Jonas Weber's now?", "Esc no, keep the customer")
        counter.clock.seconds += 1
        await counter.press("escape")
        assert await counter.sent(Answer) == Answer(QUESTION.id, "keep")


@pytest.mark.parametrize(("keys", "answer"), [(("enter",), "replace"), (("down", "enter"), "keep"), (("2",), "keep"), (("1",), "replace")])
async def test_a_question_is_answered_with_enter_or_its_digit(keys: tuple[str, ...], answer: str) -> None:
    async with till(ASKED) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        counter.clock.seconds += 1
        await counter.press(*keys)
        assert await counter.sent(Answer) == Answer(QUESTION.id, answer)
        assert len(counter.of(Answer)) == 1


async def test_who_is_typing_a_code_when_a_question_comes_up_answers_nothing_with_it() -> None:
    async with till(ASKED) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        for key in ("1", "2", "enter"):
            counter.clock.seconds += 0.5
            await counter.press(key)
        assert counter.service.commands == []
        counter.clock.seconds += 1
        await counter.press("2")
        assert await counter.sent(Answer) == Answer(QUESTION.id, "keep")


async def test_a_question_that_was_answered_elsewhere_goes_away() -> None:
    async with till(ASKED) as counter:
        await counter.sees("Is it Jonas Weber's now?")
        await counter.shows(question=None)
        await counter.until(lambda: "Jonas" not in counter.text(), "the question going")


async def test_the_question_whose_basket_it_is_says_what_would_change_and_follows_the_basket() -> None:
    asked = replace(QUESTION, total=RepriceView(euros(15_920), euros(17_920)), leaves=3)
    async with till(replace(selling(COAT, customer=MARIA), question=asked), size=(80, 24)) as counter:
        await counter.sees("the total changes from 159,20 to 179,20 EUR", "3 articles of the online cart, still to pick, leave the basket")
        await counter.shows(question=replace(asked, total=RepriceView(euros(15_920), euros(15_920)), leaves=1))
        await counter.sees("the total stays 159,20 EUR", "1 article of the online cart, still to pick, leaves the basket")
        await counter.shows(question=replace(asked, total=None, leaves=0))
        await counter.until(lambda: "If so" not in counter.text(), "nothing promised")


async def test_a_question_of_an_unknown_kind_is_asked_in_its_english_words() -> None:
    strange = QuestionView(ident("q2"), "question.of_tomorrow", {}, ["go_on", "wait"], "Shall the parrot go on?")
    async with till(replace(READY, question=strange), locale="de") as counter:
        await counter.sees("Shall the parrot go on?", "go on", "wait")


async def test_with_names_hidden_a_question_shows_initials() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        counter.app.set_name_hidden(True)
        await counter.shows(question=QUESTION)
        await counter.sees("This basket is M. F.'s. Is it J. W.'s now?")


async def test_a_question_that_goes_before_it_is_on_the_screen_leaves_no_trace() -> None:
    async with till(selling(COAT, customer=MARIA)) as counter:
        box = QuestionDialog(QUESTION)
        counter.app.push_screen(box)
        box._closing = True  # as Textual marks what goes: nothing is put on it any more
        await counter.until(lambda: box._mounted_event.is_set(), "the box has come and gone")
        assert not box.children
        box._closing = False
