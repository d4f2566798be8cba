"""The sample shop as somebody in it sees it: what lies on the shelves, what it costs today, who comes in with which card and cart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from edge_agent.demo.sums import Rules, check_digit

Feeds = Mapping[str, Sequence[Mapping[str, Any]]]


class Goods(Struct, frozen=True):
    """One article. ``gtin`` is what its symbol says (8, 12 or 13 digits), ``gtin14`` the same in 14; ``item`` what scales print, or empty."""

    sku: str
    name: str
    variant: str
    gtin: str
    gtin14: str
    item: str
    department: str
    tax_class: str
    by_weight: bool

    @property
    def label(self) -> str:
        """How a person calls it."""
        return f"{self.name}, {self.variant}" if self.variant else self.name


class CartLine(Struct, frozen=True):
    """One line of an online cart."""

    line: str
    sku: str
    pieces: int
    price_minor: int


class OnlineCart(Struct, frozen=True):
    """An open online cart."""

    id: str
    customer: str
    version: int
    lines: tuple[CartLine, ...]


class Person(Struct, frozen=True):
    """A customer with what they carry: ``loyalty`` number and tag ``uid`` (hexadecimal), each maybe empty."""

    id: str
    name: str
    tier: str
    loyalty: str
    uid: str


class Stock:
    """The sample of one store. Prices are those in force when asked for."""

    def __init__(self, feeds: Feeds, rules: Rules, now_ms: Callable[[], int]) -> None:
        self.rules = rules
        self._now_ms = now_ms
        self._rows: dict[str, list[Mapping[str, Any]]] = {}
        for row in feeds["prices"]:
            if row["currency"] == rules.currency:
                self._rows.setdefault(row["sku"], []).append(row)
        self.goods = {row["sku"]: _goods(row) for row in feeds["catalogue"] if row["sku"] in self._rows and row["gtins"]}
        self.people = {row["id"]: _person(row) for row in feeds["customers"]}
        self.carts = [_cart(row) for row in feeds["carts"] if row["currency"] == rules.currency and row["customer"] in self.people]
        self.by_piece = [goods for goods in self.goods.values() if not goods.by_weight and self.price(goods.sku, "")[0] > 0]
        self.by_weight = [goods for goods in self.goods.values() if goods.by_weight and goods.item]
        self.departments = self._departments(feeds["catalogue"])

    def price(self, sku: str, tier: str) -> tuple[int, str]:
        """What one piece, or one kilogram, costs a customer of ``tier`` now, and why: ``book`` or ``member``.

        Of the rows in force the one that began last counts, and of two of one beginning the later version; a tier's own row only
        where it is lower.
        """
        now = self._now_ms()
        there = [row for row in self._rows[sku] if row["fromMs"] <= now and (row["untilMs"] is None or now < row["untilMs"])]

        def newest(group: str) -> int | None:
            rows = [(row["fromMs"], row["version"], at, row["amountMinor"]) for at, row in enumerate(there) if row["group"] == group]
            return max(rows)[3] if rows else None

        base, member = newest(""), newest(tier) if tier else None
        assert base is not None, f"{sku} has no price today"
        return (member, "member") if member is not None and member < base else (base, "book")

    @staticmethod
    def _departments(articles: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Each department with the tax class that most of its articles have (what a line typed by department is taxed as)."""
        counts: dict[str, dict[str, int]] = {}
        for row in articles:
            of_one = counts.setdefault(row["department"], {})
            of_one[row["taxClass"]] = of_one.get(row["taxClass"], 0) + 1
        # A tie is nobody's rule: such a department is left alone.
        return {name: max(classes, key=classes.__getitem__) for name, classes in counts.items() if sorted(classes.values())[-2:-1] != [max(classes.values())]}


def weight_label(goods: Goods, grams: int) -> str:
    """What a scale prints for it: 21, five digits of item number, five of grams, the check digit."""
    body = f"21{goods.item}{grams:05}"
    return body + str(check_digit(body))


def price_label(goods: Goods, price_minor: int) -> str:
    """What a scale prints that knows the price: 22, item number, five digits of minor units, the check digit."""
    body = f"22{goods.item}{price_minor:05}"
    return body + str(check_digit(body))


def spoilt(gtin: str) -> str:
    """The number with a wrong check digit."""
    return gtin[:-1] + str((int(gtin[-1]) + 1) % 10)


def _goods(row: Mapping[str, Any]) -> Goods:
    gtin14 = row["gtins"][0]
    gtin = gtin14[6:] if gtin14.startswith("000000") else gtin14[1:]
    return Goods(row["sku"], row["name"], row["variant"], gtin, gtin14, row["item"], row["department"], row["taxClass"], row["soldBy"] == "kg")


def _person(row: Mapping[str, Any]) -> Person:
    kinds = {identifier["kind"]: identifier["value"] for identifier in row["identifiers"]}
    return Person(row["id"], row["name"], row["tier"], kinds.get("loyalty", ""), kinds.get("tag_uid", ""))


def _cart(row: Mapping[str, Any]) -> OnlineCart:
    lines = tuple(CartLine(line["line"], line["sku"], line["pieces"], line["unitPriceMinor"]) for line in row["lines"])
    return OnlineCart(row["id"], row["customer"], row["version"], lines)
