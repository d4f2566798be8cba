"""How receipts are numbered on paper: store, register, number."""

from __future__ import annotations


def receipt_codes(store: str, register: str) -> str:
    """How the codes of a register's receipts begin.

    >>> receipt_codes("0001", "02")
    'R-0001-02-'
    """
    return f"R-{store}-{register}-"


def receipt_code(codes: str, number: int) -> str:
    """How a receipt number is printed, behind what a register's ``codes`` begin with.

    >>> receipt_code("R-0001-02-", 123)
    'R-0001-02-000123'
    """
    return f"{codes}{number:06d}"
