"""Snapshots of a believable counter, built from small pieces, for tests of what is drawn."""

from __future__ import annotations

import uuid

import msgspec

from edge_agent.views import (
    Amount,
    AsideView,
    AttemptView,
    BasketView,
    CartLineView,
    CartView,
    CustomerView,
    DeviceView,
    DiscountView,
    LineView,
    LinkView,
    NoticeView,
    PaymentView,
    QuestionView,
    SaleView,
    ShiftView,
    Snapshot,
    TalkView,
    TenderView,
)

NOW = 1_795_352_820_000
"""Sunday, 22 November 2026, 14:07 in Berlin."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BOOT = "01a2b3c4-0000-7000-8000-000000000001"
RIGHTS = ["payment.review", "sale.department", "sale.discount", "sale.void"]


def ident(name: str) -> str:
    """A stable UUID for a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def euros(minor: int) -> Amount:
    """An amount as the German market writes it."""
    whole = f"{abs(minor) // 100:,}".replace(",", ".")
    return Amount(minor, f"{'-' if minor < 0 else ''}{whole},{abs(minor) % 100:02}")


def line(position: int, name: str, minor: int, *, variant: str = "", pieces: int = 1, **more: object) -> LineView:
    """One line in hand, of the book's price."""
    held = LineView(
        id=ident(f"line {position} {name}"),
        position=position,
        name=name,
        variant=variant,
        sku=f"SKU-{position}",
        quantity=str(pieces) if pieces > 1 else "",
        unit_price=euros(minor),
        base_price=euros(minor),
        amount=euros(minor * pieces),
        gross=euros(minor * pieces),
        state="in_hand",
        source="book",
        pieces=pieces,
    )
    return msgspec.structs.replace(held, **more)


COAT = line(
    1, "Wool coat", 19900, variant="navy, 38", discounts=[DiscountView(ident("winter offer"), "winter offer", euros(-3980), "20 %")], amount=euros(15920)
)
SOCKS = line(2, "Socks, merino", 1250, variant="39-42", pieces=2)
PRALINES = line(3, "Pralines, mixed", 3990, quantity="0,412 kg", pieces=0, amount=euros(1644), gross=euros(1644), batch="L2207")
SCARF = line(4, "Scarf, navy", 4900, state="to_pick", from_cart=True)
GLOVES = line(5, "Gloves, lined", 5990, variant="M", pieces=2, state="to_pick", from_cart=True)


def basket(*lines: LineView, changed: LineView | None = None, off: int = 0, locked: bool = False) -> BasketView:
    """A basket of these lines; ``off`` comes off the whole."""
    subtotal = sum(held.amount.minor for held in lines if held.state == "in_hand")
    total = subtotal - off
    return BasketView(
        id=ident("basket"),
        lines=list(lines),
        articles=sum(held.pieces or 1 for held in lines if held.state == "in_hand"),
        to_pick=sum(held.pieces or 1 for held in lines if held.state == "to_pick"),
        discounts=[DiscountView(ident("goodwill"), "goodwill", euros(-off))] if off else [],
        subtotal=euros(subtotal),
        tax=euros(total * 19 // 119),
        tax_included=True,
        total=euros(total),
        changed=(changed or lines[-1]).id if lines else "",
        locked=locked,
    )


CART = CartView(
    id=ident("cart"),
    articles=3,
    total=euros(21490),
    channel="mobile",
    opened_ms=NOW - 4 * HOUR + 5 * MINUTE,
    as_of_ms=NOW - 2 * MINUTE,
    state="open",
    fresh=True,
    lines=[CartLineView("SKU-4", "Scarf, navy", 1, euros(4900)), CartLineView("SKU-5", "Gloves, lined, M", 2, euros(16590))],
)
MARIA = CustomerView(
    id=ident("maria"),
    name="Maria Fernandez",
    tier="gold",
    points=2310,
    visits=11,
    last_visit_ms=NOW - 50 * DAY,
    language="es",
    sizes=["38"],
    birthday="--11-24",
    has_email=False,
    has_phone=True,
    goes_with=["Goes with the coat: scarf, navy  49,00"],
    as_of_ms=NOW - 3 * HOUR,
    fresh=True,
    private_notes=2,
    talk=TalkView("whatsapp", NOW - DAY, "Will put the navy scarf aside until Sunday.", promised=True),
    cart=CART,
)


def payment(
    rest: int, *, paid: int = 0, tenders: tuple[TenderView, ...] = (), methods: tuple[str, ...] = ("cash", "card"), attempt: AttemptView | None = None
) -> PaymentView:
    """How it stands with the money."""
    quick = [euros(minor) for minor in (rest, -(-rest // 500) * 500, -(-rest // 1000) * 1000, -(-rest // 5000) * 5000) if minor >= rest]
    unique = list({amount.minor: amount for amount in quick}.values())
    return PaymentView(euros(rest), euros(paid), euros(rest), unique, list(tenders), list(methods), attempt)


def attempt(state: str, *, step: str = "", waited_s: int = 8, minor: int = 20064, **more: object) -> AttemptView:
    """A card payment under way."""
    open_to_stop = state in ("intent", "sent", "in_progress")
    held = AttemptView(
        id=ident("attempt"), tender=ident("tender"), kind="sale", state=state, step=step, terminal="Terminal 1", amount=euros(minor),
        since_ms=NOW - waited_s * 1000,
        can_cancel=open_to_stop, can_park=state in ("unknown", "needs_review"),
    )  # fmt: skip
    return msgspec.structs.replace(held, **more)


DEVICES = [
    DeviceView("scanner-1", "serial_scanner", "ready", NOW - HOUR),
    DeviceView("reader-1", "nfc_reader", "ready", NOW - HOUR),
    DeviceView("printer-1", "receipt_printer", "ready", NOW - HOUR),
    DeviceView("terminal-1", "counter_link", "ready", NOW - HOUR),
]
TERMINAL_AWAY = DeviceView("terminal-1", "counter_link", "lost", NOW - 5 * MINUTE, reason="unreachable", hint="Check the cable of the card terminal.")
SALE = SaleView(
    id=ident("sale"),
    receipt="R-0001-02-000123",
    at_ms=NOW - MINUTE,
    total=euros(20064),
    paid=euros(20064),
    change=euros(4936),
    articles=4,
    tenders=["cash"],
    print_state="printed",
)
UNKNOWN_CODE = NoticeView(
    "code_unknown.article", "bad", "4006381333931 is not in the catalogue.", "F4 finds it by name; F9 sells it by department.", {"code": "4006381333931"}, NOW
)
SUSPENDED = AsideView(ident("aside 1"), "lady with the umbrella", 3, euros(8970), NOW - 20 * MINUTE, "suspended")
PARKED = AsideView(ident("aside 2"), "", 1, euros(4900), NOW - 6 * MINUTE, "parked", customer="Jonas Weber", attempt="unknown")

READY = Snapshot(
    boot=BOOT,
    view=1,
    at_ms=NOW,
    phase="ready",
    store="Berlin Mitte",
    register="02",
    country="DE",
    currency="EUR",
    timezone="Europe/Berlin",
    link=LinkView("in_step", NOW - 3 * HOUR, 0),
    devices=DEVICES,
    decimal=",",
    group=".",
    tender_kinds=["cash", "card"],
    shift=ShiftView("2026-11-22", NOW - 5 * HOUR, "Ayse K.", "1001", RIGHTS, 17),
)
CLOSED = msgspec.structs.replace(READY, phase="closed", shift=None)


def selling(*lines: LineView, **more: object) -> Snapshot:
    """A sale going on with these lines, and how it could be paid."""
    held = basket(*lines)
    picture = msgspec.structs.replace(READY, phase="selling", basket=held, payment=payment(held.total.minor))
    return msgspec.structs.replace(picture, **more)


FULL = selling(COAT, SOCKS, PRALINES)
"""A sale of three lines: one with a discount, one of two pieces, one by weight."""
QUESTION = QuestionView(
    ident("question"), "question.replace_customer", {"new": "Jonas Weber", "current": "Maria Fernandez"}, ["replace", "keep"], "Is it Jonas Weber's now?"
)
"""A second customer at Maria Fernandez's basket."""
