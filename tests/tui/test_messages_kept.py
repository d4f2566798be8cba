"""The list of messages (F9 N) has everything that was said on the message line, once, newest first: by the service, and by the screen itself."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import Enter, NextQuantity, NoticeView
from tests.support_service import ScriptedService, refusal
from tests.support_snapshots import COAT, FULL, MINUTE, NOW, UNKNOWN_CODE, selling
from tests.support_till import Till, till
from tui.messages import Words
from tui.said import SAID_KEPT, Said

replace = msgspec.structs.replace
CHECK_DIGIT = refusal("code_invalid.check_digit", "Invalid GTIN-13 check digit.", "Scan it again.", code="4006381333932", expected="1", got="2")
NO_QUANTITY = refusal("code_invalid.quantity", "That is no quantity.", "Type a number.")


async def rows(counter: Till) -> list[str]:
    """What the list says, from the top, without the keys and the message line below it."""
    await counter.press("f9", "n")
    await counter.until(lambda: ("Messages" in counter.text() or "Meldungen" in counter.text()) and "14:0" in counter.text(), "the list")
    return [row for row in counter.text().split("\n")[2:] if "14:0" in row and any(mark in row for mark in "·●▲■")]


@pytest.mark.parametrize("locale", ["en", "de"])
async def test_what_was_typed_and_refused_is_in_the_list_with_what_the_scanner_read(locale: str) -> None:
    words = Words(locale)
    service = ScriptedService(selling(COAT))
    service.notices = [replace(UNKNOWN_CODE, at_ms=NOW - 5 * MINUTE)]
    service.on(Enter, lambda snapshot, command: refusal("code_unknown.nothing", "Nothing answers.", code=command.text))
    service.on(NextQuantity, lambda snapshot, command: NO_QUANTITY)
    async with till(service, locale=locale) as counter:
        await counter.type("shirt")
        await counter.press("enter")
        await counter.sees(words("code_unknown.nothing", code="shirt"))
        counter.clock.seconds += 1
        counter.app.command(NextQuantity("9g9"))
        await counter.sees(words("code_invalid.quantity"))
        counter.clock.seconds += 1
        await counter.press("f7")
        await counter.sees(words("refused.nothing_aside"))
        said = await rows(counter)
        expected = (
            words("refused.nothing_aside"),
            words("code_invalid.quantity"),
            words("code_unknown.nothing", code="shirt"),
            words("code_unknown.article", code="4006381333931"),
        )
        assert [text in row for text, row in zip(expected, said, strict=True)] == [True] * 4, said
        await counter.press("down", "enter")
        await counter.press("escape")
        assert len(await rows(counter)) == 4, "one that is shown again is not said anew"


async def test_a_discount_that_was_taken_off_again_is_in_the_list() -> None:
    async with till(FULL) as counter:
        await counter.press("up", "up", "f8")
        await counter.sees("Given already:")
        await counter.press("delete")
        await counter.sees("Take this discount off again")
        await counter.press("delete")
        await counter.sees("Taken off again: winter offer, 39,80.")
        await counter.press("escape")
        assert ["Taken off again: winter offer, 39,80." in row for row in await rows(counter)] == [True]


async def test_what_the_service_listed_and_answered_with_as_well_was_said_once() -> None:
    service = ScriptedService(selling(COAT))
    service.on(Enter, lambda snapshot, command: CHECK_DIGIT)
    service.notices = [NoticeView(CHECK_DIGIT.key, "bad", CHECK_DIGIT.detail, CHECK_DIGIT.hint, CHECK_DIGIT.shown, NOW)]
    async with till(service) as counter:
        await counter.type("4006381333932")
        await counter.press("enter")
        await counter.until(lambda: counter.app.picture.notice is not None, "the refusal")
        assert len(await rows(counter)) == 1


def test_a_key_that_is_held_down_does_not_push_everything_else_out() -> None:
    said, words = Said(), Words("en")
    said.keep(NoticeView("", "warn", "First.", at_ms=NOW))
    for at in range(2 * SAID_KEPT):
        said.keep(NoticeView("", "warn", "No line is chosen.", at_ms=NOW + at))
    assert [(notice.text, notice.at_ms) for notice in said.among([], words)] == [("No line is chosen.", NOW + 2 * SAID_KEPT - 1), ("First.", NOW)]
    for at in range(2 * SAID_KEPT):
        said.keep(NoticeView("", "warn", f"{at}.", at_ms=NOW + at))
    assert len(said.among([], words)) == SAID_KEPT


async def test_a_message_is_shown_in_full_however_long_it_is() -> None:
    service = ScriptedService(selling(COAT))
    long = NoticeView("x", "warn", "The label of this article names a price. " * 4 + "Nothing was sold.", "Ask. " * 20 + "Then try it again.", at_ms=NOW)
    service.notices = [long, UNKNOWN_CODE]
    async with till(service, size=(80, 24)) as counter:
        await counter.press("f9", "n")
        await counter.sees("show in full")
        await counter.press("enter")
        await counter.sees("Nothing was sold.", "Then try it again.")
        await counter.press("enter")
        await counter.until(lambda: "Then try it again." not in counter.text(), "the list again")
        assert counter.app.picture.local is None
