"""A drawn symbol, read by software that we did not write, goes down a serial line into the shop and comes out as the right article.

zint draws, zxing-cpp reads, a pty carries the bytes to the real scanner driver under its supervisor, the counter sells.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.contract import DeviceState
from drivers.devices.serial_scanner import build
from drivers.load import DriverContext
from drivers.simulators.serial_scanner import PtyScanner
from drivers.supervisor import Supervisor
from edge_agent.clock import SystemClock
from edge_agent.domain.catalogue import Article, Price, SoldBy
from edge_agent.domain.code import GtinCode, LoyaltyCode, WeighedCode
from edge_agent.domain.customer import Identifier, IdentifierKind
from tests.support import HalfRandom, Listener
from tests.support_shop import MARIA_KNOWN, register
from tests.support_symbols import CORPUS, Symbol, draw, read

REQUIRED = os.environ.get("EDGE_REQUIRE_PEERS") == "1"
SOLD = [symbol for symbol in CORPUS if isinstance(symbol.code, GtinCode | WeighedCode)]
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("zint") is None and not REQUIRED, reason="zint is not installed (Debian package zint)"),
]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PtyScanner, Listener]]:
    """A scanner that sends AIM identifiers, plugged into the real driver."""
    listener = Listener()
    with PtyScanner(tmp_path_factory.mktemp("line") / "scanner") as scanner:
        driver = build({"port": scanner.path, "aim": "always"}, DriverContext(SystemClock(), HalfRandom(), "scanner"))
        supervisor = Supervisor((driver,), SystemClock(), HalfRandom(), listener.reading, listener.report)
        supervisor.start()
        try:
            yield scanner, listener
        finally:
            supervisor.stop()


@pytest.mark.parametrize("symbol", SOLD, ids=lambda symbol: symbol.name)
async def test_a_drawn_symbol_sells_the_right_article(symbol: Symbol, line: tuple[PtyScanner, Listener], tmp_path: Path) -> None:
    scanner, listener = line
    aim, payload = read(draw(symbol, tmp_path))
    listener.wait_state("scanner", DeviceState.READY)
    before = len(listener.readings)
    scanner.scan(payload, aim=aim)
    reading = listener.wait_readings(before + 1)[-1]
    assert (reading.aim, reading.payload) == (aim, payload)

    by_weight = isinstance(symbol.code, WeighedCode) and symbol.code.grams is not None
    item = symbol.code.item if isinstance(symbol.code, WeighedCode) else ""
    gtins = (symbol.code.gtin,) if isinstance(symbol.code, GtinCode) else ()
    wanted = Article("WANTED", "The right one", gtins, "Food", "standard", SoldBy.KILOGRAM if by_weight else SoldBy.PIECE, item)
    other = Article("OTHER", "Another", ("09780201379624",), "Food", "standard", item="99999")
    async with register(tmp_path / "register") as rig:
        rig.core.ports.catalogue.articles = (other, wanted)
        rig.core.ports.catalogue.rows = (Price("WANTED", 1000, "EUR", "b", "1"), Price("OTHER", 1, "EUR", "b", "1"))
        await rig.till.day.open("1001", 0, "")
        await rig.till.scanned(replace(reading, at_ms=rig.core.ports.clock.now_ms()))
        assert rig.core.state.basket is not None, rig.core.desk.notice
        sold = rig.core.state.basket.lines[0]
        assert sold.sku == "WANTED"
        assert (sold.batch, sold.expiry, sold.serial) == ((symbol.code.batch, symbol.code.expiry, symbol.code.serial) if gtins else ("", "", ""))


async def test_a_drawn_loyalty_card_brings_its_customer(line: tuple[PtyScanner, Listener], tmp_path: Path) -> None:
    scanner, listener = line
    symbol = next(symbol for symbol in CORPUS if isinstance(symbol.code, LoyaltyCode))
    aim, payload = read(draw(symbol, tmp_path))
    before = len(listener.readings)
    scanner.scan(payload, aim=aim)
    reading = listener.wait_readings(before + 1)[-1]
    async with register(tmp_path / "register") as rig:
        rig.core.ports.people.customers = (replace(MARIA_KNOWN, identifiers=(Identifier(IdentifierKind.LOYALTY, symbol.code.number),)),)
        await rig.till.day.open("1001", 0, "")
        await rig.till.scanned(replace(reading, at_ms=rig.core.ports.clock.now_ms()))
        assert rig.core.desk.customer is not None
        assert rig.core.desk.customer.name == "Maria Fernandez"
