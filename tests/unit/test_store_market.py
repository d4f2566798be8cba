"""A store's market comes from central with the enrolment: its taxes, its time, its money; the country's is only what is meant when nothing is said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain.code import GtinCode
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.market import GERMANY, UNITED_STATES, Market, TaxRate, TaxRounding
from edge_agent.shop_here import shop_of
from sync.central.serving import EmbeddedCentral
from sync.connectors.contract import Settings
from sync.connectors.http import HttpEnroller
from sync.contract.market import market_row
from sync.contract.messages import Enrolled
from sync.contract.rows import StoreRow
from sync.enrol import enrol
from sync.enrolment import load
from sync.keys import Keys
from tests.support_codes import refused, scanned

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


@pytest.mark.parametrize(("market", "number"), [(GERMANY, b"978"), (UNITED_STATES, b"840"), (OSLO, b"578")])
def test_a_label_with_a_price_is_sold_in_the_store_s_money_and_in_no_other(market, number):
    rules = shop_of(Config(codes={"separators": "|"}), who(market)).rules
    label = b"01040063813339313932"
    sold = scanned(label + number + b"1995", "]C1", rules)
    assert isinstance(sold, GtinCode)
    assert (sold.price_minor, rules.currency) == (1995, market.currency)
    for other in {b"978", b"840", b"578", b"999"} - {number}:
        error = refused(label + other + b"1995", "]C1", rules)
        assert error.key == "code_invalid.currency"
        assert error.message == f"Invalid price in the code: expected {market.currency}, got currency number {other.decode()}."


def test_the_money_of_codes_is_not_the_file_s_to_say_nor_may_it_be_finer_than_the_store_s():
    with pytest.raises(ConfigError, match=r"^edge.toml: \[codes\] currency: expected one of weighed, .*, got 'currency'\.$"):
        shop_of(Config(codes={"currency": "USD"}, source="edge.toml"), who(GERMANY))
    yen, priced = replace(OSLO, currency="JPY"), Config(codes={"weighed": {"price": "22.....{NNNDD}"}}, source="edge.toml")
    assert shop_of(priced, who(GERMANY)).rules.weighed[0].pattern == "22.....{NNNDD}"
    with pytest.raises(ConfigError, match=r"^edge.toml: \[codes.weighed\] price: expected at most 0 decimals, as JPY has, got '22"):
        shop_of(priced, who(yen))
    assert [rule.kind.value for rule in shop_of(Config(), who(yen)).rules.weighed] == ["weight"]


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
