"""A refusal on the screen goes with the next thing that is accepted; what nobody refused stays."""

from __future__ import annotations

import msgspec

from edge_agent.views import CheckBadge, NextQuantity, NoticeView, PayCard, Problem, Snapshot
from tests.support_service import ScriptedService, refusal
from tests.support_snapshots import CLOSED, COAT, payment, selling
from tests.support_till import till

replace = msgspec.structs.replace


def _badge(snapshot: Snapshot, command: CheckBadge) -> Snapshot | Problem:
    if command.badge != "STAFF-9999":
        return snapshot
    return Problem("about:blank", "Unknown", 404, "The badge belongs to nobody here.", "code_unknown.badge", "Check the badge.", {"code": command.badge})


async def test_a_good_badge_takes_the_refusal_of_the_bad_one_away() -> None:
    service = ScriptedService(CLOSED)
    service.on(CheckBadge, _badge)
    async with till(service) as counter:
        await counter.type("STAFF-9999")
        await counter.press("enter")
        await counter.sees("The badge STAFF-9999 belongs to nobody here.", "Who opens this register?")
        await counter.type("1001")
        await counter.press("enter")
        await counter.sees("How much money is in the drawer?")
        await counter.until(lambda: "belongs to nobody" not in counter.text(), "the refusal going")


async def test_an_act_that_was_given_before_the_refusal_does_not_take_it_away() -> None:
    service = ScriptedService(CLOSED)
    service.on(CheckBadge, _badge)
    async with till(service) as counter:
        counter.app.command(CheckBadge("STAFF-9999"))
        counter.app.command(CheckBadge("1001"))
        await counter.sent(CheckBadge, 2)
        await counter.pilot.pause(0.1)
        assert "belongs to nobody" in counter.text()


async def test_a_key_that_opens_something_takes_what_a_key_was_refused_with_away() -> None:
    async with till(selling(COAT)) as counter:
        await counter.press("f7")
        await counter.sees("Nothing is suspended or parked.")
        await counter.press("f1")
        await counter.sees("Nothing is suspended or parked.")
        await counter.press("escape", "f4")
        await counter.sees("Find an article")
        assert "Nothing is suspended" not in counter.text()


async def test_what_is_no_refusal_stays_with_an_accepted_act() -> None:
    async with till(selling(COAT)) as counter:
        counter.app.say_notice(NoticeView("", "info", "So it is."))
        await counter.type("3*")
        await counter.sent(NextQuantity)
        await counter.pilot.pause(0.1)
        assert "So it is." in counter.text()


async def test_no_card_can_be_taken_is_said_no_longer_once_the_terminal_is_back() -> None:
    there = selling(COAT)
    away = replace(there, payment=payment(15920, methods=("cash",)))
    async with till(away) as counter:
        await counter.press("f2")
        await counter.press("c")
        await counter.sees("Cards cannot be taken now.")
        await counter.shows(replace(away, link=replace(away.link, waiting=1)))
        assert "Cards cannot be taken now." in counter.text(), "news of something else leaves it"
        await counter.shows(there)
        assert "Cards cannot be taken now." not in counter.text()


async def test_a_terminal_that_did_not_answer_the_key_is_not_said_to_be_away_once_it_is_back() -> None:
    there = selling(COAT)
    service = ScriptedService(there)
    service.on(PayCard, lambda snapshot, command: refusal("not_now.terminal_absent", "The card terminal does not answer.", "Take cash."))
    async with till(service) as counter:
        await counter.press("f2")
        await counter.press("c")
        await counter.sees("The card terminal does not answer.")
        await counter.shows(replace(there, payment=payment(15920, methods=("cash",))))
        assert "The card terminal does not answer." in counter.text()
        await counter.shows(there)
        assert "The card terminal does not answer." not in counter.text()
