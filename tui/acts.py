"""Acts: everything an associate can do by a key or by name, in one table; the key line, the menu, the search for commands and the help read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from tui.drawing.customer import age, is_old
from tui.drawing.foot import KeyHint
from tui.shown import Shown, sellable


def _always(shown: Shown) -> str:
    return ""


def _shift(shown: Shown) -> str:
    return "" if shown.snapshot.shift else "refused.no_shift"


def _basket(shown: Shown) -> str:
    return _shift(shown) or ("" if shown.snapshot.basket else "refused.no_basket")


def _unlocked(shown: Shown) -> str:
    return _basket(shown) or ("refused.locked" if shown.snapshot.basket and shown.snapshot.basket.locked else "")


def _unpaid(shown: Shown) -> str:
    """Nothing of a basket that is given up is paid, or who may decide about payments gives up what the terminal could not give back."""
    payment, shift = shown.snapshot.payment, shown.snapshot.shift
    if payment is None or payment.attempt is not None or not payment.paid.minor:
        return _basket(shown)
    settled = [tender for tender in payment.tenders if tender.state == "settled"]
    could_not = all(tender.kind == "card" and tender.reason for tender in settled)
    return _basket(shown) or ("" if could_not and shift and "payment.review" in shift.rights else "refused.part_paid")


def _line(shown: Shown) -> str:
    return _unlocked(shown) or ("" if shown.snapshot.basket and shown.snapshot.basket.lines else "refused.no_line")


def _suspendable(shown: Shown) -> str:
    return _basket(shown) or ("refused.no_basket" if is_empty(shown) else "")


def _reducible(shown: Shown) -> str:
    """Also a basket whose last line is gone may still have a discount to take off."""
    return _line(shown) if not (shown.snapshot.basket and shown.snapshot.basket.discounts) else _unlocked(shown)


def _payable(shown: Shown) -> str:
    return _basket(shown) or ("" if sellable(shown.snapshot.basket) else "refused.nothing_to_pay")


def _cart(shown: Shown) -> str:
    customer, basket = shown.snapshot.customer, shown.snapshot.basket
    if basket is not None and basket.cart:  # whoever's it is: a guest's cart comes with nobody
        return _shift(shown)
    if customer is None:
        return _shift(shown) or "refused.no_customer"
    old = is_old(shown, customer.as_of_ms, fresh=customer.fresh, unanswered=customer.unanswered)
    return _shift(shown) or ("" if customer.cart else "refused.no_cart_known" if old else "refused.no_cart")


def _aside(shown: Shown) -> str:
    return _shift(shown) or ("" if shown.snapshot.suspended or shown.snapshot.parked else "refused.nothing_aside")


def _idle(shown: Shown) -> str:
    return _shift(shown) or ("refused.basket_open" if shown.snapshot.basket and not is_empty(shown) else "")


def is_empty(shown: Shown) -> bool:
    """Whether the basket holds nothing that somebody could miss: it needs no right and no reason to void it, and makes way where it would stand in one."""
    basket, payment = shown.snapshot.basket, shown.snapshot.payment
    return basket is not None and not basket.lines and not basket.cart and (payment is None or not payment.tenders)


def _void(shown: Shown) -> str:
    """Voiding takes the right, unless there is nothing in it."""
    refused = _unlocked(shown) or _unpaid(shown)
    shift = shown.snapshot.shift
    return refused or ("" if is_empty(shown) or (shift and "sale.void" in shift.rights) else "refused.no_right")


def _customer(shown: Shown) -> str:
    return "" if shown.snapshot.customer else "refused.no_customer"


def _last_sale(shown: Shown) -> str:
    return "" if shown.snapshot.last_sale else "refused.no_sale"


def _no_returns(shown: Shown) -> str:
    """It is where one looks for it, and says what to do meanwhile."""
    return "refused.returns"


def _right(right: str, ready: Callable[[Shown], str]) -> Callable[[Shown], str]:
    def allowed(shown: Shown) -> str:
        shift = shown.snapshot.shift
        return ready(shown) or ("" if shift and right in shift.rights else "refused.no_right")

    return allowed


class Act(Struct, frozen=True):
    """One act. ``key`` is Textual's name of its key (``""``: by the menu or by name only), ``letter`` its key in the F9 menu; ``ready``
    answers with the key of a sentence that says why not, or ``""``; ``rank`` orders it in a short key line (0 stays longest);
    ``in_payment`` when it can be done while a card payment is under way."""

    name: str
    key: str = ""
    letter: str = ""
    ready: Callable[[Shown], str] = _always
    rank: int = 2
    in_payment: bool = False

    def refusal(self, shown: Shown) -> str:
        """The key of a sentence that says why it cannot be done now, or ``""``."""
        attempt = shown.snapshot.payment.attempt if shown.snapshot.payment else None
        if attempt is None or self.in_payment:
            return self.ready(shown)
        return "not_now.payment_unknown" if attempt.can_park else "refused.locked"


ACTS: tuple[Act, ...] = (
    Act("help", "f1", rank=0, in_payment=True),
    Act("pay", "f2", ready=_payable, rank=0),
    Act("customer", "f3", ready=_shift, rank=1),
    Act("find", "f4", ready=_shift, rank=1),
    Act("cart", "f5", ready=_cart, rank=1),
    Act("suspend", "f6", ready=_suspendable, rank=1, in_payment=True),
    Act("recall", "f7", ready=_aside, rank=1),
    Act("discount", "f8", ready=_right("sale.discount", _reducible), rank=1),
    Act("more", "f9", rank=0),
    Act("check", "f10", ready=_shift, rank=1),
    Act("remove", "delete", ready=_line, rank=1),
    Act("quantity", ready=_line),
    Act("palette", "ctrl+p"),
    Act("panel", "f12", in_payment=True),
    Act("find_customer", ready=_shift),
    Act("sales", letter="s"),
    Act("returns", letter="r", ready=_no_returns),
    Act("department", letter="t", ready=_right("sale.department", _shift)),
    Act("void", letter="v", ready=_void),
    Act("print", letter="p", ready=_last_sale),
    Act("hide_name", letter="h", in_payment=True),
    Act("detach", letter="k", ready=_customer),
    Act("notices", letter="n"),
    Act("devices", letter="d"),
    Act("sign_in", letter="b", ready=_shift),
    Act("close_shift", letter="e", ready=_idle),
    Act("colours", letter="c", in_payment=True),
    Act("quit", letter="x", in_payment=True),
)
BY_NAME = {act.name: act for act in ACTS}
KEY_LINE = ("help", "pay", "customer", "find", "cart", "suspend", "recall", "discount", "more", "check", "remove")
LIST_KEY_LINE = ("help", "pay", "customer", "find", "recall", "more")
"""What is offered beside a list's own keys."""
CLOSED_KEY_LINE = ("help", "more")


def why_not(shown: Shown, refusal: str) -> str:
    """The sentence of an act's refusal; what comes from a copy says as of when."""
    return shown.words.maybe(refusal, refusal, age=age(shown, shown.snapshot.customer.as_of_ms) if shown.snapshot.customer else "")


def key_label(shown: Shown, key: str) -> str:
    """A key as it is printed on the keyboard: ``F2``, ``Del``."""
    return shown.words.maybe(f"key.{key}", key.upper())


def key_line(shown: Shown, names: Iterable[str] = KEY_LINE) -> list[KeyHint]:
    """The acts of the bottom line, each with what waits behind it."""
    snapshot = shown.snapshot
    badges = {"recall": len(snapshot.suspended) + len(snapshot.parked)}
    return [KeyHint(key_label(shown, act.key), shown.words(f"act.{act.name}"), badges.get(act.name, 0), act.rank) for act in map(BY_NAME.__getitem__, names)]
