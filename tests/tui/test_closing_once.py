"""A box that is answered closes once, and nothing but itself, whatever else happened to the stack of screens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from edge_agent.views import DetachCustomer, NoticeView, Park, Problem, SetQuantity, Snapshot, Suspend, VoidBasket
from tests.support_service import ScriptedService
from tests.support_snapshots import COAT, MARIA, QUESTION, READY, attempt, ident, payment, selling
from tests.support_till import Till, World, till
from tests.tui.test_counter_on_the_service import counter
from tui.messages import Words
from tui.screens.base import Dialog
from tui.screens.confirm import Confirm, LeaveDialog, QuestionDialog
from tui.screens.contradicted import ContradictedDialog
from tui.screens.department import DepartmentDialog
from tui.screens.discount import DiscountDialog, TakeOff
from tui.screens.help import HelpDialog
from tui.screens.in_full import InFullDialog
from tui.screens.label import LabelDialog
from tui.screens.pay import PayScreen
from tui.screens.quantity import QuantityDialog
from tui.screens.reasons import ReasonDialog
from tui.screens.review import ReviewDialog
from tui.screens.world import PanelScreen

replace = msgspec.structs.replace
ROUNDS = 12
MARIAS_CARD, OMARS_CARD = "LOY0000000001", "LOY0000000002"
PAYING = selling(COAT, customer=MARIA)
DIALOGS: dict[type[Dialog], Callable[[], Dialog]] = {
    Confirm: lambda: Confirm("Sure?", DetachCustomer(), "do it"),
    LeaveDialog: lambda: LeaveDialog("It stays."),
    QuestionDialog: lambda: QuestionDialog(QUESTION),
    InFullDialog: lambda: InFullDialog(NoticeView("", "warn", "No line is chosen.")),
    LabelDialog: lambda: LabelDialog("suspend", ("Park", "how", "do it"), Park, lambda _: True, optional=True),
    QuantityDialog: lambda: QuantityDialog(COAT),
    ReasonDialog: lambda: ReasonDialog("Void?", ("void_reason.training",), VoidBasket, ident("basket"), "void"),
    ReviewDialog: lambda: ReviewDialog(attempt("needs_review")),
    ContradictedDialog: lambda: ContradictedDialog(NoticeView("notice.payment_missing", "bad", "Differs.", "See to it.", {"attempt": ident("attempt")})),
    TakeOff: lambda: TakeOff(Words("en"), COAT.discounts[0], lambda _: None),
    DiscountDialog: lambda: DiscountDialog(COAT, ident("basket")),
    DepartmentDialog: lambda: DepartmentDialog(""),
    HelpDialog: lambda: HelpDialog("pay", ()),
    PanelScreen: lambda: PanelScreen(World()),
}


def _kinds(held: Till) -> list[str]:
    return [type(screen).__name__ for screen in held.app.screen_stack]


def _all_kinds(kind: type[Dialog]) -> Iterator[type[Dialog]]:
    for narrower in kind.__subclasses__():
        yield narrower
        yield from _all_kinds(narrower)


def test_every_kind_of_box_is_tried_here() -> None:
    assert set(_all_kinds(Dialog)) == set(DIALOGS)


async def test_the_customer_is_changed_again_and_again_by_cards_that_come_in_turn(tmp_path: Path) -> None:
    async with counter("in_process", tmp_path) as held:
        await held.scan("4006381333931")
        await held.scan(MARIAS_CARD)
        await held.sees("Maria Fernandez")
        for turn in range(ROUNDS):
            card, name = [(OMARS_CARD, "Omar"), (MARIAS_CARD, "Maria")][turn % 2]
            await held.scan(card)
            await held.sees("yes, change the customer")
            held.clock.seconds += 2.5
            await held.press("1")
            await held.until(lambda name=name: held.app.picture.snapshot.customer.name.startswith(name), f"{name} in round {turn}")
            await held.until(lambda: _kinds(held) == ["SaleScreen"], f"the counter after round {turn}")


@pytest.mark.parametrize("kind", DIALOGS)
async def test_a_box_that_is_closed_twice_takes_no_other_screen_with_it(kind: type[Dialog]) -> None:
    fitting = replace(PAYING, question=QUESTION) if kind is QuestionDialog else PAYING
    if kind is ReviewDialog:
        fitting = replace(PAYING, phase="paying", payment=payment(15920, attempt=attempt("needs_review")))
    async with till(fitting) as held:
        held.app.go(PayScreen())
        box = DIALOGS[kind]()
        held.app.lay(box)
        await held.until(lambda: box.is_mounted, "the box")
        box.dismiss()
        box.dismiss()
        box.answered(Park(), None)
        assert box not in held.app.screen_stack
        assert "PayScreen" in _kinds(held)


async def test_a_box_under_the_help_goes_when_its_answer_came_and_the_help_stays() -> None:
    service = ScriptedService(PAYING)
    async with till(service) as held:
        await held.press("q")
        await held.sees("Quantity")
        service.hold = asyncio.Event()
        await held.type("3")
        await held.press("enter", "f1")
        await held.sees("A number of pieces, or a weight")
        service.hold.set()
        assert (await held.sent(SetQuantity)).quantity == "3"
        await held.until(lambda: held.app.screen_stack[1].over, "the answer")
        assert _kinds(held) == ["SaleScreen", "QuantityDialog", "HelpDialog"]
        await held.press("escape")
        await held.until(lambda: _kinds(held) == ["SaleScreen"], "both going")


async def test_a_refusal_of_a_box_that_is_gone_is_said_on_the_counter() -> None:
    service = ScriptedService(PAYING)
    async with till(service) as held:
        await held.press("f6")
        await held.sees("Suspend this basket")
        service.hold = asyncio.Event()
        service.on(Suspend, lambda snapshot, command: _refused(snapshot))
        await held.press("enter")
        await held.until(lambda: any(path == "POST /v1/commands" for path in service.asked), "the command under way")
        await held.shows(replace(READY, view=service.snapshot.view))
        await held.until(lambda: _kinds(held) == ["SaleScreen"], "the box going")
        service.hold.set()
        await held.sees("There is no basket.")


def _refused(snapshot: Snapshot) -> Problem:
    return Problem("about:blank", "Not now", 409, "There is no basket.", "not_now.no_basket", "Scan an article to begin.")
