"""A store's market comes from central with the enrolment: its taxes, its time, its money; the country's is only what is meant when nothing is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.bootstrap import shop_of
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.market import GERMANY, UNITED_STATES, Market, TaxRate, TaxRounding
from sync.central.serving import EmbeddedCentral
from sync.connectors.contract import Settings
from sync.connectors.http import HttpEnroller
from sync.contract.market import market_row
from sync.contract.messages import Enrolled
from sync.contract.rows import StoreRow
from sync.enrol import enrol, load
from sync.keys import Keys

LOS_ANGELES = replace(UNITED_STATES, timezone="America/Los_Angeles", tax_rates=(TaxRate("standard", 9_750, "9.75 %"), TaxRate("zero", 0, "0 %")))
OSLO = Market("NO", "NOK", "nb_NO", "Europe/Oslo", True, TaxRounding.DOCUMENT, (TaxRate("standard", 25_000, "25 %"),), (5000, 10000, 20000), 5)


def who(market: Market | None, country: str = "US") -> Enrolled:
    return Enrolled("acme", "0009", "Store", "01", "1", "token", country, 1, market_row(market) if market else None)


@pytest.mark.parametrize("market", [LOS_ANGELES, OSLO, GERMANY])
def test_a_register_sells_by_its_stores_market(market):
    assert shop_of(Config(), who(market, market.country)).market == market


def test_without_one_the_countrys_is_meant_and_an_unknown_country_is_refused():
    assert shop_of(Config(), who(None, "DE")).market == GERMANY
    with pytest.raises(ConfigError, match="'NO'"):
        shop_of(Config(), who(None, "NO"))


@pytest.mark.parametrize(
    "wrong", [replace(OSLO, timezone="Europe/Nowhere"), replace(OSLO, locale="xx_XX"), replace(OSLO, tax_rates=(TaxRate("reduced", 1, "x"),))]
)
def test_a_market_that_this_pc_cannot_keep_is_refused_with_what_to_do(wrong):
    with pytest.raises(ConfigError) as caught:
        shop_of(Config(), who(wrong))
    assert "operator" in caught.value.hint


@pytest.mark.parametrize(("row", "expected"), [(None, UNITED_STATES), (market_row(LOS_ANGELES), LOS_ANGELES)])
async def test_central_tells_the_enrolling_register_its_stores_market(tmp_path, row, expected):
    embedded = EmbeddedCentral(tmp_path / "central")
    url = embedded.start()
    try:
        embedded.central.seed_stores([StoreRow(store="0009", store_name="Venice Beach", country="US", registers=["01"], market=row)])
        code = embedded.central.enrol_code("0009", "01").code
        keys = Keys(tmp_path / "till", SystemRandom())
        enrolment = await enrol(url, code, "till", keys, HttpEnroller(Settings(url, "", "", SystemClock())))
    finally:
        embedded.stop()
    assert shop_of(Config(), enrolment.register).market == expected
    kept = load(tmp_path / "till")
    assert kept is not None
    assert kept.register.market == enrolment.register.market
