"""The pay screen: cash at once, a card with its terminal's steps, the rest always in sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from edge_agent.views import AnyCommand, AttemptView, CancelPayment, NoticeView, Park, PayCard, PayCash, PaymentView, ReturnTender, Snapshot, TenderView
from tui.drawing import pay, total
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line
from tui.screens.base import CounterScreen
from tui.screens.confirm import Confirm
from tui.screens.label import sign_in_box
from tui.screens.review import ReviewDialog
from tui.shown import HANDS_SECONDS, Shown, money
from tui.widgets.basket import Basket
from tui.widgets.drawn import Drawn, Fitted
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from textual.widget import Widget

ASK_AGAIN_TIMES = 10
"""Cash of more than so many times what is due is asked about: a code or a receipt number was typed as an amount."""


def _is_key(character: str, value: str) -> bool:
    """Everything that is no part of an amount is a key here."""
    return character not in "0123456789,."


def _hint(shown: Shown) -> str:
    if _attempt(shown) is not None:
        return ""
    payment = shown.snapshot.payment
    kinds = payment.methods if payment is not None else shown.snapshot.tender_kinds
    return shown.words("pay.placeholder" if "card" in kinds else "pay.placeholder_cash")


class PayScreen(CounterScreen):
    """Taking money for the basket that was open when it was called."""

    topic = "pay"
    tells_beside = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "accept", show=False),
        Binding("delete", "give_back", show=False, priority=True),
        Binding("p,P", "park", show=False),
        Binding("r,R", "review", show=False),
        Binding("b,B", "manager", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._of = ""
        self._at = 0
        self._stopping = ""
        self._asked_minor = 0
        self._asked: NoticeView | None = None
        self._offered_at: float | None = None

    def body(self) -> Iterable[Widget]:
        """The basket, what can be chosen, what is due, the entry line."""
        yield Horizontal(Basket(self.counter.clock, chooses=False, id="basket"), Fitted(self._panel, id="pay", topic="pay"), id="upper")
        yield Drawn(total.total, id="total")
        yield Horizontal(Drawn(self._prompt, id="prompt"), Entry(id="entry", shortcut=_is_key, hint=_hint), id="entering")

    def opened(self) -> None:
        """Digits are an amount from the first key on."""
        super().opened()
        self.query_one(Entry).focus()

    def show(self, shown: Shown) -> None:
        """Draw; while a payment is under way there is nothing to type."""
        if not self._of and shown.snapshot.basket is not None:
            self._of = shown.snapshot.basket.id
        awaited = _attempt(shown) is not None
        for entry in self.query(Entry):
            if entry.disabled != awaited:
                entry.clear()
                entry.disabled = awaited
                self.set_focus(self.query("#pay").first() if awaited else entry)
                self._offered_at = None if awaited else self.counter.clock.monotonic()
        self._at = min(self._at, max(0, len(pay.choices(shown)) - 1))
        super().show(shown)

    def has_grown(self) -> None:
        """Something was scanned while one paid: a key that was meant for the amount before takes none."""
        self._offered_at, self._asked_minor = self.counter.clock.monotonic(), 0

    def fits(self, snapshot: Snapshot) -> bool:
        """As long as there is something to pay, of the same basket: the next customer's is not this one's to take money for."""
        basket, payment = snapshot.basket, snapshot.payment
        if basket is None or payment is None or self._of not in ("", basket.id):
            return False
        return snapshot.phase in ("selling", "paying") or payment.attempt is not None

    @property
    def focus_topic(self) -> str:
        """F1 explains the payment under way."""
        attempt = _attempt(self.counter.picture)
        if attempt is None:
            shown = self.counter.picture
            return "pay" if shown is None or "card" in shown.snapshot.tender_kinds else "pay_cash"
        return {"unknown": "card_unknown", "needs_review": "card_review"}.get(attempt.state, "card")

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """What is offered now."""
        words, attempt = shown.words, _attempt(shown)
        help_hint = KeyHint("F1", words("act.help"), rank=0)
        if attempt is not None:
            may = (
                ("Esc", words("attempt.cancel"), attempt.can_cancel),
                ("P", words("attempt.park"), attempt.can_park),
                ("R", words("attempt.review"), attempt.state == "needs_review"),
                ("B", words("attempt.manager"), attempt.state == "needs_review" and not pay.may_decide(shown)),
            )
            return [help_hint, *(KeyHint(key, text, rank=0) for key, text, can in may if can)]
        payment = shown.snapshot.payment
        found = [help_hint, KeyHint("Enter", words("pay.accept"), rank=0)]
        if payment and "card" in payment.methods:
            found.append(KeyHint("C", words("pay.card"), rank=0))
        found.append(KeyHint("↑↓", words("key_does.choose"), rank=1))
        if payment and _returnable(payment):
            found.append(KeyHint(words("key.delete"), words("pay.give_back"), rank=0))
        return [*found, KeyHint("Esc", words("pay.back"), rank=0)]

    def _panel(self, shown: Shown, cells: int, rows: int) -> list[Line]:
        attempt = _attempt(shown)
        if attempt is not None:
            return pay.attempt_panel(shown, attempt, cells)
        entry = self.entry
        return pay.pay_panel(shown, entry.value if entry else "", self._at, cells, self.grown, rows)

    def _prompt(self, shown: Shown, cells: int) -> list[Line]:
        return [line(" ", (f"{shown.snapshot.currency} ", "accent"))] if _attempt(shown) is None else []

    # --- keys --------------------------------------------------------------------------------------------------------------------

    @on(Entry.Changed)
    def typing(self) -> None:
        """What a typed amount would do is said while it is typed; what was asked about another goes with it."""
        if self._asked is not None:
            self.counter.unsay(self._asked)
        self._asked_minor, self._asked = 0, None
        self.query_one("#pay", Drawn).redraw()

    def action_choose(self, by: int) -> None:
        """Up and down go through what is offered."""
        if self.counter.picture is not None:
            self._at = max(0, min(len(pay.choices(self.counter.picture)) - 1, self._at + by))
            self.query_one("#pay", Drawn).redraw()

    @on(Entry.Submitted)
    def submitted(self, event: Entry.Submitted) -> None:
        """Enter in the entry line."""
        self._accept(event.value)

    def action_accept(self) -> None:
        """Enter anywhere else."""
        self._accept(self.query_one(Entry).value)

    def _accept(self, value: str) -> None:
        """Take what is offered: the typed amount as cash, else the choice that is marked."""
        shown = self.counter.picture
        if shown is None or _attempt(shown) is not None or shown.snapshot.payment is None:
            return
        typed = money(value, shown.snapshot.digits) or None
        if typed is not None:
            self._take("cash" if "cash" in shown.snapshot.payment.methods else "card", typed, shown)
            return
        offered = pay.choices(shown)
        if value:
            self.query_one(Entry).refused(value)
        elif offered:
            self._take(offered[self._at].kind, offered[self._at].minor, shown)

    @on(Entry.Shortcut)
    def shortcut(self, event: Entry.Shortcut) -> None:
        """A letter beside a choice takes it; C pays by card, the typed amount or all that is due."""
        shown = self.counter.picture
        if shown is None or shown.snapshot.payment is None or _attempt(shown) is not None:
            return
        letter = event.character.upper()
        if letter in "CK":
            typed = money(event.value, shown.snapshot.digits) or None
            if typed is not None or not event.value:
                self._take("card", typed if typed is not None else max(0, shown.snapshot.payment.rest.minor), shown)
            else:
                self.query_one(Entry).refused(event.value)
            return
        for choice in pay.choices(shown):
            if choice.key == letter and not event.value:
                self._take(choice.kind, choice.minor, shown)

    def action_park(self) -> None:
        """P sets a sale aside whose payment is unclear."""
        attempt = _attempt(self.counter.picture)
        if attempt is not None and attempt.can_park:
            self.counter.command(Park(basket=self._of))

    def action_review(self) -> None:
        """R lets a person with the right decide what no query could settle; before its time it says when that is."""
        shown = self.counter.picture
        attempt = _attempt(shown)
        if shown is None or attempt is None:
            return
        if attempt.state == "unknown" and attempt.review_ms:
            self.counter.say_notice(NoticeView("", "warn", pay.decided(shown, attempt.review_ms)))
        elif attempt.state == "needs_review" and not pay.may_decide(shown):
            self.counter.say("refused.no_review")
        elif attempt.state == "needs_review":
            self.counter.lay(ReviewDialog(attempt))

    def action_manager(self) -> None:
        """B lets somebody sign in who may decide; the payment stays where it is."""
        shown = self.counter.picture
        attempt = _attempt(shown)
        if shown is not None and attempt is not None and attempt.state == "needs_review":
            self.counter.lay(sign_in_box(shown))

    def action_leave(self) -> None:
        """Esc asks the terminal to stop, or goes back to the sale; a payment under way is never left behind unseen."""
        attempt = _attempt(self.counter.picture)
        if attempt is None:
            entry = self.query_one(Entry)
            if entry.value:
                entry.clear()
            else:
                self.dismiss()
        elif attempt.can_cancel and self._stopping != attempt.id:
            self._stopping = attempt.id
            self.counter.command(CancelPayment(), self)

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """A stop that was refused may be asked for again."""
        super().answered(command, problem)
        if problem is not None and isinstance(command, CancelPayment):
            self._stopping = ""

    def action_give_back(self) -> None:
        """Del takes the last tender back, once it was asked about."""
        shown = self.counter.picture
        tender = _returnable(shown.snapshot.payment) if shown and shown.snapshot.payment else None
        if shown is None or tender is None or _attempt(shown) is not None:
            return
        amount = f"{tender.amount.text} {shown.snapshot.currency}"
        text = shown.words("confirm.return_cash", amount=amount) if tender.kind == "cash" else shown.words("confirm.return_card", amount=amount)
        self.counter.lay(Confirm(text, ReturnTender(tender.id), shown.words("confirm.give_back")))

    # --- amounts -----------------------------------------------------------------------------------------------------------------

    def _take(self, kind: str, minor: int | None, shown: Shown) -> None:
        """Take money that way, unless the choices changed only now (a card was declined, a scan added something) under a hand that meant others."""
        payment, entry = shown.snapshot.payment, self.query_one(Entry)
        assert payment is not None
        if self._offered_at is not None and self.counter.clock.monotonic() - self._offered_at < HANDS_SECONDS:
            return
        if kind not in payment.methods:
            self._say_why_not(kind, shown)
            return
        if kind == "cash" and minor is not None and minor > ASK_AGAIN_TIMES * max(payment.cash_due.minor, 1) and self._asked_minor != minor:
            self._asked_minor = minor
            self._asked = NoticeView("", "warn", shown.words("pay.ask_again", amount=shown.amount(minor)))
            self.counter.say_notice(self._asked)
            entry.refused(entry.value)
            return
        entry.clear()
        self._at = 0
        if kind == "cash":
            self.counter.command(PayCash(minor, self._of))
        else:
            self.give(PayCard(minor, self._of))

    def _say_why_not(self, kind: str, shown: Shown) -> None:
        if kind == "cash":
            self.counter.say("refused.no_cash")
        elif "card" in shown.snapshot.tender_kinds:
            self.counter.say_notice(NoticeView("refused.no_card", "warn", ""))
        else:
            self.counter.say("not_now.no_card_method")


def _attempt(shown: Shown | None) -> AttemptView | None:
    return shown.snapshot.payment.attempt if shown and shown.snapshot.payment else None


def _returnable(payment: PaymentView) -> TenderView | None:
    return next((tender for tender in reversed(payment.tenders) if tender.state == "settled"), None)
