"""Three books side by side, and what two more say: the terminal's own ledger and the paper that came out of the printer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from drivers.simulators._card_ledger import Entry
from edge_agent.demo.expected import Books
from edge_agent.demo.ledgers import Ledger
from edge_agent.demo.paper import Paper

COUNTS = ("sales", "lines", "voided baskets", "visits", "charges", "receipts", "copies", "carts", "journal", "streams")
SHOWN_MAX = 20
"""Differences that are printed one by one; all of them count."""


class Row(Struct, frozen=True):
    """One line of the table; a column that does not know the answer has None."""

    title: str
    expected: int
    register: int | None = None
    central: int | None = None
    other: int | None = None
    who: str = ""

    @property
    def agrees(self) -> bool:
        """Whether everybody who knows says the same."""
        return {self.expected} == {amount for amount in (self.expected, self.register, self.central, self.other) if amount is not None}


@dataclass(slots=True)
class Reconciliation:
    """The table, and every difference as a sentence."""

    rows: list[Row] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """One more row; it is a difference when not everybody agrees."""
        self.rows.append(row)
        if not row.agrees:
            self.differences.append(f"{row.title}: expected {row.expected}, register {row.register}, central {row.central}, {row.who or 'other'} {row.other}")

    def count(self, title: str, wrong: list[str], checked: int) -> None:
        """A row for things looked at one by one."""
        self.rows.append(Row(title, checked, other=checked - len(wrong), who="in order"))
        self.differences += wrong

    def lines(self) -> Iterator[str]:
        """The table as text, and the verdict."""
        head = f"{'':24}{'expected':>16}{'register':>16}{'central':>16}{'witness':>16}"
        yield head
        yield "-" * len(head)
        for row in self.rows:
            cells = "".join(f"{_text(row.title, amount):>16}" for amount in (row.expected, row.register, row.central, row.other))
            yield f"{row.title:24}{cells}  {row.who}{'' if row.agrees else '  <-- DIFFERENT'}".rstrip()
        yield "-" * len(head)
        for difference in self.differences[:SHOWN_MAX]:
            yield f"different: {difference}"
        if len(self.differences) > SHOWN_MAX:
            yield f"and {len(self.differences) - SHOWN_MAX} more"
        yield "The three books agree to the last unit." if not self.differences else f"{len(self.differences)} differences."


def compare(expected: Ledger, register: Ledger, central: Ledger) -> Reconciliation:
    """The sums row by row, then sale by sale."""
    found = Reconciliation()
    titles = dict.fromkeys([*expected.sums, *register.sums, *central.sums])
    for title in sorted(titles, key=_order):
        found.add(Row(title, expected.sums.get(title, 0), register.sums.get(title, 0), central.sums.get(title, 0)))
    for name, ledger in (("register", register), ("central", central)):
        wrong = [
            f"sale {sale} at the {name}: {_how(expected, ledger, sale)}" for sale in sorted({*expected.sales, *ledger.sales}) if _how(expected, ledger, sale)
        ]
        found.count(f"sale by sale, {name}", wrong, len(expected.sales))
    return found


def add_terminal(found: Reconciliation, books: Books, register: Ledger, entries: Iterable[Entry], currency: str) -> None:
    """The terminal's ledger: what cards were charged in all, and that each charge is in a sale under its own reference."""
    charges = {entry.ref: entry.charged_minor for entry in entries if entry.charged_minor and entry.currency == currency}
    cards = dict(register.cards or {})
    found.add(Row("charged to cards", books.charged, sum(cards.values()), other=sum(charges.values()), who="terminal"))
    found.add(Row("charges", len(cards), other=len(charges), who="terminal"))
    refs = sorted({*cards, *charges})
    found.differences += [f"charge {ref}: sale {cards.get(ref)}, terminal {charges.get(ref)}" for ref in refs if cards.get(ref) != charges.get(ref)]


def add_paper(found: Reconciliation, books: Books, register: Ledger, paper: Paper, excused: set[str]) -> None:
    """The printer: every receipt once, copies as asked for. ``excused`` are receipts whose printing a power cut may have prevented."""
    wrong = [
        f"receipt {code}: {paper.originals[code]} originals"
        for code in sorted({*register.receipts, *paper.originals})
        if not (paper.originals[code] == 1 and code in register.receipts) and not (paper.originals[code] == 0 and code in excused)
    ]
    found.count("receipts", wrong, len(register.receipts))
    found.add(Row("copies", books.copies, other=sum(paper.copies.values()), who="printer"))
    if paper.strange:
        found.differences.append(f"{paper.strange} pieces of paper are no receipt")


def add_carts(found: Reconciliation, books: Books, carts: Mapping[str, tuple[str, ...]]) -> None:
    """What is left in the online carts that were fetched, line by line."""
    wrong = [f"cart {cart}: expected {left} to be left, central has {carts[cart]}" for cart, left in books.carts_left.items() if carts[cart] != left]
    found.count("carts", wrong, len(books.carts_left))


def add_soundness(found: Reconciliation, problems: list[str], events: int, reconciliation: Mapping[str, Any]) -> None:
    """The journal's own check, and central's: no gap, no broken chain, nothing in quarantine or withheld."""
    found.count("journal", [f"journal: {problem}" for problem in problems], events)
    streams = [stream | {"store": register["store"]} for register in reconciliation["registers"] for stream in register["streams"]]
    wrong = [
        f"stream {stream['stream']}: {stream}" for stream in streams if stream["gaps"] or not stream["chained"] or stream["quarantined"] or stream["withheld"]
    ]
    if not reconciliation["ok"]:
        wrong.append("central says that its books are not what its facts say")
    found.count("streams", wrong, len(streams))


def _how(expected: Ledger, ledger: Ledger, sale: str) -> str:
    wanted, got = expected.sales.get(sale), ledger.sales.get(sale)
    return "" if wanted == got else f"expected {wanted}, got {got}"


def _order(title: str) -> tuple[int, str]:
    first = ("sales", "lines", "total", "tax", "base", "paid", "change", "discounts", "voided", "cash", "visits")
    return next((at for at, word in enumerate(first) if title == word or title.startswith(f"{word} ")), len(first)), title


def _text(title: str, amount: int | None) -> str:
    if amount is None:
        return ""
    if title in COUNTS or title.startswith("sale by sale"):
        return str(amount)
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100:,}.{abs(amount) % 100:02}"
