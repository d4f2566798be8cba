"""What cash was rounded by is seen where money is looked at: on the screen after the sale, and in central's books."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from edge_agent.domain.market import SWEDEN
from sync.central.reconcile import Reconciliation, RegisterReport
from sync.central.report import report_lines
from sync.central.trade_books import Books
from tests.support_counter import SOCKS, opened, scan
from tests.support_drawing import DE, EN, joined, shown
from tests.support_shop import PRICES, register
from tests.support_snapshots import READY, SALE, euros
from tui.drawing.total import total


async def test_what_was_taken_is_the_total_with_its_rounding(tmp_path: Path) -> None:
    async with register(tmp_path, market=SWEDEN) as rig:
        rig.core.ports.catalogue.rows = tuple(replace(price, currency="SEK") for price in PRICES if price.currency == "EUR")
        await opened(rig)
        await scan(rig, SOCKS)
        await rig.till.paying.cash(None, "")
        sale = rig.presenter.snapshot().last_sale
        assert (sale.total.minor, sale.paid.minor, sale.change.minor) == (1250, 1300, 0)


def test_the_counter_says_the_rounded_amount_large_and_both_beside_it() -> None:
    sale = replace(SALE, total=euros(1998), paid=euros(2000), change=euros(0))
    for words, says in ((EN, "Sold for 19,98, rounded to 20,00"), (DE, "Verkauft für 19,98, gerundet auf 20,00")):
        drawn = joined(total(shown(replace(READY, last_sale=sale), words, rows=10), 100))
        assert says in drawn
        assert drawn.count("20,00") == 2
    assert "rounded" not in joined(total(shown(replace(READY, last_sale=SALE)), 100))


def test_a_reconciliation_says_what_cash_was_rounded_by_in_all() -> None:
    for rounding, said in ((2, "rounding of cash                    0.02"), (0, "")):
        books = Books("CHF", 1, 1, 1998, 0, 0, rounding, {"cash": 1998})
        register = RegisterReport("/t/acme/s/0001/r/02", "0001", "02", 1, "", [], [books], 0, 0, 0, 0, agree=True)
        lines = report_lines(Reconciliation(True, [], 1, 0, 0, 0, [register]))
        assert [line.strip() for line in lines if "rounding" in line] == ([said] if said else [])
