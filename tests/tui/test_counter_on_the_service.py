"""The counter's screen on a whole register over its journal, by scans, taps and keys: in process and over the Unix socket that the service binds."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from edge_agent.client import AgentClient
from edge_agent.domain.errors import DiskFull
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.tender import Approved, AttemptState, CardResult, Unknown
from edge_agent.service import paying
from tests.support_api import FaultyWire, Served, new_id, served
from tests.support_shop import MemoryCentral, Rig, register
from tests.support_till import CountingApp, StandingClock, Till

COAT, SOCKS = "4006381333931", "4006381333948"
MARIAS_TAG = "04A1B2C3D4E5F6"


@pytest.fixture(params=["in_process", "unix_socket"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "ASK_SECONDS", (0.01, 0.01))
    monkeypatch.setattr("edge_agent.service.core.REOPEN_SECONDS", 0.01)


class Counter(Till):
    """The screen and its keys, with the register behind it in place of a script."""

    def __init__(self, app: CountingApp, pilot: Pilot[Any], rig: Rig, wire: FaultyWire, clock: StandingClock) -> None:
        super().__init__(app, pilot, rig, clock)  # type: ignore[arg-type]  # the keys and the eyes know no service
        self.rig = rig
        self.wire = wire
        self._readings = itertools.count(1)

    async def scan(self, code: str) -> None:
        """The scanner reads ``code``."""
        await self.rig.till.scanned(Reading(code.encode(), "scanner-1", self.rig.core.ports.clock.now_ms()))

    async def tap(self, uid: str) -> None:
        """A customer holds a tag to the reader."""
        await self.rig.till.scanned(Reading(uid.encode(), "reader-1", self.rig.core.ports.clock.now_ms(), Source.NFC, tag=TagKind.FIXED_UID))

    async def gone(self, *texts: str) -> None:
        """Wait until none of these is on the screen."""
        await self.until(lambda: not any(text in self.text() for text in texts), f"{texts} going")

    @property
    def sales(self) -> list[tuple[str, int]]:
        """Receipt and total of every completed sale on disk, oldest first."""
        return [(sale.receipt, sale.total_minor) for sale in reversed(self.rig.journal.sales("", 10))]


@asynccontextmanager
async def screen(shop: Served, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Counter]:
    """A terminal on a register's service."""
    wire, clock = FaultyWire(shop.transport()), StandingClock()
    async with AgentClient(wire, shop.base_url, shop.token, new_id=new_id) as client:
        app = CountingApp(client, "en", clock=clock, glyphs="full", theme="dark")
        async with app.run_test(size=size) as pilot:
            held = Counter(app, pilot, shop.rig, wire, clock)
            await held.until(lambda: app.listening, "the first picture")
            yield held


async def opens(held: Counter) -> None:
    """Ayse opens the shift with her badge and 100,00 in the drawer."""
    await held.sees("Who opens this register?")
    await held.type("1001")
    await held.press("enter")
    await held.sees("How much money is in the drawer?")
    await held.type("100")
    await held.press("enter")
    await held.sees("Ayse K.", "scan, or type a code")


@asynccontextmanager
async def counter(way: str, folder: Path) -> AsyncIterator[Counter]:
    """A terminal on a register whose shift is open."""
    async with register(folder / "state", central=MemoryCentral()) as rig, served(rig, way, folder) as shop, screen(shop) as held:
        await opens(held)
        yield held


async def test_a_customer_taps_picks_the_online_cart_and_pays_cash_with_change(way: str, tmp_path: Path) -> None:
    async with counter(way, tmp_path) as held:
        await held.scan(COAT)
        await held.sees("Wool coat, navy, 38", "199,00")
        await held.tap(MARIAS_TAG)
        await held.sees("Maria Fernandez", "Gold", "179,00", "member price, else 199,00")
        await held.until(lambda: held.app.picture.snapshot.customer.fresh, "central's answer")
        await held.press("f5")
        await held.sees("From the online cart, still to pick: 2", "here, 2 to pick")  # the coat lay there already
        await held.scan(SOCKS)
        await held.sees("From the online cart, still to pick: 1", "Socks, merino")
        await held.press("f2")
        await held.sees("How does the customer pay?", "1 article of the online cart is not picked")
        await held.scan(SOCKS)
        await held.sees("Socks, merino was added. Now due: 204,00 EUR")
        await held.gone("not picked")
        due = held.app.picture.snapshot.payment.cash_due
        assert due.minor == 17_900 + 2 * 1_250
        held.clock.seconds += 1
        await held.type("210")
        await held.sees("gives 6,00 change")
        await held.press("enter")
        await held.sees("Change", "Sold for 204,00, cash")
        assert held.sales == [("R-0001-02-000001", 20_400)]
        await held.until(lambda: len(held.rig.paper.jobs) == 1, "the receipt")
        assert held.rig.paper.jobs[0].open_drawer
        completed = next(call for call in held.rig.central.calls if call[0] == "complete")
        assert completed[1:] == ("CART-7K3M9P2Q", held.app.picture.snapshot.last_sale.id, ("w1", "w2"))
        await held.scan(SOCKS)
        await held.gone("Sold for")
        await held.sees("12,50")


async def test_what_is_not_in_the_catalogue_is_said_and_the_next_scan_sells(way: str, tmp_path: Path) -> None:
    async with counter(way, tmp_path) as held:
        await held.scan("4006381333955")
        await held.sees("4006381333955", "not in the catalogue")
        await held.until(lambda: held.app.bells == 1, "the bell")
        await held.type(f"3*{COAT}")
        await held.press("enter")
        await held.sees("3 × 199,00", "597,00")
        await held.type(f"0*{SOCKS}")
        await held.press("enter")
        await held.sees("0 is not possible: 1 to 9999.")
        await held.type(f"2*{SOCKS}")
        await held.press("enter")
        await held.sees("2 × 12,50")
        assert [(held.name, held.pieces) for held in held.app.picture.snapshot.basket.lines] == [("Wool coat", 3), ("Socks, merino", 2)]


async def test_a_card_whose_outcome_nobody_knows_is_parked_the_next_customer_served_and_it_settles_by_itself(way: str, tmp_path: Path) -> None:
    async with counter(way, tmp_path) as held:
        terminal = held.rig.terminal
        terminal.findings[:] = [Unknown("still silent")]
        await held.scan(COAT)
        await held.sees("Wool coat")
        await held.press("f2")
        await held.sees("How does the customer pay?")
        await held.press("c")
        await held.sees("Please hold, insert or swipe your card")
        terminal.answers.put_nowait(Unknown("answer lost"))
        await held.sees("Outcome not known yet", "Do not take the card or cash for it again")
        assert held.sales == []
        held.clock.seconds += 1
        await held.press("p")
        await held.sees("1 payment is being clarified (F7)")
        await held.gone("Wool coat")
        await held.scan(SOCKS)
        await held.sees("Socks, merino")
        await held.press("f2")
        await held.sees("How does the customer pay?")
        await held.press("enter")
        await held.sees("Sold for 12,50, cash")
        assert held.sales == [("R-0001-02-000001", 1_250)]
        (asked,) = terminal.asked
        terminal.findings[:] = [Approved(19_900, "EUR", CardResult(last_four="1111"))]
        await held.gone("1 payment is being clarified")
        await held.sees("The parked sale is paid, receipt R-0001-02-000002.")
        assert held.sales == [("R-0001-02-000001", 1_250), ("R-0001-02-000002", 19_900)]
        assert (len(terminal.asked), {attempt.wire_ref for attempt in terminal.queried}) == (1, {asked.wire_ref})
        assert held.rig.journal.verify().problems == ()


async def test_a_disk_that_refuses_stops_the_counter_and_it_goes_on_with_the_same_basket(way: str, tmp_path: Path) -> None:
    async with counter(way, tmp_path) as held:
        await held.scan(COAT)
        await held.sees("Wool coat")
        held.rig.refusing.refuse = DiskFull("The disk is full.", hint="Free some space.")
        await held.scan(SOCKS)
        await held.sees("The disk of the register is full.", "Every sale that was completed is safe on the disk.")
        await held.press("f2", "enter")
        await held.scan(SOCKS)
        assert held.sales == []
        held.rig.refusing.refuse = None
        await held.gone("Every sale that was completed is safe")
        await held.sees("Wool coat")
        assert "Socks" not in held.text(), "what the disk refused was never sold"
        held.clock.seconds += 1
        await held.press("f2")
        await held.sees("How does the customer pay?")
        await held.press("enter")
        await held.sees("Sold for 199,00, cash")
        assert held.sales == [("R-0001-02-000001", 19_900)]


async def test_a_screen_that_dies_in_the_middle_of_a_card_payment_comes_back_to_it_and_the_card_is_asked_for_once(way: str, tmp_path: Path) -> None:
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop:
        async with screen(shop) as first:
            await opens(first)
            await first.scan(COAT)
            await first.sees("Wool coat")
            await first.press("f2")
            await first.sees("How does the customer pay?")
            await first.press("c")
            await first.sees("Please hold, insert or swipe your card")
        async with screen(shop) as second:
            await second.sees("Card payment", "Please hold, insert or swipe your card")
            rig.terminal.approve(19_900)
            await second.sees("Sold for 199,00, card")
            assert second.sales == [("R-0001-02-000001", 19_900)]
            assert [attempt.state for attempt in rig.core.desk.last_sale.tenders[0].attempts] == [AttemptState.APPROVED]
            assert len(rig.terminal.asked) == 1


async def test_a_service_that_is_away_is_waited_for_with_a_word_and_the_basket_is_back(way: str, tmp_path: Path) -> None:
    async with counter(way, tmp_path) as held:
        await held.scan(COAT)
        await held.sees("Wool coat")
        held.wire.down = True
        await held.scan(SOCKS)
        await held.until(lambda: not held.app.picture.connected, "the loss")
        held.clock.seconds += 2
        await held.gone("Wool coat")
        held.wire.down = False
        await held.sees("Wool coat", "Socks, merino", "2 articles")
