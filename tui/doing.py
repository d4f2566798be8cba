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
    Snapshot,
    Suspend,
    VoidBasket,
)
from tui.acts import is_empty
from tui.counter import Counter
from tui.drawing.pay import holds_the_shift
from tui.panel import Panel
from tui.screens.aside import AsideScreen
from tui.screens.confirm import Confirm
from tui.screens.customer import CustomerScreen
from tui.screens.department import DepartmentDialog
from tui.screens.discount import DiscountDialog
from tui.screens.find import FindArticle, FindCustomer
from tui.screens.label import LabelDialog, sign_in_box
from tui.screens.menu import MenuScreen, PaletteScreen
from tui.screens.pay import PayScreen
from tui.screens.quantity import QuantityDialog
from tui.screens.reasons import ReasonDialog
from tui.screens.sales import SalesScreen
from tui.screens.told import DevicesScreen, NoticesScreen
from tui.screens.world import PanelScreen
from tui.shown import Shown

UNKNOWN_GOODS = ("code_unknown.article", "code_unknown.nothing", "code_unknown.scanned")
"""The refusals whose code may be on goods, and goes with a typed line."""
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
    counter.home()
    if basket is None or not basket.cart:
        assert customer is not None
        assert customer.cart is not None
        counter.command(LoadCart(customer.cart.id))
    elif basket.to_pick:
        counter.lay(Confirm(shown.words.count("confirm.release", basket.to_pick), ReleaseCart(), shown.words("cart.release")))
    else:
        counter.command(ReleaseCart())


def _suspend(counter: Counter, shown: Shown, held: LineView | None) -> None:
    """Suspend the basket; with a payment whose outcome is unknown it is parked with it."""
    words, basket, payment = shown.words, shown.snapshot.basket, shown.snapshot.payment
    assert basket is not None

    def still(snapshot: Snapshot) -> bool:
        return snapshot.basket is not None and snapshot.basket.id == basket.id

    attempt = payment.attempt if payment else None
    if attempt is not None and attempt.can_park:
        said = words("park.title"), words("park.how"), words("park.do")
        counter.lay(LabelDialog("suspend", said, lambda label: Park(label, basket.id), still, optional=True))
    elif basket.locked:
        counter.say("refused.locked")
    else:
        counter.home()
        said = words("suspend.title"), words("suspend.how"), words("suspend.do")
        counter.lay(LabelDialog("suspend", said, lambda label: Suspend(label, basket.id), still, optional=True))


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
    """Over whatever is there: also a payment or a question goes on under it. There is one."""
    if counter.panel is not None and not counter.has(PanelScreen):
        counter.lay(PanelScreen(counter.panel))


def _sales(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(SalesScreen())


def _department(counter: Counter, shown: Shown, held: LineView | None) -> None:
    """A typed line; a code that was just found unknown goes with it."""
    notice = shown.snapshot.notice
    code = notice.shown.get("code", "") if notice is not None and notice.key in UNKNOWN_GOODS else ""
    counter.home()
    counter.lay(DepartmentDialog(code))


def _void(counter: Counter, shown: Shown, held: LineView | None) -> None:
    basket = shown.snapshot.basket
    assert basket is not None
    counter.home()
    if is_empty(shown):
        counter.command(VoidBasket())  # without a reason, so that goods which come at this moment are not gone with it
        return
    title = shown.words("void.title", total=basket.total.text, currency=shown.snapshot.currency)
    counter.lay(ReasonDialog(title, VOID_REASONS, VoidBasket, basket.id, shown.words("void.do")))


def _print(counter: Counter, shown: Shown, held: LineView | None) -> None:
    sale = shown.snapshot.last_sale
    assert sale is not None
    if sale.print_state == "not_printed":
        counter.command(PrintReceipt(sale.id))
    else:  # there is nothing to print but a copy, and that is asked for there
        counter.go(SalesScreen())
        counter.say(f"print_why.{sale.print_state}", "info", receipt=sale.receipt)


def _hide_name(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.set_name_hidden(not shown.name_hidden)


def _detach(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.home()
    counter.lay(Confirm(shown.words("confirm.detach"), DetachCustomer(), shown.words("confirm.detach.do")))


def _notices(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(NoticesScreen())


def _devices(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.go(DevicesScreen())


def _sign_in(counter: Counter, shown: Shown, held: LineView | None) -> None:
    counter.home()
    counter.lay(sign_in_box(shown))


def _close_shift(counter: Counter, shown: Shown, held: LineView | None) -> None:
    """Ask, unless a parked sale holds the shift: then say until when, and who may decide."""
    shift = shown.snapshot.shift
    assert shift is not None
    if shown.snapshot.parked:
        counter.home()
        counter.say_notice(holds_the_shift(shown, shown.snapshot.parked))
        return
    aside = len(shown.snapshot.suspended)
    text = shown.words.count("confirm.close_shift", shift.sales)
    if aside:
        text = f"{text} {shown.words.count('confirm.close_aside', aside)}"
    counter.home()
    counter.lay(Confirm(text, CloseShift(), shown.words("act.close_shift")))


def left_open(shown: Shown, panel: Panel | None) -> str:
    """What becomes of what is open when the screen is left; nothing when nothing is. The service keeps a basket; a demo's world ends."""
    words, basket, payment = shown.words, shown.snapshot.basket, shown.snapshot.payment
    aside = len(shown.snapshot.suspended) + len(shown.snapshot.parked)
    said = []
    if basket is not None:
        said.append(words.count("leave.basket", basket.articles))
        if payment is not None and payment.paid.minor:
            said.append(words("leave.paid", paid=payment.paid.text))
        if basket.to_pick:
            said.append(words.count("leave.pick", basket.to_pick))
    if panel is not None and aside:
        said.append(words.count("leave.aside", aside))
    if not said:
        return ""
    if panel is None and payment is not None and payment.attempt is not None:
        said.append(words("leave.payment"))
    return " ".join([*said, panel.leaving if panel is not None else words("leave.stays")])


Doing = Callable[[Counter, Shown, LineView | None], None]
DOINGS: dict[str, Doing] = {
    "pay": _pay, "customer": _customer, "find_customer": _find_customer, "find": _find, "cart": _cart, "suspend": _suspend, "recall": _recall,
    "discount": _discount, "more": _more, "palette": _palette, "check": _check, "remove": _remove, "quantity": _quantity, "panel": _panel, "sales": _sales,
    "department": _department, "void": _void, "print": _print, "hide_name": _hide_name, "detach": _detach, "notices": _notices, "devices": _devices,
    "sign_in": _sign_in, "close_shift": _close_shift,
}  # fmt: skip
"""By the act's name. ``help``, ``colours`` and ``quit`` are the application's own."""
