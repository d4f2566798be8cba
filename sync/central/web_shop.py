"""The web shop's side of a cart: the customer edits it, or pays for it online."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sync.central import feeds
from sync.central.carts import open_claim
from sync.central.problems import refused
from sync.central.writer import Transaction
from sync.contract.fields import Currency, IdOrNone, Name
from sync.contract.messages import PROBLEM_HELD, PROBLEM_NOT_FOUND
from sync.contract.rows import CartLineRow


class CartEdit(Struct, frozen=True, rename="camel", kw_only=True):
    """The cart as the customer leaves it; its version and holder are central's business."""

    customer: IdOrNone
    currency: Currency
    lines: list[CartLineRow]
    channel: Name = "web"


def edit(transaction: Transaction, cart_id: str, wish: CartEdit) -> dict[str, Any]:
    """The cart after the edit, its version one up. Editing is allowed while a register holds it: what was sold is taken out by line, later lines stay."""
    db = transaction.db
    old = feeds.current(db, "carts", cart_id)
    held = open_claim(db, cart_id, transaction.now_ms)
    lines = [{"line": line.line, "sku": line.sku, "pieces": line.pieces, "unitPriceMinor": line.unit_price_minor} for line in wish.lines]
    base: dict[str, Any] = old or {"id": cart_id, "openedMs": transaction.now_ms, "version": 0}
    cart = base | {
        "customer": wish.customer, "currency": wish.currency, "channel": wish.channel, "lines": lines, "version": base["version"] + 1,
        "heldBy": held[1] if held else "",
    }  # fmt: skip
    feeds.publish(transaction, "carts", [feeds.Change(cart_id, cart)])
    return cart


def order(transaction: Transaction, cart_id: str) -> int:
    """The customer paid for the whole cart online; answers how many lines that were. Raises Refused (not-found, cart-held)."""
    db = transaction.db
    cart = feeds.current(db, "carts", cart_id)
    if cart is None:
        raise refused(PROBLEM_NOT_FOUND, "No such open cart.")
    held = open_claim(db, cart_id, transaction.now_ms)
    if held is not None:
        raise refused(PROBLEM_HELD, f"It is being checked out at {held[1]}.", held_by=held[1], until_ms=held[4])
    rows = [(cart_id, line["line"], transaction.now_ms) for line in cart["lines"]]
    db.executemany("INSERT OR REPLACE INTO cart_ordered (cart, line, at_ms) VALUES (?, ?, ?)", rows)
    feeds.publish(transaction, "carts", [feeds.Change(cart_id, None)])
    return len(rows)
