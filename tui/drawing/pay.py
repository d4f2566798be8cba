"""Paying: what can be chosen, what was paid already, and a card payment's steps in the customer's words."""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.views import Amount, AttemptView, PaymentView, TenderView
from tui.drawing.line import BLANK, Line, Piece, apart, indented, line, wrapped
from tui.shown import Shown, money

QUICK_KEYS = "ASDFGH"
"""The quick amounts lie under the left hand, while the right one types."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to go on. ``kind`` is cash or card; ``minor`` None means all that is due."""

    key: str
    kind: str
    minor: int | None
    text: str
    amount: Amount


def choices(shown: Shown) -> list[Choice]:
    """What Enter and the letters do now, the offered one first."""
    payment, words = shown.snapshot.payment, shown.words
    if payment is None:
        return []
    if payment.rest.minor <= 0:
        return [Choice("Enter", "cash", None, words("pay.complete"), payment.rest)] if payment.rest.minor == 0 else []
    found: list[Choice] = []
    if "cash" in payment.methods:
        found.append(Choice("Enter", "cash", None, words("pay.exact"), payment.cash_due))
        notes = [amount for amount in payment.quick if amount.minor > payment.cash_due.minor]
        found += [Choice(key, "cash", amount.minor, words("pay.cash"), amount) for key, amount in zip(QUICK_KEYS, notes, strict=False)]
    if "card" in payment.methods:
        found.append(Choice("C" if found else "Enter", "card", None, words("pay.card"), payment.rest))
    return found


def pay_panel(shown: Shown, typed: str, at: int, cells: int) -> list[Line]:
    """The choices with the one at ``at`` marked, the typed amount and what it would do, the tenders so far."""
    payment, words = shown.snapshot.payment, shown.words
    if payment is None:
        return []
    rows = [line((words("pay.title"), "strong")), BLANK]
    offered = choices(shown)
    for number, choice in enumerate(offered):
        chosen = number == at and not typed
        mark = ("› ", "accent") if chosen else ("  ", "text")
        left = line(mark, (f"{choice.key:<6}", "key"), (choice.text, "strong" if chosen else "text"), fill="chosen" if chosen else "")
        rows.append(apart(left, line((f"{choice.amount.text:>10}", "strong" if chosen else "text"), " "), cells))
    if payment.rest.minor < 0:
        rows += wrapped(words("pay.over"), cells, "warn")
    elif payment.rest.minor and "card" not in payment.methods:
        rows += wrapped(words("pay.no_card"), cells, "warn")
    if typed:
        rows += [BLANK, *_typed(shown, payment, typed, cells)]
    tenders = [tender for tender in payment.tenders if tender.state != "open"]
    if tenders:
        rows += [BLANK, line((words("pay.so_far"), "strong")), *(row for tender in tenders for row in _tender(shown, tender, cells))]
    return (
        rows
        if typed or payment.rest.minor <= 0
        else [*rows, BLANK, *wrapped(words("pay.type" if "card" in payment.methods else "pay.type_cash"), cells, "muted")]
    )


def _typed(shown: Shown, payment: PaymentView, typed: str, cells: int) -> list[Line]:
    words, digits = shown.words, shown.snapshot.digits
    minor = money(typed, digits)
    if minor is None or minor == 0:
        return wrapped(words("pay.not_amount"), cells, "warn")
    amount = shown.amount(minor)
    rows = []
    if "cash" in payment.methods:
        back = minor - payment.cash_due.minor
        says = words("pay.gives_change", change=shown.amount(back)) if back >= 0 else words("pay.leaves", rest=shown.amount(-back))
        rows += [apart(line(("› ", "accent"), (f"{'Enter':<6}", "key"), (words("pay.cash"), "strong"), fill="chosen"), line((amount, "strong"), " "), cells)]
        rows += [line(" " * 8, (says, "muted"))]
    if "card" in payment.methods and minor <= payment.rest.minor:
        rows += [apart(line("  ", (f"{'C':<6}", "key"), words("pay.card")), line(amount, " "), cells)]
        if minor < payment.rest.minor:
            rows += [line(" " * 8, (words("pay.leaves", rest=shown.amount(payment.rest.minor - minor)), "muted"))]
    return rows


_TENDER_ROLES = {"settled": ("● ", "good"), "failed": ("○ ", "warn"), "voided": ("○ ", "muted"), "open": ("◐ ", "muted")}


def _tender(shown: Shown, tender: TenderView, cells: int) -> list[Line]:
    words = shown.words
    state = "" if tender.state == "settled" else f" {words(f'tender_state.{tender.state}')}"
    label = words.named("tender", tender.kind) + (f" {tender.detail}" if tender.detail else "") + state
    rows = [apart(line(_TENDER_ROLES[tender.state], label), line((tender.amount.text, "strong" if tender.state == "settled" else "muted"), " "), cells)]
    if tender.reason and tender.state == "failed":
        rows += [indented(row, 2) for row in wrapped(words.named("reason", tender.reason), cells - 2, "muted")]
    return rows


def attempt_panel(shown: Shown, attempt: AttemptView, cells: int) -> list[Line]:
    """A card payment under way: what is happening, for how long, what may be done meanwhile."""
    words = shown.words
    seconds = max(0, (shown.now_ms - attempt.since_ms) // 1000)
    title = words("attempt.title_void") if attempt.kind == "void" else words("attempt.title")
    head = apart(line((title, "strong")), line((attempt.amount.text, "strong"), (f" {shown.snapshot.currency}", "muted")), cells)
    role = "warn" if attempt.state in ("unknown", "needs_review") else "accent"
    rows = [head, apart(line((attempt.terminal, "muted")), line((words("attempt.waited", time=words.waited(seconds)), "muted")), cells), BLANK]
    rows += [Line((Piece("▌ ", role), *row.pieces)) for row in wrapped(_step(shown, attempt), cells - 2, role)]
    rows += [BLANK, *wrapped(words(f"attempt.{_explained(attempt)}"), cells)]
    if attempt.state == "unknown":
        dont = wrapped(words("attempt.unknown_dont"), cells - 2)
        rows += [BLANK, *(Line((Piece("  " if at else "▲ ", "warn"), *row.pieces)) for at, row in enumerate(dont))]
        rows += [BLANK, *wrapped(words("attempt.unknown_do"), cells)]
    if attempt.reason and attempt.state in ("unknown", "needs_review"):
        rows += [BLANK, *wrapped(words("attempt.because", reason=words.named("reason", attempt.reason)), cells, "muted")]
    return [*rows, BLANK, *_may(shown, attempt)]


def _step(shown: Shown, attempt: AttemptView) -> str:
    words = shown.words
    if attempt.state in ("sent", "in_progress") and attempt.step:
        return words.maybe(f"step.{attempt.step}", attempt.step.replace("_", " "))
    return words.named("attempt_state", attempt.state)


def _explained(attempt: AttemptView) -> str:
    """Which explanation fits."""
    if attempt.state in ("unknown", "needs_review", "aborting"):
        return f"{attempt.state}_text"
    return "working_text"


def _may(shown: Shown, attempt: AttemptView) -> list[Line]:
    words = shown.words
    rows = []
    if attempt.can_cancel:
        rows.append(line(("Esc", "key"), f"  {words('attempt.cancel')}"))
    if attempt.can_park:
        rows.append(line(("P", "key"), f"    {words('attempt.park')}"))
    if attempt.state == "needs_review":
        rows.append(line(("R", "key"), f"    {words('attempt.review')}"))
    return rows
