"""Online carts between the web shop and the stores: leases, what was sold in store, and what has to be refunded because it was sold twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from edge_agent.clock import Random
from sync.central import feeds
from sync.central.problems import refused
from sync.central.registers import Who, new_secret
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.facts import PartOfLine, SaleCart
from sync.contract.messages import (
    PROBLEM_CHANGED,
    PROBLEM_HELD,
    PROBLEM_LEASE_GONE,
    PROBLEM_NOT_FOUND,
    ClaimAnswer,
    ClaimRequest,
    CompleteRequest,
)

LEASE_TOKEN_BYTES = 18


def read_cart(db: Db, cart_id: str, now_ms: int, currency: str | None = None) -> dict[str, Any]:
    """The open cart as it stands; a lease that ran out does not hold it. Raises Refused (not found), also for a cart of another currency."""
    cart = feeds.current(db, "carts", cart_id)
    if cart is None or (currency is not None and cart["currency"] != currency):
        raise refused(PROBLEM_NOT_FOUND, "No such open cart.")
    held = open_claim(db, cart_id, now_ms)
    return cart | {"heldBy": "" if held is None else held[1]}


def cart_of(db: Db, customer: str, now_ms: int, currency: str) -> dict[str, Any]:
    """The customer's newest open cart in that currency. Raises Refused (not found)."""
    for (cart_id,) in db.execute("SELECT cart FROM cart_of WHERE customer = ? ORDER BY opened_ms DESC, cart LIMIT 20", (customer,)).fetchall():
        cart = feeds.current(db, "carts", cart_id)
        if cart is not None and cart["currency"] == currency:
            return read_cart(db, cart_id, now_ms)
    raise refused(PROBLEM_NOT_FOUND, f"Customer {customer} has no open cart.")


def open_claim(db: Db, cart_id: str, now_ms: int) -> tuple[str, str, str, int, int] | None:
    """Source, holder, token, version and end (wall ms) of the lease that holds the cart now, or None."""
    row: tuple[str, str, str, int, int] | None = db.execute(
        "SELECT source, holder, token, version, until_ms FROM claim WHERE cart = ? AND ended_ms IS NULL AND until_ms > ?", (cart_id, now_ms)
    ).fetchone()
    return row


def claim(transaction: Transaction, random: Random, who: Who, cart_id: str, request: ClaimRequest) -> ClaimAnswer:
    """A lease for ``who``. The same key again is answered with the same lease, prolonged, while it holds; with lease-gone once it has ended.

    Raises Refused: not-found, cart-held (also by another basket of the same register), cart-changed, lease-gone.
    """
    db, now_ms = transaction.db, transaction.now_ms
    repeated = db.execute("SELECT cart, version, token, until_ms, ended_ms FROM claim WHERE source = ? AND key = ?", (who.source, request.key)).fetchone()
    if repeated is not None:
        cart, version, token, until_ms, ended_ms = repeated
        if cart != cart_id or ended_ms is not None or until_ms <= now_ms:
            raise refused(PROBLEM_LEASE_GONE, "The lease of this claim has ended.")
        read_cart(db, cart_id, now_ms, who.currency)
        until_ms = max(until_ms, now_ms + request.ttl_seconds * 1000)
        db.execute("UPDATE claim SET until_ms = ? WHERE source = ? AND key = ?", (until_ms, who.source, request.key))
        return ClaimAnswer(cart=cart, version=version, token=token, until_ms=until_ms)
    cart_row = read_cart(db, cart_id, now_ms, who.currency)
    held = open_claim(db, cart_id, now_ms)
    if held is not None:
        raise refused(PROBLEM_HELD, f"{held[1]} holds it.", held_by=held[1], until_ms=held[4])
    if cart_row["version"] != request.version:
        raise refused(PROBLEM_CHANGED, f"It is at version {cart_row['version']}, not {request.version}.", version=cart_row["version"])
    return _hold(transaction, new_secret(random, LEASE_TOKEN_BYTES), who, cart_row, request)


def _hold(transaction: Transaction, token: str, who: Who, cart: dict[str, Any], request: ClaimRequest) -> ClaimAnswer:
    cart_id, version, until_ms = cart["id"], cart["version"], transaction.now_ms + request.ttl_seconds * 1000
    end_claim(transaction, cart_id)
    transaction.db.execute(
        "INSERT INTO claim (source, key, cart, holder, token, version, until_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (who.source, request.key, cart_id, who.holder, token, version, until_ms),
    )
    feeds.revise(transaction, "carts", cart_id, cart | {"heldBy": who.holder})
    return ClaimAnswer(cart=cart_id, version=version, token=token, until_ms=until_ms)


def release(transaction: Transaction, who: Who, cart_id: str, token: str) -> None:
    """Let a cart go; one that was let go before is no error. Raises Refused (lease-gone) for a token that was never this register's for this cart."""
    row = transaction.db.execute("SELECT ended_ms FROM claim WHERE source = ? AND cart = ? AND token = ?", (who.source, cart_id, token)).fetchone()
    if row is None:
        raise refused(PROBLEM_LEASE_GONE, "This register has no such lease on this cart.")
    if row[0] is None:
        end_claim(transaction, cart_id)
        _show_holder(transaction, cart_id, "")


def complete(transaction: Transaction, who: Who, cart_id: str, request: CompleteRequest) -> None:
    """Lines of a held cart were sold; repeated for one sale it does nothing more.

    A lease that ran out still completes as long as nobody else took the cart: the goods are gone. Raises Refused (lease-gone).
    """
    db = transaction.db
    row = db.execute("SELECT ended_ms FROM claim WHERE source = ? AND cart = ? AND token = ?", (who.source, cart_id, request.token)).fetchone()
    done = db.execute("SELECT 1 FROM cart_sold WHERE cart = ? AND sale = ?", (cart_id, request.sale)).fetchone()
    held = open_claim(db, cart_id, transaction.now_ms)
    if row is None or (held is not None and (held[0], held[2]) != (who.source, request.token) and done is None):
        raise refused(PROBLEM_LEASE_GONE, "This register no longer holds the cart; the sale's fact settles it.")
    sold_in_store(transaction, who.source, request.sale, Sold(cart_id, _pieces(request.lines, request.sold_pieces), request.token))


class Sold(Struct, frozen=True):
    """What a sale took out of a cart: pieces by line, None for all of them; ``token`` is its lease's, or empty."""

    cart: str
    pieces: Mapping[str, int | None]
    token: str


def sold_of(cart: SaleCart) -> Sold:
    """What a sale's fact says of its cart."""
    return Sold(cart.cart_id, _pieces((), cart.partly_sold) | _pieces(cart.sold_lines, cart.sold_pieces), cart.token)


def _pieces(lines: Sequence[str], counted: Sequence[PartOfLine]) -> dict[str, int | None]:
    return dict.fromkeys(lines) | {part.line: part.pieces for part in counted}


def sold_in_store(transaction: Transaction, source: str, sale: str, sold: Sold) -> None:
    """Take what was sold out of the cart, once per sale and line, end the sale's own lease, and note a refund task for each line that was no longer there.

    Lines that the customer added since stay, and so do pieces that they added to a sold line, where it is said how many were sold. An emptied cart is
    deleted. Called for every sale's fact with a cart, sold under a lease or from a copy.
    """
    db, now_ms = transaction.db, transaction.now_ms
    known = {line for (line,) in db.execute("SELECT line FROM cart_sold WHERE cart = ? AND sale = ?", (sold.cart, sale))}
    fresh = {line: pieces for line, pieces in sold.pieces.items() if line not in known}
    cart = feeds.current(db, "carts", sold.cart)
    there = {line["line"] for line in cart["lines"]} if cart is not None else set()
    gone = [(sold.cart, line, sale, source, _why_gone(db, sold.cart, line), now_ms) for line in fresh if line not in there]
    db.executemany("INSERT INTO refund_task (cart, line, sale, source, cause, at_ms) VALUES (?, ?, ?, ?, ?, ?)", gone)
    db.executemany("INSERT INTO cart_sold (cart, line, sale, at_ms) VALUES (?, ?, ?, ?)", [(sold.cart, line, sale, now_ms) for line in fresh])
    ended = db.execute("UPDATE claim SET ended_ms = ? WHERE source = ? AND cart = ? AND token = ? AND ended_ms IS NULL RETURNING 1",
                       (now_ms, source, sold.cart, sold.token)).fetchall()  # fmt: skip
    if cart is not None and there.intersection(fresh):
        _keep_lines(transaction, cart, [left for line in cart["lines"] for left in _left_of(line, fresh)])
    elif ended:
        _show_holder(transaction, sold.cart, "")


def _left_of(line: dict[str, Any], sold: Mapping[str, int | None]) -> list[dict[str, Any]]:
    """What stays of a cart's line: all, some pieces, or nothing."""
    if line["line"] not in sold:
        return [line]
    pieces = sold[line["line"]]
    left = 0 if pieces is None else line["pieces"] - pieces
    return [line | {"pieces": left}] if left > 0 else []


def _why_gone(db: Db, cart_id: str, line: str) -> str:
    if db.execute("SELECT 1 FROM cart_ordered WHERE cart = ? AND line = ?", (cart_id, line)).fetchone():
        return "ordered_online"
    if db.execute("SELECT 1 FROM cart_sold WHERE cart = ? AND line = ?", (cart_id, line)).fetchone():
        return "sold_in_store"
    return "removed_online"


def _keep_lines(transaction: Transaction, cart: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """The cart's next version with ``lines``; without any it is deleted, and whoever holds it holds nothing."""
    if lines:
        held = open_claim(transaction.db, cart["id"], transaction.now_ms)
        changed = cart | {"lines": lines, "version": cart["version"] + 1, "heldBy": held[1] if held else ""}
        feeds.revise(transaction, "carts", cart["id"], changed)
    else:
        end_claim(transaction, cart["id"])
        feeds.publish(transaction, "carts", [feeds.Change(cart["id"], None)])


def end_claim(transaction: Transaction, cart_id: str) -> None:
    """Whatever lease there is on the cart ends now."""
    transaction.db.execute("UPDATE claim SET ended_ms = ? WHERE cart = ? AND ended_ms IS NULL", (transaction.now_ms, cart_id))


def _show_holder(transaction: Transaction, cart_id: str, holder: str) -> None:
    cart = feeds.current(transaction.db, "carts", cart_id)
    if cart is not None:
        feeds.revise(transaction, "carts", cart_id, cart | {"heldBy": holder})


def end_expired(transaction: Transaction) -> None:
    """Free every cart whose lease has run out, so that the web shop and the registers see it."""
    expired = transaction.db.execute("SELECT cart FROM claim WHERE ended_ms IS NULL AND until_ms <= ?", (transaction.now_ms,)).fetchall()
    for (cart_id,) in expired:
        end_claim(transaction, cart_id)
        _show_holder(transaction, cart_id, "")


def forget_claims(transaction: Transaction, older_than_ms: int) -> None:
    """Forget the keys of claims that ended before that."""
    transaction.db.execute("DELETE FROM claim WHERE ended_ms < ?", (older_than_ms,))
