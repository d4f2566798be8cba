"""The sample shop: what the product itself makes of every number, price, customer and cart in it."""

from __future__ import annotations

import doctest
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from edge_agent.cli import main
from edge_agent.demo import sample
from edge_agent.demo.sample import SAMPLE_AT_MS, STORES, key_of, sample_feeds, write_folder
from edge_agent.demo.shops import SHOPS
from edge_agent.domain.catalogue import Price, offer
from edge_agent.domain.code import CartCode, GtinCode, LoyaltyCode, StaffCode, TagUid, WeighedCode, understand
from edge_agent.domain.gtin import gtin_shown, is_gtin
from edge_agent.domain.market import MARKETS
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.shift import RIGHT_DISCOUNT, RIGHT_VOID, RIGHTS_ALL
from sync.central.central import Central
from sync.central.seeding import seed_folder
from sync.contract.rows import ROW_BY_FEED, StoreRow
from sync.contract.rows import key_of as contract_key_of

Feeds = dict[str, list[dict[str, Any]]]
DAY_MS = 86_400_000
FICTION = re.compile(r"\+49(3023125|6990009|4066969|2214710|8999998)[0-9]{3}|\+1[2-9][0-9]{2}55501[0-9]{2}|\+447700900[0-9]{3}")


@pytest.fixture(scope="module")
def feeds() -> Feeds:
    return sample_feeds(1)


def scanned(code: str) -> object:
    return understand(Reading(code.encode(), "scanner", SAMPLE_AT_MS))


def prices_of(feeds: Feeds, sku: str, currency: str) -> list[Price]:
    rows = [row for row in feeds["prices"] if row["sku"] == sku and row["currency"] == currency]
    return [Price(sku, row["amountMinor"], currency, row["book"], row["version"], row["group"], row["fromMs"], row["untilMs"]) for row in rows]


def test_it_is_as_large_as_promised(feeds: Feeds) -> None:
    assert {feed: len(rows) for feed, rows in feeds.items() if feed != "prices"} == {"catalogue": 2000, "customers": 500, "carts": 100, "staff": 9}
    assert {(store["country"], len(store["registers"])) for store in STORES} == {("DE", 3), ("US", 2)}  # type: ignore[arg-type]  # a list of registers


def test_the_same_seed_is_the_same_shop_and_another_seed_another(feeds: Feeds) -> None:
    assert sample_feeds(1) == feeds
    other = sample_feeds(2)
    assert other["catalogue"] == feeds["catalogue"]
    assert all(other[feed] != feeds[feed] for feed in ("prices", "customers", "carts"))


@pytest.mark.parametrize("feed", sorted(ROW_BY_FEED))
def test_every_row_fits_the_contract_under_its_own_key(feeds: Feeds, feed: str) -> None:
    rows = [msgspec.convert(row, ROW_BY_FEED[feed]) for row in feeds[feed]]
    keys = [key_of(feed, row) for row in feeds[feed]]
    assert keys == [contract_key_of(row) for row in rows]
    assert len(set(keys)) == len(keys)


def test_every_number_scans_to_its_own_article_with_a_right_check_digit(feeds: Feeds) -> None:
    owner = {gtin: row["sku"] for row in feeds["catalogue"] for gtin in row["gtins"]}
    assert len(owner) == sum(len(row["gtins"]) for row in feeds["catalogue"])
    for gtin in owner:
        shown = gtin_shown(gtin)
        assert len(shown) == 13
        assert is_gtin(shown)
        code = scanned(shown)
        assert isinstance(code, GtinCode)
        assert code.gtin == gtin


def test_every_weighed_article_is_found_by_the_label_a_scale_prints(feeds: Feeds) -> None:
    weighed = {row["item"]: row for row in feeds["catalogue"] if row["item"]}
    assert len(weighed) == sum(row["soldBy"] == "kg" for row in feeds["catalogue"]) == 60
    for item in weighed:
        body = f"21{item}00412"
        label = next(body + str(digit) for digit in range(10) if is_gtin(body + str(digit)))
        code = scanned(label)
        assert isinstance(code, WeighedCode)
        assert (code.item, code.grams) == (item, 412)


def test_names_are_as_people_say_them_and_tax_classes_are_known(feeds: Feeds) -> None:
    rows = feeds["catalogue"]
    assert {row["taxClass"] for row in rows} == {"standard", "reduced", "zero"}
    assert all({rate.tax_class for rate in MARKETS[store["country"]].tax_rates} >= {"standard", "reduced", "zero"} for store in STORES)  # type: ignore[index]  # a text
    assert {"Women", "Men", "Kids", "Shoes", "Accessories", "Beauty", "Delicatessen", "Home", "Vouchers"} == {row["department"] for row in rows}
    labels = Counter((row["name"], row["variant"]) for row in rows)
    assert [label for label, count in labels.items() if count > 1] == []
    assert any("Nürnberger" in row["name"] for row in rows)
    assert any(row["variant"] == "navy, 38" for row in rows)


def test_every_article_has_a_price_today_in_the_markets_it_is_sold_in(feeds: Feeds) -> None:
    by_sku: dict[str, list[Price]] = {}
    for row in feeds["prices"]:
        by_sku.setdefault(row["sku"], []).append(
            Price(row["sku"], row["amountMinor"], row["currency"], row["book"], row["version"], row["group"], row["fromMs"], row["untilMs"])
        )
    assert set(by_sku) == {row["sku"] for row in feeds["catalogue"]}
    german_only = 0
    for prices in by_sku.values():
        currencies = {price.currency for price in prices}
        german_only += currencies == {"EUR"}
        assert "EUR" in currencies
        for currency in currencies:
            ours = [price for price in prices if price.currency == currency]
            today = {tier: offer(ours, SAMPLE_AT_MS, tier) for tier in ("", "silver", "gold")}
            base, silver, gold = (found.applied.amount_minor for found in today.values() if found is not None)
            assert 0 < gold <= silver <= base
    assert german_only == 32


def test_some_prices_are_lower_for_members_some_are_offers_and_some_rise_next_week(feeds: Feeds) -> None:
    coat = prices_of(feeds, "COAT-WOOL-NAVY-38", "EUR")
    found = offer(coat, SAMPLE_AT_MS, "gold")
    assert found is not None
    assert (found.base.amount_minor, found.applied.amount_minor) == (19900, 17910)
    groups = Counter(row["group"] for row in feeds["prices"])
    assert groups["silver"] == groups["gold"] > 500
    offers = [row for row in feeds["prices"] if row["untilMs"] is not None]
    later = [row for row in feeds["prices"] if row["fromMs"] > SAMPLE_AT_MS]
    assert offers
    assert all(row["fromMs"] < SAMPLE_AT_MS < row["untilMs"] for row in offers)
    assert later
    assert all(6 * DAY_MS < row["fromMs"] - SAMPLE_AT_MS <= 7 * DAY_MS for row in later)
    risen = prices_of(feeds, later[0]["sku"], later[0]["currency"])
    before, after = offer(risen, SAMPLE_AT_MS), offer(risen, SAMPLE_AT_MS + 8 * DAY_MS)
    assert before is not None
    assert after is not None
    assert before.base.amount_minor < after.base.amount_minor


def test_a_customer_is_recognised_by_everything_they_carry_and_by_nobody_elses(feeds: Feeds) -> None:
    known = [(one["kind"], one["value"]) for row in feeds["customers"] for one in row["identifiers"]]
    assert len(set(known)) == len(known)
    assert all(row["identifiers"] for row in feeds["customers"])
    for kind, value in known:
        match kind:
            case "loyalty":
                assert re.fullmatch(r"LOY[0-9]{10}", value)
                assert scanned(value) == LoyaltyCode(value)
            case "tag_uid":
                assert understand(Reading(value.encode(), "nfc", 0, Source.NFC, tag=TagKind.FIXED_UID)) == TagUid(value)
            case "phone":
                assert FICTION.fullmatch(value), value
            case "email":
                assert re.fullmatch(r"[a-z]+\.[a-z]+[0-9]*@example\.(com|org|net)", value), value
            case _:
                pytest.fail(kind)
    assert {kind for kind, _ in known} == {"loyalty", "tag_uid", "phone", "email"}


def test_customers_come_from_everywhere_and_write_their_names_in_their_own_letters(feeds: Feeds) -> None:
    names = " ".join(row["name"] for row in feeds["customers"])
    for letters in ("[\u0600-\u06ff]", "[\u0900-\u097f]", "[şğıİ]", "[äöüß]", "[łńż]", "[ễạướ]|Nguyễn", "[éèñ]"):
        assert re.search(letters, names), letters
    assert {row["tier"] for row in feeds["customers"]} == {"", "silver", "gold"}
    assert len({row["language"] for row in feeds["customers"]}) == 9
    assert all(row["lastVisitMs"] is None or row["lastVisitMs"] < SAMPLE_AT_MS for row in feeds["customers"])
    assert any(row["talk"] for row in feeds["customers"])
    assert all(row["talk"] is None or row["talk"]["atMs"] < SAMPLE_AT_MS for row in feeds["customers"])
    assert sum(bool(row["goesWith"]) for row in feeds["customers"]) > 100


def test_a_cart_is_one_customers_and_holds_what_is_sold_in_its_currency(feeds: Feeds) -> None:
    priced = {(row["sku"], row["currency"]): row["amountMinor"] for row in feeds["prices"] if not row["group"] and not row["fromMs"]}
    by_piece = {row["sku"] for row in feeds["catalogue"] if row["soldBy"] == "piece"}
    carts = feeds["carts"]
    assert len({cart["customer"] for cart in carts} & {row["id"] for row in feeds["customers"]}) == 100
    assert {cart["currency"] for cart in carts} == {"EUR", "USD"}
    for cart in carts:
        assert scanned(cart["id"]) == CartCode(cart["id"])
        assert 1 <= len(cart["lines"]) <= 6
        assert len({line["sku"] for line in cart["lines"]}) == len({line["line"] for line in cart["lines"]}) == len(cart["lines"])
        for line in cart["lines"]:
            assert line["sku"] in by_piece
            assert priced[(line["sku"], cart["currency"])] * 94 // 100 <= line["unitPriceMinor"] <= priced[(line["sku"], cart["currency"])]


def test_the_staff_has_managers_with_every_right_and_juniors_without_discount_and_void(feeds: Feeds) -> None:
    staff = feeds["staff"]
    assert sum(set(row["rights"]) == RIGHTS_ALL for row in staff) == 2
    assert sum(not {RIGHT_DISCOUNT, RIGHT_VOID} & set(row["rights"]) for row in staff) == 2
    assert all(set(row["rights"]) <= RIGHTS_ALL for row in staff)
    assert all(scanned(f"STAFF-{row['badge']}") == StaffCode(f"STAFF-{row['badge']}") for row in staff)


def test_what_somebody_edited_is_not_overwritten_and_the_same_is_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    made = CliRunner().invoke(main, ["sample", str(folder)])
    assert made.exit_code == 0
    assert CliRunner().invoke(main, ["sample", str(folder)]).output == made.output
    edited, gone = folder / "staff.ndjson", folder / "stores.ndjson"
    edited.write_text('{"op":"del","key":"1001"}\n')
    gone.unlink()
    refused = CliRunner().invoke(main, ["sample", str(folder)])
    assert refused.exit_code == 1
    assert refused.stderr == f"error: {edited}: expected no file, or this sample's, got other content.\n  Nothing was written. Name another folder.\n"
    assert (edited.read_text(), gone.exists()) == ('{"op":"del","key":"1001"}\n', False)


def test_the_examples_hold() -> None:
    assert doctest.testmod(sample).failed == 0


def test_central_takes_the_folder_and_a_second_time_changes_nothing(tmp_path: Path, feeds: Feeds) -> None:
    write_folder(tmp_path / "sample", 1)
    rows = [msgspec.json.decode(line, type=StoreRow) for line in (tmp_path / "sample" / "stores.ndjson").read_bytes().splitlines()]
    assert [row.store_name for row in rows] == ["Berlin Mitte", "New York SoHo"]
    central = Central(tmp_path / "central")
    try:
        assert seed_folder(central, tmp_path / "sample") == {"stores": 2} | {feed: len(found) for feed, found in feeds.items()}
        again = seed_folder(central, tmp_path / "sample")
        assert {feed: again[feed] for feed in feeds} == dict.fromkeys(feeds, 0)
    finally:
        central.close()


def test_the_devices_of_each_shop_speak_to_its_customers_in_their_language() -> None:
    assert {country: shop.language for country, shop in SHOPS.items()} == {"DE": "de", "US": "en"}
