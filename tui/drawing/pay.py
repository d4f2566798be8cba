"""Paying: what can be chosen, what was paid already, and a card payment's steps in the customer's words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

from edge_agent.views import Amount, AsideView, AttemptView, NoticeView, PaymentView, TenderView
from tui.drawing.beside import Grown, grown_rows, named
from tui.drawing.line import BLANK, Line, Piece, apart, cut, indented, line, wrapped
from tui.messages import moment
from tui.shown import Shown, money, no_money

QUICK_KEYS = "ASDFGH"
"""The quick amounts lie under the left hand, while the right one types."""
STAYS_ROWS_MAX, TALL_STAYS_ROWS_MAX = 2, 8
"""Rows for what of the online cart is not picked, on a terminal of fewer rows than TALL_ROWS and of as many; the basket beside it has them all."""
TALL_ROWS = 34


class Choice(Struct, frozen=True):
    """One way to go on. ``kind`` is cash or card; ``minor`` is what was shown, and stays that when the basket changes under the key; None completes."""

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
        found.append(Choice("Enter", "cash", payment.cash_due.minor, words("pay.exact"), payment.cash_due))
        notes = [amount for amount in payment.quick if amount.minor > payment.cash_due.minor]
        found += [Choice(key, "cash", amount.minor, words("pay.cash"), amount) for key, amount in zip(QUICK_KEYS, notes, strict=False)]
    if "card" in payment.methods:
        found.append(Choice("C" if found else "Enter", "card", payment.rest.minor, words("pay.card"), payment.rest))
    return found


def pay_panel(shown: Shown, typed: str, at: int, cells: int, grown: Grown | None = None, rows_max: int = 0) -> list[Line]:
    """What changed meanwhile, what stays online, the choices with the one at ``at`` marked, the typed amount and what it would do, the tenders so far.

    In ``rows_max`` rows (0: as many as it takes) the newest tenders stay in sight, and how many more there are.
    """
    payment, words = shown.snapshot.payment, shown.words
    if payment is None:
        return []
    came = [*grown_rows(shown, grown, cells, "▲", "warn"), *_cart_lost(shown, cells), *_not_picked(shown, cells)]
    head = [line((words("pay.title"), "strong")), *came]
    offered, warned = _offered(shown, at if not typed else -1, cells), _warned(shown, payment, cells)
    says = _typed(shown, payment, typed, cells) if typed else []
    tenders = [_tender(shown, tender, cells) for tender in payment.tenders if tender.state != "open"]
    none = typed or payment.rest.minor <= 0 or not payment.methods
    hint = [] if none else wrapped(_typing(shown, payment), cells, "muted")
    whole = [[*offered, *warned], says, _so_far(shown, tenders, cells, len(tenders)), hint]
    for parts in (whole, whole[:-1]):
        rows = _spaced([head, *parts], [BLANK])
        if not rows_max or len(rows) <= rows_max:
            return rows
    least = 1 + len(tenders[-1]) if tenders else 0
    by_keys = [warned, says] if typed else [[*offered, *warned]]  # a typed amount takes the place of the choices
    for parts, gap in (([[*offered, *warned], says], [BLANK]), ([[*offered, *warned], says], []), (by_keys, [])):
        rows = _spaced([head, *parts], gap)
        left = rows_max - len(rows) - len(gap)
        if left >= least:
            break
    return [*rows, *gap, *_so_far(shown, tenders, cells, _newest(tenders, left - 1))] if tenders else rows


def _spaced(parts: Sequence[list[Line]], gap: list[Line]) -> list[Line]:
    """The parts that there are, with ``gap`` between them."""
    filled = [part for part in parts if part]
    return [row for number, part in enumerate(filled) for row in ([*gap, *part] if number else part)]


def _offered(shown: Shown, at: int, cells: int) -> list[Line]:
    """The choices, with the one at ``at`` marked."""
    rows = []
    for number, choice in enumerate(choices(shown)):
        chosen = number == at
        mark = ("› ", "accent") if chosen else ("  ", "text")
        left = line(mark, (f"{choice.key:<6}", "key"), (choice.text, "strong" if chosen else "text"), fill="chosen" if chosen else "")
        rows.append(apart(left, line((f"{choice.amount.text:>10}", "strong" if chosen else "text"), " "), cells))
    return rows


def _typing(shown: Shown, payment: PaymentView) -> str:
    """What Enter does with a typed amount."""
    words, cash, card = shown.words, "cash" in payment.methods, "card" in payment.methods
    return words("pay.type") if cash and card else words("pay.type_card") if card else words("pay.type_cash")


def _warned(shown: Shown, payment: PaymentView, cells: int) -> list[Line]:
    """What cannot be chosen now, and why."""
    if payment.rest.minor < 0:
        return wrapped(shown.words("pay.over"), cells, "warn")
    if payment.rest.minor and "card" in shown.snapshot.tender_kinds and "card" not in payment.methods:
        return wrapped(shown.words("pay.no_card" if "cash" in shown.snapshot.tender_kinds else "pay.no_card_alone"), cells, "warn")
    return []


def _newest(tenders: Sequence[list[Line]], rows: int) -> int:
    """How many of the newest tenders ``rows`` have room for; the very newest at least."""
    room = list(accumulate(len(tender) for tender in reversed(tenders)))
    return max(1, sum(used <= rows for used in room))


def _so_far(shown: Shown, tenders: Sequence[list[Line]], cells: int, newest: int) -> list[Line]:
    """The ``newest`` tenders under their heading, which says how many came before them."""
    if not tenders:
        return []
    before = len(tenders) - newest
    more = line((f"↑ {shown.words('choices.more', n=before)}", "accent"), " ") if before else line()
    return [apart(line((shown.words("pay.so_far"), "strong")), more, cells), *(row for tender in tenders[before:] for row in tender)]


def _cart_lost(shown: Shown, cells: int) -> list[Line]:
    """That the online cart is not held any more, and what to do about it before anything is paid."""
    basket = shown.snapshot.basket
    if basket is None or not basket.cart_lost:
        return []
    return wrapped(f"▲ {shown.words(f'pay.cart_{basket.cart_lost}', holder=basket.cart_holder)}", cells, "warn")


def _not_picked(shown: Shown, cells: int) -> list[Line]:
    """What of the online cart is not sold with this basket, because nobody picked it; that it stays online is said only where that is known."""
    basket = shown.snapshot.basket
    if basket is None or not basket.to_pick:
        return []
    names = [f"{named(held)} ({held.pieces})" if held.pieces > 1 else named(held) for held in basket.lines if held.state == "to_pick"]
    said = shown.words.count("pay.not_picked" if basket.cart_lost else "pay.stays_online", basket.to_pick)
    rows = wrapped(f"○ {said} {', '.join(names)}", cells, "pick")
    most = TALL_STAYS_ROWS_MAX if shown.rows >= TALL_ROWS else STAYS_ROWS_MAX
    return rows if len(rows) <= most else [*rows[: most - 1], line((cut(f"{rows[most - 1].text} …", cells), "pick"))]


def _typed(shown: Shown, payment: PaymentView, typed: str, cells: int) -> list[Line]:
    words, digits = shown.words, shown.snapshot.digits
    minor = money(typed, digits)
    if minor is None or minor == 0:
        return wrapped(no_money("pay.not_amount", shown, typed), cells, "warn")
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
        rows += [BLANK, *wrapped(words("attempt.unknown_do"), cells), *wrapped(decided(shown, attempt.review_ms), cells)]
    if attempt.reason and attempt.state in ("unknown", "needs_review"):
        rows += [BLANK, *wrapped(words("attempt.because", reason=words.named("reason", attempt.reason)), cells, "muted")]
    if attempt.reported:
        rows += wrapped(words("attempt.reported", reported=attempt.reported), cells, "warn")
    return [*rows, BLANK, *_may(shown, attempt)]


def may_decide(shown: Shown) -> bool:
    """Whether who is signed in may say what became of an unclear payment."""
    shift = shown.snapshot.shift
    return shift is not None and "payment.review" in shift.rights


def decided(shown: Shown, review_ms: int) -> str:
    """Who may decide what became of the unclear payment here, and from when on; nothing while that is not known."""
    return shown.words("attempt.review_from", when=_clock(shown, review_ms)) if review_ms else ""


def decided_aside(shown: Shown, aside: AsideView) -> str:
    """The same of a parked sale; nothing of one whose payment is clear."""
    if aside.attempt == "needs_review":
        return shown.words("aside.review_now")
    return shown.words("aside.review_from", when=_clock(shown, aside.review_ms)) if aside.attempt and aside.review_ms else ""


def holds_the_shift(shown: Shown, parked: Sequence[AsideView]) -> NoticeView:
    """Why a parked sale keeps the shift open, in the words of the service, which refuses it likewise."""
    if any(aside.attempt == "needs_review" for aside in parked):
        return NoticeView("not_now.sale_parked_review", "warn", "")
    if not any(aside.attempt for aside in parked):
        if any(aside.paid is not None for aside in parked):
            return NoticeView("not_now.sale_parked_part_paid", "warn", "")
        return NoticeView("not_now.sale_parked_unpaid", "warn", "")
    known = [aside.review_ms for aside in parked if aside.attempt and aside.review_ms]
    if not known:
        return NoticeView("not_now.sale_parked", "warn", "")
    return NoticeView("not_now.sale_parked_until", "warn", "", shown={"at": _clock(shown, min(known))})


def _clock(shown: Shown, at_ms: int) -> str:
    return f"{moment(at_ms, shown.snapshot.timezone):%H:%M}"


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
        if not may_decide(shown):
            rows.append(line(("B", "key"), f"    {words('attempt.manager')}"))
    return rows
