"""Finding a customer by anything that stands for them."""

from __future__ import annotations

from typing import Any

import msgspec

from sync.central import feeds
from sync.central.problems import refused
from sync.central.storage import Db
from sync.contract.identifiers import looked_up
from sync.contract.messages import CUSTOMERS_FOUND_MAX, PROBLEM_NOT_FOUND


def read_customer(db: Db, customer: str) -> dict[str, Any]:
    """The profile as published. Raises Refused (not found)."""
    found = feeds.current(db, "customers", customer)
    if found is None:
        raise refused(PROBLEM_NOT_FOUND, "No customer has this id.")
    return found


def find_customers(db: Db, kind: str, value: str, country: str) -> list[dict[str, Any]]:
    """The profiles that an identifier stands for: their own, their id (``customer``), or a cart of theirs (``cart``). Raises Refused (not found).

    ``country`` is the asking store's: a phone number without its country's code is one of there.
    """
    match kind:
        case "customer":
            return [read_customer(db, value)]
        case "cart":
            rows = db.execute("SELECT customer FROM cart_of WHERE cart = ? AND customer <> ''", (value,)).fetchall()
        case _:
            forms = msgspec.json.encode(looked_up(kind, value, country)).decode()
            rows = db.execute(
                """SELECT DISTINCT customer FROM identifier WHERE kind = ? AND value IN (SELECT value FROM json_each(?)) ORDER BY customer LIMIT ?""",
                (kind, forms, CUSTOMERS_FOUND_MAX),
            ).fetchall()
    if not rows:
        raise refused(PROBLEM_NOT_FOUND, "No customer has this identifier.")
    return [read_customer(db, customer) for (customer,) in rows]
