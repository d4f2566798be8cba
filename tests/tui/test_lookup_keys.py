"""What one looks up in the menu: past sales and their receipts, messages, devices, and that returns cannot be done."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import AnyCommand, DeviceView, HandleContradiction, LinkView, NoticeView, PrintReceipt, Reprint, Snapshot
from tests.support_service import ScriptedService
from tests.support_snapshots import DAY, DEVICES, HOUR, NOW, READY, SALE, TERMINAL_AWAY, UNKNOWN_CODE, euros, ident
from tests.support_till import till

replace = msgspec.structs.replace


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


@pytest.mark.parametrize("glyphs", ["ascii", "console"])
async def test_a_scrollbar_is_drawn_with_what_the_terminal_has(glyphs: str) -> None:
    service = ScriptedService(READY)
    service.sales, service.receipt = [SALE], [f"Article {n:30}" for n in range(30)]
    async with till(service, size=(80, 24), glyphs=glyphs) as counter:
        for keys in (("f1",), ("escape", "f9", "s", "enter")):
            await counter.press(*keys)
            await counter.until(lambda: counter.app.screen.query_one("#scroll").max_scroll_y > 5, "something to scroll")
            for _ in range(12):
                await counter.press("down")
                assert not set(counter.text()) & set("▁▂▃▅▆▇")
                assert glyphs == "console" or counter.text().isascii()


async def test_a_receipt_that_never_came_out_is_printed_as_the_original() -> None:
    service = ScriptedService(READY)
    service.sales = [replace(SALE, print_state="not_printed")]
    async with till(service) as counter:
        await counter.press("f9", "s", "enter")
        await counter.sees("P print it")
        await counter.press("p")
        assert await counter.sent(PrintReceipt) == PrintReceipt(SALE.id)


async def test_a_receipt_of_which_nobody_knows_is_listed_so_and_printed_as_a_copy() -> None:
    service = ScriptedService(READY)
    service.sales = [replace(SALE, print_state="unknown")]
    async with till(service) as counter:
        await counter.press("f9", "s")
        await counter.sees("perhaps not printed")
        await counter.press("enter")
        await counter.sees("P print a copy")
        await counter.press("p")
        assert await counter.sent(Reprint) == Reprint(SALE.id)


async def test_what_the_service_says_as_it_starts_is_read_by_whoever_opens_the_counter_later() -> None:
    said = NoticeView("notice.print_unknown", "warn", "", shown={"code": "R-0001-02-000123"}, at_ms=NOW - 300_000, until_ms=NOW + 300_000)
    async with till(replace(READY, notice=said)) as counter:
        await counter.sees("Receipt R-0001-02-000123 may not have been printed. F9 S shows it and prints a copy.")


async def test_once_the_original_came_out_the_receipt_offers_a_copy() -> None:
    service = ScriptedService(READY)
    service.sales = [replace(SALE, print_state="not_printed")]

    def printed(snapshot: Snapshot, command: AnyCommand) -> Snapshot:
        service.sales = [SALE]
        return snapshot

    service.on(PrintReceipt, printed)
    async with till(service) as counter:
        await counter.press("f9", "s")
        await counter.sees("not printed")
        await counter.press("enter")
        await counter.sees("P print it")
        await counter.press("p")
        await counter.sees("P print a copy")
        await counter.press("escape")
        await counter.until(lambda: "Past sales" in counter.text() and "not printed" not in counter.text(), "the list knowing it")


async def test_messages_are_kept_and_shown_in_full() -> None:
    service = ScriptedService(READY)
    service.notices = [UNKNOWN_CODE, NoticeView("notice.shift_opened", "good", "Good day", shown={"name": "Ayse K."}, at_ms=NOW - HOUR)]
    async with till(service) as counter:
        await counter.press("f9", "n")
        await counter.sees("■ 4006381333931 is not in the catalogue.", "● The register is open. Good day, Ayse K.")


OWED = NoticeView(
    "notice.payment_to_give_back", "bad", "", shown={"amount": "199,00 EUR", "receipt": "R-0001-02-000009", "terminal": "T1", "attempt": ident("a")},
    at_ms=NOW - DAY,
)  # fmt: skip


async def test_a_payment_to_give_back_stands_on_the_screen_and_on_top_of_the_messages_until_somebody_notes_what_was_done() -> None:
    service = ScriptedService(replace(READY, notice=OWED))
    service.notices = [UNKNOWN_CODE, OWED]

    def handled(snapshot: Snapshot, command: AnyCommand) -> Snapshot:
        service.notices = [UNKNOWN_CODE]
        return replace(snapshot, notice=None)

    service.on(HandleContradiction, handled)
    async with till(service) as counter:
        await counter.sees("199,00 EUR too much was paid by card, receipt R-0001-02-000009", "Give 199,00 EUR back at T1")
        await counter.press("f9", "n")
        await counter.sees("Messages")
        await counter.until(lambda: counter.text().index("too much was paid") < counter.text().index("is not in the catalogue"), "it on top")
        await counter.press("enter")
        await counter.sees("A decision and the terminal do not agree", "Enter note that it is seen to")
        await counter.press("enter")
        await counter.sees("Type what was done")
        await counter.type("refunded at T1")
        await counter.press("enter")
        assert await counter.sent(HandleContradiction) == HandleContradiction(ident("a"), "refunded at T1")
        await counter.until(lambda: "too much was paid" not in counter.text() and "not in the catalogue" in counter.text(), "the list without it")


async def test_devices_say_what_is_wrong_and_what_to_do() -> None:
    async with till(replace(READY, devices=[*DEVICES[:3], TERMINAL_AWAY])) as counter:
        await counter.press("f9", "d")
        await counter.sees("○ card terminal (terminal-1)  not answering", "Check the cable of the card terminal.", "since 14:02")


@pytest.mark.parametrize(
    ("locale", "advice"), [("en", " ".join(["Look at the cable, then at the switch."] * 5) + " Last word."), ("de", "Neue Rolle einlegen.")]
)
async def test_the_advice_about_a_device_is_never_cut(locale: str, advice: str) -> None:
    long = " ".join(["Look at the cable, then at the switch."] * 5) + " Last word."
    service = ScriptedService(READY)
    service.snapshot = replace(READY, devices=[*DEVICES[:2], DeviceView("printer-1", "receipt_printer", "degraded", NOW, reason="paper_out", hint=long)])
    async with till(service, size=(80, 24), locale=locale) as counter:
        await counter.press("f9", "d")
        await counter.sees("not working now: paper is out" if locale == "en" else "arbeitet gerade nicht: Papier ist zu Ende", advice)


# --- a service that is not there, or must not sell -------------------------------------------------------------------------------


async def test_a_register_that_sold_nothing_yet_says_so_and_one_that_did_not_sell_what_was_typed_says_that() -> None:
    async with till(ScriptedService(READY)) as counter:
        await counter.press("f9", "s")
        await counter.sees("Nothing was sold at this register yet.")
        await counter.type("R-9")
        await counter.sees("No such sale at this register.")


async def test_returns_are_said_to_be_missing_where_one_looks_for_them() -> None:
    service = ScriptedService(READY)
    service.sales = [SALE]
    async with till(service) as counter:
        await counter.press("f9", "r")
        await counter.sees("Returns cannot be done here yet: keep goods and receipt, ask the manager.")
        await counter.press("ctrl+p")
        await counter.type("returns")
        await counter.sees("F9 R   returns")
        await counter.press("f9", "s", "enter")
        await counter.sees("Returns cannot be done at this register yet (F1).")
        await counter.press("f1")
        await counter.sees("keep goods and receipt together")
        assert counter.service.commands == []


async def test_f9_d_says_why_central_takes_nothing() -> None:
    link = LinkView("frozen", NOW - HOUR, 4, "frozen", "The till was moved; ask the platform team.", "Ask.")
    async with till(replace(READY, link=link), size=(80, 24)) as counter:
        await counter.press("f9", "d")
        await counter.sees("▲ Central: frozen there: The till was moved; ask the platform team.", "selling goes on, 4 records wait safely on disk")
