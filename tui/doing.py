"""Doing: what each act of the table does, one short function each."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.views import (
    CloseShift,
    DetachCustomer,
    LineView,
    LoadCart,
    NextIsCheck,
    Park,
    PrintReceipt,
    ReleaseCart,
    RemoveLine,
    SignIn,
    Snapshot,
    Suspend,
    VoidBasket,
)
from tui.counter import Counter
from tui.screens.aside import AsideScreen
from tui.screens.confirm import Confirm
from tui.screens.customer import CustomerScreen
from tui.screens.department import DepartmentDialog
from tui.screens.discount import DiscountDialog
from tui.screens.find import FindArticle, FindCustomer
from tui.screens.label import LabelDialog
from tui.screens.menu import MenuScreen, PaletteScreen
from tui.screens.pay import PayScreen
from tui.screens.quantity import QuantityDialog
from tui.screens.reasons import ReasonDialog
from tui.screens.sales import SalesScreen
from tui.screens.told import DevicesScreen, NoticesScreen
from tui.screens.world import PanelScreen
from tui.shown import Shown

VOID_REASONS = ("void_reason.changed_mind", "void_reason.no_money", "void_reason.scanned_wrongly", "void_reason.training")


def _pay(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(PayScreen())


def _customer(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(CustomerScreen() if shown.snapshot.customer else FindCustomer())


def _find_customer(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(FindCustomer())


def _find(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(FindArticle())


def _cart(counter: Counter, shown: Shown, held: LineView | None) -> None:
    """Load the online cart; the same key lets it go again, after asking when goods of it are still to be picked."""
    customer, basket = shown.snapshot.customer, shown.snapshot.basket
    assert customer is not None
    assert customer.cart is not None
    counter.home()
    if customer.cart.state != "here":
        counter.command(LoadCart(customer.cart.id))
    elif basket is not None and basket.to_pick:
        counter.lay(Confirm(shown.words.count("confirm.release", basket.to_pick), ReleaseCart(), shown.words("cart.release")))
    else:
        counter.command(ReleaseCart())


def _suspend(counter: Counter, shown: Shown, held: LineView | None) -> None:
    """Set the basket aside; with a payment whose outcome is unknown it is parked with it."""
    words, basket, payment = shown.words, shown.snapshot.basket, shown.snapshot.payment
    assert basket is not None

    def still(snapshot: Snapshot) -> bool:
        return snapshot.basket is not None and snapshot.basket.id == basket.id

    attempt = payment.attempt if payment else None
    if attempt is not None and attempt.can_park:
        counter.lay(LabelDialog("suspend", words("park.title"), words("park.how"), Park, still, optional=True))
    elif basket.locked:
        counter.say("refused.locked")
    else:
        counter.home()
        counter.lay(LabelDialog("suspend", words("suspend.title"), words("suspend.how"), Suspend, still, optional=True))


def _recall(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(AsideScreen())


def _discount(counter: Counter, shown: Shown, held: LineView | None) -> None:
    basket = shown.snapshot.basket
    assert basket is not None
    counter.home()
    counter.lay(DiscountDialog(held if held and held.state == "in_hand" else None, basket.id))


def _more(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(MenuScreen())


def _palette(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(PaletteScreen())


def _check(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.home()
    counter.command(NextIsCheck(on=not shown.snapshot.next_is_check))


def _remove(counter: Counter, shown: Shown, held: LineView | None) -> None:
    if held is None:
        counter.say("refused.no_line")
        return
    name = f"{held.name}, {held.variant}" if held.variant else held.name
    counter.lay(Confirm(shown.words("confirm.remove", name=name), RemoveLine(held.id), shown.words("act.remove")))


def _quantity(counter: Counter, shown: Shown, held: LineView | None) -> None:
    if held is None:
        counter.say("refused.no_line")
    else:
        counter.lay(QuantityDialog(held))


def _panel(counter: Counter, shown: Shown, held: LineView | None) -> None:
    """Over whatever is there: also a payment goes on under it."""
    if counter.panel is not None:
        counter.lay(PanelScreen(counter.panel))


def _sales(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(SalesScreen())


def _department(counter: Counter, shown: Shown, held: LineView | None) -> None:
    """A typed line; a code that was just found unknown goes with it."""
    notice = shown.snapshot.notice
    code = notice.shown.get("code", "") if notice is not None and notice.key.startswith("code_unknown") else ""
    counter.home()
    counter.lay(DepartmentDialog(code))


def _void(counter: Counter, shown: Shown, held: LineView | None) -> None:
    basket = shown.snapshot.basket
    assert basket is not None
    counter.home()
    title = shown.words("void.title", total=basket.total.text, currency=shown.snapshot.currency)
    counter.lay(ReasonDialog(title, VOID_REASONS, VoidBasket, basket.id))


def _print(counter: Counter, shown: Shown, held: LineView | None) -> None:
    sale = shown.snapshot.last_sale
    assert sale is not None
    if sale.print_state == "not_printed":
        counter.command(PrintReceipt(sale.id))
    else:
        counter.go(SalesScreen())


def _hide_name(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.set_name_hidden(not shown.name_hidden)


def _detach(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.home()
    counter.lay(Confirm(shown.words("confirm.detach"), DetachCustomer(), shown.words("act.detach")))


def _notices(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(NoticesScreen())


def _devices(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(DevicesScreen())


def _sign_in(counter: Counter, shown: Shown, held: LineView | None) -> None:
    words, shift = shown.words, shown.snapshot.shift
    assert shift is not None
    counter.home()

    def still(snapshot: Snapshot) -> bool:
        return snapshot.shift is not None and snapshot.shift.operator_id == shift.operator_id

    counter.lay(LabelDialog("sign_in", words("sign_in.title"), words("sign_in.how"), SignIn, still))


def _close_shift(counter: Counter, shown: Shown, held: LineView | None) -> None:
    shift = shown.snapshot.shift
    assert shift is not None
    aside = len(shown.snapshot.suspended)
    text = shown.words.count("confirm.close_shift", shift.sales)
    if aside:
        text = f"{text} {shown.words.count('confirm.close_aside', aside)}"
    counter.home()
    counter.lay(Confirm(text, CloseShift(), shown.words("act.close_shift")))


Doing = Callable[[Counter, Shown, LineView | None], None]
DOINGS: dict[str, Doing] = {
    "pay": _pay, "customer": _customer, "find_customer": _find_customer, "find": _find, "cart": _cart, "suspend": _suspend, "recall": _recall,
    "discount": _discount, "more": _more, "palette": _palette, "check": _check, "remove": _remove, "quantity": _quantity, "panel": _panel, "sales": _sales,
    "department": _department, "void": _void, "print": _print, "hide_name": _hide_name, "detach": _detach, "notices": _notices, "devices": _devices,
    "sign_in": _sign_in, "close_shift": _close_shift,
}  # fmt: skip
"""By the act's name. ``help``, ``colours`` and ``quit`` are the application's own."""
