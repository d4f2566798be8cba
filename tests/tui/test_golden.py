"""Golden pictures: every screen as text, at the sizes that counters have. EDGE_UPDATE_GOLDEN=1 draws them anew; look at them before they are kept."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

import msgspec
import pytest
from textual.screen import Screen

from edge_agent.views import CustomerRowView, NoticeView, OpeningView, PriceView, QuestionView, RepriceView, Snapshot, TenderView
from tests.support_service import ScriptedService, article
from tests.support_snapshots import (
    CART,
    CLOSED,
    COAT,
    DAY,
    DEVICES,
    GLOVES,
    HOUR,
    MARIA,
    MINUTE,
    NOW,
    PARKED,
    PRALINES,
    READY,
    SALE,
    SCARF,
    SOCKS,
    SUSPENDED,
    TERMINAL_AWAY,
    UNKNOWN_CODE,
    attempt,
    basket,
    euros,
    ident,
    payment,
    selling,
)  # fmt: skip
from tests.support_till import GOLDEN, Till, compare, till
from tui import screens
from tui.panel import PanelAction

replace = msgspec.structs.replace
WIDE, USUAL, NARROW = (120, 40), (80, 24), (60, 20)
FULL = selling(COAT, SOCKS, PRALINES, customer=MARIA)
LOCKED = replace(FULL, phase="paying", basket=basket(COAT, SOCKS, PRALINES, locked=True))
CART_HERE = replace(CART, state="here", articles=3, total=euros(16880))
CART_TAKEN = selling(
    COAT,
    SCARF,
    customer=replace(MARIA, cart=replace(CART_HERE, articles=1, total=euros(4900), online="taken", held_by="0001/03")),
    basket=replace(basket(COAT, SCARF), cart="CART-1", cart_lost="taken", cart_holder="0001/03"),
    notice=NoticeView("notice.cart_taken", "warn", "", shown={"holder": "0001/03"}),
)
SPLIT = (TenderView(ident("t1"), "cash", "settled", euros(10000)), TenderView(ident("t2"), "card", "failed", euros(10064), reason="insufficient_funds"))


PICTURED_BY = {
    "AsideScreen": "set_aside", "ClosedScreen": "sign_in", "Confirm": "remove_line", "ContradictedDialog": "contradicted", "CustomerScreen": "customer_page",
    "DepartmentDialog": "department", "DevicesScreen": "devices", "DiscountDialog": "discount_reason", "FindArticle": "find_article",
    "FindCustomer": "find_customer", "HelpDialog": "help", "InFullDialog": "message_in_full", "LabelDialog": "take_over", "LeaveDialog": "leave",
    "MenuScreen": "menu", "NoticesScreen": "messages", "PaletteScreen": "commands", "PanelScreen": "panel", "PayScreen": "pay_cash",
    "QuantityDialog": "quantity", "QuestionDialog": "question", "ReasonDialog": "void_reason", "ReceiptScreen": "receipt", "ReviewDialog": "card_review",
    "SaleScreen": "basket", "SalesScreen": "past_sales", "TakeOff": "discount_take_off", "WaitingScreen": "waiting",
}  # fmt: skip
"""Every screen and box, and the picture that it is on top of."""
NEVER_ON_TOP = {"Pictured", "CounterScreen", "Dialog", "ListScreen"}
"""What the others are made of."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the service says, which keys are pressed and what is typed then, and what has to be there before the picture is taken."""

    snapshot: Snapshot
    awaited: str
    keys: tuple[str, ...] = ()
    typed: str = ""
    after: tuple[str, ...] = ()
    notices: tuple[NoticeView, ...] = ()


OWED = NoticeView(
    "notice.payment_to_give_back",
    "bad",
    "",
    shown={"amount": "200,64 EUR", "receipt": "R-0001-02-000123", "terminal": "Terminal 1", "attempt": ident("attempt")},
    at_ms=NOW - 12 * MINUTE,
)
CASHIER = replace(READY.shift, operator="Jo M.", operator_id="1002", rights=[])
SCENES = {
    "empty": Scene(READY, "Scan an article"),
    "basket": Scene(selling(COAT, SOCKS, PRALINES, notice=UNKNOWN_CODE), "Pralines"),
    "customer_cart": Scene(replace(FULL, devices=[*DEVICES[:3], TERMINAL_AWAY], suspended=[SUSPENDED], parked=[PARKED]), "Pralines"),
    "cart_to_pick": Scene(selling(COAT, SCARF, GLOVES, customer=replace(MARIA, cart=CART_HERE), repriced=RepriceView(euros(21490), euros(15920))), "to pick"),
    "cart_taken": Scene(CART_TAKEN, "holds the online cart now"),
    "pay_cart_taken": Scene(CART_TAKEN, "Before payment", ("f2",)),
    "customer_page": Scene(FULL, "Likes to be called", ("f3", "n")),
    "find_article": Scene(selling(COAT), "4 found", ("f4",), "wool"),
    "find_customer": Scene(READY, "3 found", ("f3",), "mar"),
    "pay_cash": Scene(FULL, "leaves 50,64 to pay", ("f2",), "150"),
    "pay_to_pick": Scene(selling(COAT, SCARF, GLOVES, customer=replace(MARIA, cart=CART_HERE)), "stay online", ("f2",)),
    "pay_split": Scene(replace(FULL, payment=payment(10064, paid=10000, tenders=SPLIT)), "So far", ("f2",)),
    "change_due": Scene(replace(READY, last_sale=SALE), "Change"),
    "left_online": Scene(replace(READY, last_sale=replace(SALE, left_online=3)), "stay online"),
    "card_waiting": Scene(replace(LOCKED, payment=payment(20064, attempt=attempt("in_progress", step="present_card"))), "Please hold"),
    "card_unknown": Scene(
        replace(LOCKED, payment=payment(20064, attempt=attempt("unknown", waited_s=47, reason="connection_lost", review_ms=NOW + 9 * MINUTE))),
        "Outcome not known",
    ),
    "card_review": Scene(replace(LOCKED, payment=payment(20064, attempt=attempt("needs_review", waited_s=700))), "Did the money move?", ("r",)),
    "question": Scene(
        replace(
            FULL,
            question=QuestionView(
                ident("q"),
                "question.replace_customer",
                {"new": "Jonas Weber", "current": MARIA.name},
                ["replace", "keep"],
                "?",
                RepriceView(euros(20_064), euros(22_064)),
                3,
            ),
        ),
        "Jonas Weber",
    ),
    "price_check": Scene(replace(FULL, price_check=PriceView("SKU-1", "Wool coat", "navy, 38", euros(19900), "piece", euros(17900))), "not sold"),
    "past_sales": Scene(READY, "2 sales", ("f9", "s")),
    "receipt": Scene(READY, "P print a copy", ("f9", "s", "enter")),
    "set_aside": Scene(replace(READY, suspended=[SUSPENDED], parked=[replace(PARKED, review_ms=NOW + 4 * MINUTE)]), "umbrella", ("f7",)),
    "void_reason": Scene(FULL, "could not pay", ("f9", "v")),
    "discount_reason": Scene(FULL, "goodwill", ("f8",), "20%", ("enter",)),
    "discount_taken_off": Scene(FULL, "Given already", ("up", "up", "f8")),
    "discount_take_off": Scene(FULL, "off again", ("up", "up", "f8", "down", "delete")),
    "department": Scene(replace(FULL, notice=UNKNOWN_CODE), "Which department?", ("f9", "t"), "12,50", ("enter",)),
    "menu": Scene(FULL, "past sales", ("f9",)),
    "commands": Scene(FULL, "F6     suspend", ("ctrl+p",), "basket"),
    "help": Scene(FULL, "Keys here", ("f1",)),
    "messages": Scene(FULL, "Good day", ("f9", "n")),
    "message_in_full": Scene(FULL, "■ 14:07", ("f9", "n", "enter")),
    "contradicted": Scene(replace(FULL, notice=OWED), "do not agree", ("f9", "n", "enter"), notices=(OWED,)),
    "contradicted_no_right": Scene(replace(FULL, notice=OWED, shift=CASHIER), "have one scan", ("f9", "n", "enter"), notices=(OWED,)),
    "quantity": Scene(FULL, "A number of pieces", ("up", "q")),
    "quantity_weight": Scene(FULL, "A weight in kg", ("q",)),
    "suspend": Scene(FULL, "A word to find it", ("f6",), "lady with the umbrella"),
    "take_over": Scene(FULL, "Who takes over", ("f9", "b")),
    "remove_line": Scene(FULL, "Take Pralines", ("delete",)),
    "devices": Scene(replace(FULL, devices=[*DEVICES[:3], TERMINAL_AWAY]), "Check the cable", ("f9", "d")),
    "stopped_disk": Scene(
        replace(FULL, phase="stopped", devices=DEVICES, stopped=NoticeView("disk_full", "bad", "The disk is full.", "Make room.")), "S T O P P E D"
    ),
    "stopped_damaged": Scene(
        replace(FULL, phase="stopped", devices=DEVICES, stopped=NoticeView("journal_corrupt", "bad", "The journal is damaged.", "Call support.")),
        "S T O P P E D",
    ),
    "sign_in": Scene(CLOSED, "Who opens"),
    "sign_in_float": Scene(replace(CLOSED, opening=OpeningView("STAFF-1001", "Ayse K.")), "How much money", (), "150"),
}


def service_at(scene: Scene) -> ScriptedService:
    """A service with something in every list."""
    service = ScriptedService(scene.snapshot)
    service.articles = [
        article("SKU-1", "Wool coat", "navy, 38", "04006381333931", 19900, "199,00"),
        article("SKU-2", "Wool coat", "camel, 40", "04006381333948", 21900, "219,00"),
        article("SKU-3", "Wool scarf", "navy", "04006381333955", 4900, "49,00"),
        article("SKU-9", "Woolly pralines", "", "04006381333962", 3990, "39,90", "kg"),
    ]
    service.customers = [
        CustomerRowView("c-1", "Maria Fernandez", "gold", "…4711, Berlin", NOW - 50 * DAY),
        CustomerRowView("c-2", "Marie Fischer", "silver", "…0815, Potsdam", NOW - DAY),
        CustomerRowView("c-3", "Mariam Yılmaz", "", "…1234"),
    ]
    older = replace(
        SALE, id=ident("older"), receipt="R-0001-02-000122", tenders=["cash", "card"], at_ms=NOW - DAY, print_state="not_printed", total=euros(129900)
    )
    service.sales = [SALE, older]
    service.receipt = [
        "         Berlin Mitte",
        "",
        "Wool coat, navy, 38       199,00",
        "  winter offer -20 %      -39,80",
        "",
        "TOTAL EUR                 200,64",
    ]
    service.departments = ["fashion", "beauty", "food"]
    service.notices = [*scene.notices, UNKNOWN_CODE, NoticeView("notice.shift_opened", "good", "Good day", shown={"name": "Ayse K."}, at_ms=NOW - HOUR)]
    service.notes = ["Likes to be called by her first name."]
    return service


async def draw(scene: Scene, size: tuple[int, int], of: str = "", **how: str) -> str:
    async with till(service_at(scene), size=size, **how) as counter:
        for key in scene.keys:
            await counter.press(key)
        if scene.typed:
            await counter.type(scene.typed)
        await counter.press(*scene.after)
        if scene.awaited:
            await counter.sees(scene.awaited)
        return picture_of(counter, of)


def picture_of(counter: Till, name: str) -> str:
    """The screen as text, with on top what the picture is of."""
    on_top = type(counter.app.screen).__name__
    assert name not in PICTURED_BY.values() or PICTURED_BY[on_top] == name, on_top
    return counter.text()


def test_every_screen_and_box_has_its_picture() -> None:
    modules = [importlib.import_module(f"tui.screens.{module.name}") for module in pkgutil.iter_modules(screens.__path__)]
    classes = {held for module in modules for held in vars(module).values() if isinstance(held, type) and held.__module__ == module.__name__}
    assert {held.__name__ for held in classes if issubclass(held, Screen)} == PICTURED_BY.keys() | NEVER_ON_TOP
    for name in PICTURED_BY.values():
        assert all((GOLDEN / f"{name}_{width}x{height}.txt").exists() for width, height in (WIDE, USUAL)), name


@pytest.mark.parametrize("size", [WIDE, USUAL], ids=["120x40", "80x24"])
@pytest.mark.parametrize("name", SCENES)
async def test_the_screen_is_as_it_was(name: str, size: tuple[int, int]) -> None:
    compare(await draw(SCENES[name], size, name), f"{name}_{size[0]}x{size[1]}")


@pytest.mark.parametrize("name", ["basket", "cart_to_pick", "pay_cash", "card_unknown", "question"])
async def test_the_narrow_screen_is_as_it_was(name: str) -> None:
    compare(await draw(SCENES[name], NARROW), f"{name}_60x20")


@pytest.mark.parametrize("name", ["customer_cart", "pay_cash", "pay_cart_taken", "card_unknown"])
async def test_the_german_screen_is_as_it_was(name: str) -> None:
    compare(await draw(replace_awaited(SCENES[name]), USUAL, locale="de"), f"{name}_de_80x24")


@pytest.mark.parametrize(("name", "glyphs"), [("customer_cart", "ascii"), ("customer_cart", "console"), ("card_unknown", "ascii")])
async def test_a_poorer_terminal_shows_the_same_in_its_own_characters(name: str, glyphs: str) -> None:
    picture = await draw(SCENES[name], USUAL, glyphs=glyphs)
    compare(picture, f"{name}_{glyphs}_80x24")
    if glyphs == "ascii":
        assert picture.isascii()


@pytest.mark.parametrize("size", [WIDE, USUAL], ids=["120x40", "80x24"])
async def test_the_demos_panel_and_the_question_before_leaving_are_as_they_were(size: tuple[int, int]) -> None:
    async with till(service_at(Scene(FULL, "")), size=size, panel=World()) as counter:
        await counter.press("f12")
        await counter.sees("The customer: Maria")
        await counter.pilot.pause()
        compare(picture_of(counter, "panel"), f"panel_{size[0]}x{size[1]}")
        await counter.press("escape", "ctrl+q")
        await counter.sees("Leave the screen?")
        compare(picture_of(counter, "leave"), f"leave_{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [WIDE, USUAL], ids=["120x40", "80x24"])
async def test_the_screen_without_a_service_is_as_it_was(size: tuple[int, int]) -> None:
    service = ScriptedService(READY)
    service.down = True
    async with till(service, size=size) as counter:
        await counter.sees("nothing listens")
        counter.clock.seconds += 65
        await counter.sees("for 1:05 min")
        compare(picture_of(counter, "waiting"), f"waiting_{size[0]}x{size[1]}")


class World:
    """A panel longer than a small screen."""

    title = "Demo: the customer and the world"
    leaving = "Leaving ends the demo. Nothing of it is kept."

    def actions(self) -> list[PanelAction]:
        groups = {"The customer: Maria Fernandez": "123456789", "Goods": "aswbxum", "Devices": "cntpo", "Card terminal": "dhflrk"}
        return [PanelAction(key, f"Something that happens when {key} is pressed", group) for group, keys in groups.items() for key in keys]

    async def perform(self, key: str) -> str:
        return f"Did {key}."


def replace_awaited(scene: Scene) -> Scene:
    """The same in another language: its last word is another one."""
    return Scene(scene.snapshot, "", scene.keys, scene.typed, scene.after)
