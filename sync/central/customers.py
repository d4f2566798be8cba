"""Finding a customer by anything that stands for them."""

from __future__ import annotations

from typing import Any

from sync.central import feeds
from sync.central.problems import refused
from sync.central.storage import Db
from sync.contract.messages import PROBLEM_NOT_FOUND


def read_customer(db: Db, customer: str) -> dict[str, Any]:
    """The profile as published. Raises Refused (not found)."""
    found = feeds.current(db, "customers", customer)
    if found is None:
        raise refused(PROBLEM_NOT_FOUND, "No customer has this id.")
    return found


def find_customer(db: Db, kind: str, value: str) -> dict[str, Any]:
    """The profile that an identifier stands for: one of its own, its id (``customer``), or a cart of its own (``cart``). Raises Refused (not found)."""
    match kind:
        case "customer":
            return read_customer(db, value)
        case "cart":
            row = db.execute("SELECT customer FROM cart_of WHERE cart = ?", (value,)).fetchone()
        case _:
            row = db.execute("SELECT customer FROM identifier WHERE kind = ? AND value = ?", (kind, feeds.plain_identifier(kind, value))).fetchone()
    if row is None:
        raise refused(PROBLEM_NOT_FOUND, f"No customer has this {kind[:40]}.")
    return read_customer(db, row[0])
