"""Opening a register by a scanned badge: its holder is asked for the money in the drawer like everybody, on the screen over a whole register."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.support_api import served
from tests.support_shop import Rig, register
from tests.tui.test_counter_on_the_service import Counter, screen

MONEY, WHO = "How much money is in the drawer?", "Who opens this register?"
AYSE, NILS = "STAFF-1001", "STAFF-1002"


@asynccontextmanager
async def closed(folder: Path, counters: int = 1) -> AsyncIterator[list[Counter]]:
    """So many terminals on a register that nobody has opened."""
    async with register(folder / "state") as rig, served(rig, "in_process", folder) as shop, AsyncExitStack() as exits:
        held = [await exits.enter_async_context(screen(shop)) for _ in range(counters)]
        for counter in held:
            await counter.sees(WHO)
        yield held


def shifts(rig: Rig) -> list[tuple[str, int]]:
    """Who opened a shift with how much, as central is told it."""
    rows = [json.loads(row) for row in rig.journal.export()]
    data = [row["data"] for row in rows if row.get("type") == "retail.shift.opened.v1"]
    return [(one["operatorId"], one["floatMinor"]) for one in data]


async def test_who_scans_a_badge_is_asked_for_the_money_in_the_drawer(tmp_path: Path) -> None:
    async with closed(tmp_path) as (held,):
        await held.scan(AYSE)
        await held.sees(MONEY, "Ayse K.")
        assert shifts(held.rig) == []
        await held.type("150")
        await held.press("enter")
        await held.sees("Good day, Ayse K.")
        assert shifts(held.rig) == [("1001", 15_000)]


async def test_enter_alone_says_that_there_is_none_after_a_scanned_badge_too(tmp_path: Path) -> None:
    async with closed(tmp_path) as (held,):
        await held.scan(AYSE)
        await held.sees(MONEY)
        await held.press("enter")
        await held.sees("Good day, Ayse K.")
        assert shifts(held.rig) == [("1001", 0)]


async def test_money_that_was_typed_stays_when_a_badge_is_scanned_and_the_last_badge_opens(tmp_path: Path) -> None:
    async with closed(tmp_path) as (held,):
        await held.type("STAFF-1001")
        await held.press("enter")
        await held.sees(MONEY)
        await held.type("150")
        await held.scan(AYSE)
        await held.sees(MONEY, "Ayse K.", "150")
        await held.scan(NILS)
        await held.gone("Ayse K.")
        await held.sees(MONEY, "150")
        await held.press("enter")
        await held.sees("Good day")
        assert shifts(held.rig) == [("1002", 15_000)]


async def test_a_badge_number_begun_by_hand_is_no_money_for_the_badge_that_is_scanned(tmp_path: Path) -> None:
    async with closed(tmp_path) as (held,):
        await held.type("100")
        await held.scan(AYSE)
        await held.sees(MONEY)
        await held.press("enter")
        await held.sees("Good day, Ayse K.")
        assert shifts(held.rig) == [("1001", 0)]


async def test_a_badge_of_nobody_is_refused_in_words_and_leaves_what_was_asked(tmp_path: Path) -> None:
    async with closed(tmp_path) as (held,):
        await held.scan("STAFF-9999")
        await held.sees("The badge STAFF-9999 belongs to nobody here.", WHO)
        await held.scan(AYSE)
        await held.sees(MONEY)
        await held.gone("belongs to nobody")
        await held.type("80")
        await held.scan("STAFF-9999")
        await held.sees("The badge STAFF-9999 belongs to nobody here.", MONEY, "Ayse K.", "80")


async def test_every_counter_asks_also_one_that_is_opened_later_and_escape_asks_for_the_badge_at_all(tmp_path: Path) -> None:
    async with register(tmp_path / "state") as rig, served(rig, "in_process", tmp_path) as shop, screen(shop) as one:
        await one.scan(AYSE)
        await one.sees(MONEY)
        async with screen(shop) as two:
            await two.sees(MONEY, "Ayse K.")
            await two.press("escape")
            await two.sees(WHO)
            await one.sees(WHO)
            await two.scan(AYSE)  # the same badge again is a new one
            await two.sees(MONEY, "Ayse K.")
            await one.type("20")
            await one.press("enter")
            await two.sees("Good day, Ayse K.")
        assert shifts(rig) == [("1001", 2_000)]


async def test_goods_that_are_scanned_while_the_money_is_asked_for_are_not_sold_and_the_screen_says_what_comes_first(tmp_path: Path) -> None:
    async with closed(tmp_path) as (held,):
        await held.scan("4006381333931")
        await held.sees("No shift is open.", WHO)
        await held.scan(AYSE)
        await held.sees(MONEY)
        await held.scan("4006381333931")
        await held.sees("The money in the drawer comes first; nothing was sold.", "then scan again", MONEY)
        assert "No shift is open." not in held.text()
        await held.type("150")
        await held.press("enter")
        await held.sees("Good day, Ayse K.")
        assert held.rig.core.state.basket is None
        assert "comes first" not in held.text()


async def test_the_same_after_a_typed_badge(tmp_path: Path) -> None:
    async with closed(tmp_path) as (held,):
        await held.type("1001")
        await held.press("enter")
        await held.sees(MONEY)
        await held.scan("4006381333931")
        await held.sees("The money in the drawer comes first; nothing was sold.", MONEY)
        await held.press("escape")
        await held.sees(WHO, "No shift is open.")
