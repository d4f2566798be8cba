"""What a register sold, added up two ways: from the books' tables, and from the facts themselves."""

from __future__ import annotations

from msgspec import Struct

from sync.central.storage import Db
from sync.contract.facts import SaleCompleted


class TaxSum(Struct, rename="camel"):
    """What one tax class comes to."""

    base_minor: int = 0
    tax_minor: int = 0


class Books(Struct, rename="camel"):
    """Sales in one currency: ``tenders`` by kind in minor units, ``taxes`` by class."""

    currency: str
    sales: int = 0
    lines: int = 0
    total_minor: int = 0
    tax_minor: int = 0
    change_minor: int = 0
    rounding_minor: int = 0
    tenders: dict[str, int] = {}
    taxes: dict[str, TaxSum] = {}


class FactBooks:
    """Books added up from facts, one sale at a time."""

    def __init__(self) -> None:
        self._by_currency: dict[str, Books] = {}

    def add(self, sale: SaleCompleted) -> None:
        """Count one sale."""
        books, totals = self._by_currency.setdefault(sale.currency_code, Books(sale.currency_code)), sale.totals
        books.sales += 1
        books.lines += len(sale.line_items)
        books.total_minor += totals.total_minor
        books.tax_minor += totals.tax_minor
        books.change_minor += totals.change_minor
        books.rounding_minor += totals.rounding_minor
        for tender in sale.tenders:
            books.tenders[tender.kind] = books.tenders.get(tender.kind, 0) + tender.settled_minor
        for tax in sale.taxes:
            added = books.taxes.setdefault(tax.tax_class, TaxSum())
            added.base_minor += tax.base_minor
            added.tax_minor += tax.tax_minor

    def all(self) -> list[Books]:
        """One for each currency, in order."""
        return [books for _, books in sorted(self._by_currency.items())]


def books_of_tables(db: Db, chain: int) -> list[Books]:
    """The same from the tables that the facts were entered into."""
    rows = db.execute(
        """SELECT currency, count(*), sum(lines), sum(total_minor), sum(tax_minor), sum(change_minor), sum(rounding_minor) FROM sale
           WHERE chain = ? GROUP BY currency ORDER BY currency""",
        (chain,),
    ).fetchall()
    made = [Books(*row) for row in rows]
    for books in made:
        place = (chain, books.currency)
        books.lines = db.execute("SELECT count(*) FROM sale_line l JOIN sale s ON s.id = l.sale WHERE s.chain = ? AND s.currency = ?", place).fetchone()[0]
        tenders = "SELECT t.kind, sum(t.settled_minor) FROM sale_tender t JOIN sale s ON s.id = t.sale WHERE s.chain = ? AND s.currency = ? GROUP BY t.kind"
        books.tenders = dict(db.execute(tenders, place).fetchall())
        taxes = """SELECT t.tax_class, sum(t.base_minor), sum(t.tax_minor) FROM sale_tax t JOIN sale s ON s.id = t.sale
                   WHERE s.chain = ? AND s.currency = ? GROUP BY t.tax_class"""
        books.taxes = {tax_class: TaxSum(base, tax) for tax_class, base, tax in db.execute(taxes, place)}
    return made
