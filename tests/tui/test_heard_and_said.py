"""What is heard and what is said: the bell, messages and their end, and what the screen makes of commands and snapshots that come late."""

from __future__ import annotations

import asyncio

import msgspec

from edge_agent.views import Enter, NextIsCheck, NoticeView, Problem, RepriceView, SetQuantity, Snapshot
from tests.support_service import ScriptedService, refusal
from tests.support_snapshots import FULL, MARIA, NOW, READY, SCARF, SOCKS, UNKNOWN_CODE, basket, euros, ident, selling
from tests.support_till import till

replace = msgspec.structs.replace


# --- messages --------------------------------------------------------------------------------------------------------------------


async def test_a_bad_scan_rings_once_however_often_it_is_shown() -> None:
    async with till(READY) as counter:
        await counter.shows(notice=UNKNOWN_CODE)
        assert counter.app.bells == 1
        await counter.shows(devices=[])
        assert counter.app.bells == 1
        await counter.shows(notice=replace(UNKNOWN_CODE, at_ms=NOW + 500))
        assert counter.app.bells == 2
        await counter.shows(notice=NoticeView("notice.picked", "good", "Coat", shown={"name": "Coat"}, at_ms=NOW + 900))
        assert counter.app.bells == 2


async def test_an_old_message_does_not_ring_when_the_screen_opens() -> None:
    async with till(replace(READY, notice=UNKNOWN_CODE)) as counter:
        await counter.sees("4006381333931 is not in the catalogue.")
        assert counter.app.bells == 0


async def test_a_refusal_and_the_notice_about_it_ring_once() -> None:
    service = ScriptedService(READY)

    def unknown(snapshot: Snapshot, command: object) -> Problem:
        service.publish(notice=UNKNOWN_CODE)
        return refusal(UNKNOWN_CODE.key, UNKNOWN_CODE.text, UNKNOWN_CODE.hint, **UNKNOWN_CODE.shown)

    service.on(Enter, unknown)
    async with till(service) as counter:
        await counter.type("40063")
        await counter.press("enter")
        await counter.sees("is not in the catalogue.")
        await counter.until(lambda: counter.app.picture is not None and counter.app.picture.snapshot.view == service.snapshot.view, "both")
        await counter.pilot.pause()
        assert counter.app.bells == 1


async def test_a_sentence_of_our_own_goes_when_the_service_says_something_newer() -> None:
    async with till(FULL) as counter:
        await counter.press("f5")
        await counter.sees("No customer yet. Scan their card, or F3.")
        await counter.shows(notice=UNKNOWN_CODE)
        await counter.sees("is not in the catalogue")
        assert "Scan their card, or F3." not in counter.text()


async def test_a_sentence_of_our_own_goes_by_itself() -> None:
    async with till(FULL) as counter:
        await counter.press("f5")
        await counter.sees("No customer yet. Scan their card, or F3.")
        counter.clock.seconds += 11
        await counter.until(lambda: "Scan their card, or F3." not in counter.text(), "the sentence going")


async def test_what_was_said_to_somebody_before_is_not_repeated_to_who_opens_the_screen() -> None:
    old = replace(UNKNOWN_CODE, at_ms=NOW - 5 * 60_000)
    async with till(replace(READY, notice=old)) as counter:
        await counter.sees("Scan an article")
        assert "is not in the catalogue" not in counter.text()
        await counter.shows(notice=UNKNOWN_CODE)
        await counter.sees("is not in the catalogue")


async def test_a_notice_whose_time_is_over_goes_without_a_word_from_the_service() -> None:
    async with till(replace(READY, notice=replace(UNKNOWN_CODE, until_ms=NOW + 20_000))) as counter:
        await counter.sees("is not in the catalogue")
        counter.clock.seconds += 21
        await counter.until(lambda: "is not in the catalogue" not in counter.text(), "the notice going")


# --- commands and snapshots ------------------------------------------------------------------------------------------------------


async def test_commands_keep_their_order_while_an_answer_is_awaited() -> None:
    service = ScriptedService(READY)
    service.hold = asyncio.Event()
    async with till(service) as counter:
        await counter.type("1")
        await counter.press("enter", "f10")
        await counter.type("2")
        await counter.press("enter")
        counter.clock.seconds += 3
        await counter.sees("One moment", "3 s")
        service.hold.set()
        await counter.sent(Enter, 2)
        assert service.commands == [Enter("1"), NextIsCheck(on=True), Enter("2")]


async def test_a_stuck_key_does_not_pile_up_commands() -> None:
    service = ScriptedService(selling(SOCKS))
    service.hold = asyncio.Event()
    async with till(service) as counter:
        for _ in range(40):
            counter.app.command(SetQuantity(SOCKS.id, "2"))
        await counter.sees("Too many keys at once; the last one was left out.")
        service.hold.set()
        await counter.until(lambda: len(service.commands) >= 32, "the commands that were taken")
        assert len(service.commands) <= 34


async def test_an_older_snapshot_of_the_same_boot_is_ignored_and_another_boot_is_newer() -> None:
    async with till(replace(READY, view=10)) as counter:
        counter.app._take(replace(READY, view=9, store="Old"))
        assert "Berlin Mitte" in counter.text()
        counter.app._take(replace(READY, view=1, boot=ident("another boot"), store="Restarted"))
        await counter.sees("Restarted")


async def test_prices_of_a_member_are_shown_as_before_and_after() -> None:
    async with till(FULL) as counter:
        await counter.shows(customer=MARIA, repriced=RepriceView(euros(21490), euros(20064)))
        await counter.sees("214,90 → 200,64", "Maria Fernandez")


async def test_a_sale_with_nothing_in_hand_cannot_be_paid() -> None:
    picture = replace(READY, phase="selling", basket=basket(SCARF))
    async with till(picture) as counter:
        await counter.press("f2")
        await counter.sees("Nothing is in hand to be paid. Scan an article first.")
