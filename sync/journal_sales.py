"""How a past sale is looked for: each typed word may be a receipt code (or its beginning), a receipt number, an amount or a customer's id."""

from __future__ import annotations

import re
from typing import Any

from edge_agent.domain.money import AMOUNT_MINOR_MAX
from edge_agent.ports import SaleRow
from sync.cipher import Connection

SALE_COLUMNS = "id, number, receipt, at_ms, total_minor, currency, customer, body"
WORDS_MAX = 6
_DIGITS = (0, 2, 3, 4)
"""How many digits minor units can have (ISO 4217)."""
_AMOUNT = re.compile(r"(\d{1,3}(?:[.,'\u2019]\d{3})+|\d+)(?:[.,](\d{1,4}))?")


def sale_of(row: tuple[Any, ...]) -> SaleRow:
    """The sale of a row of ``SALE_COLUMNS``."""
    return SaleRow(*row)


def where_sale(text: str) -> tuple[str, list[object]]:
    """The WHERE clause for sales that match every word of ``text``, and its values.

    >>> where_sale("")
    ('', [])
    """
    clauses, values = [], list[object]()
    for word in text.split()[:WORDS_MAX]:
        clause, found = _word(word)
        clauses.append(f"({clause})")
        values += found
    return ("WHERE " + " AND ".join(clauses) if clauses else ""), values


def receipts_used(db: Connection, codes: str) -> int:
    """The highest number of a sale whose receipt's code is ``codes`` and that number; 0 when there is none. Looks through that register's codes alone.

    Capitals and small letters are the same, as to the index that has a code once.
    """
    among = "receipt > ? COLLATE NOCASE AND receipt < ? COLLATE NOCASE"
    own = "receipt = ? || printf('%06d', number) COLLATE NOCASE"  # those of store 0001-02 begin like those of register 02 of store 0001
    row = db.execute(f"SELECT max(number) FROM sale WHERE {among} AND {own}", (codes, f"{codes}:", codes)).fetchone()  # noqa: S608 - constants
    return int(row[0] or 0)


def amounts(word: str) -> list[tuple[int, int]]:
    """What ``word`` may mean as an amount: (minor units, digits of the currency). Without a decimal sign it may be major or minor units.

    >>> amounts("19,99")
    [(1999, 2), (19990, 3), (199900, 4)]
    >>> amounts("1.234,56")[0], amounts("500")[:3]
    ((123456, 2), [(500, 0), (50000, 2), (500, 2)])
    """
    match = _AMOUNT.fullmatch(word)
    if match is None or len(word) > 15:
        return []
    whole, fraction = int(re.sub(r"\D", "", match[1])), match[2] or ""
    found = [(whole * 10**digits + int(fraction.ljust(digits, "0") or 0), digits) for digits in _DIGITS if len(fraction) <= digits]
    if not fraction:
        found += [(whole, digits) for digits in _DIGITS if digits]
    found = [one for one in found if one[0] <= AMOUNT_MINOR_MAX]  # no sale is larger, nor does a column hold any number
    return sorted(found, key=lambda one: one[1])


def _word(word: str) -> tuple[str, list[object]]:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    clauses, values = ["receipt LIKE ? ESCAPE '\\'", "customer = ?"], list[object]([escaped + "%", word])
    if word.isascii() and word.isdecimal() and len(word) <= 15:
        clauses.append("number = ?")
        values.append(int(word))
    for minor, digits in amounts(word):
        clauses.append("(total_minor IN (?, ?) AND digits = ?)")
        values += [minor, -minor, digits]
    return " OR ".join(clauses), values
