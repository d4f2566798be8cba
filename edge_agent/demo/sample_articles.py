"""The sample catalogue: exactly 2,000 articles with numbers that pass every check, and what they cost in two markets."""

from __future__ import annotations

from collections.abc import Iterator

from biip.checksums import gs1_standard_check_digit
from msgspec import Struct

from edge_agent.demo.dice import Dice
from edge_agent.demo.sample_fashion import pieces
from edge_agent.demo.sample_shelf import shelved

ARTICLES = 2_000
DAY_MS = 86_400_000
WELL_KNOWN = "Wool coat"
"""The article of the first customer's cart: it has a member's price for certain."""

Row = dict[str, object]
"""One row of a feed: JSON values only."""


class SampleArticle(Struct, frozen=True):
    """One article. ``eur_minor`` is its German price (for a kilogram where ``item`` is set); ``only``: the one country it is sold in, or empty."""

    sku: str
    gtins: tuple[str, ...]
    name: str
    variant: str
    department: str
    tax_class: str
    eur_minor: int
    item: str = ""
    only: str = ""

    @property
    def label(self) -> str:
        """How a person calls it."""
        return f"{self.name}, {self.variant}" if self.variant else self.name


def sample_articles() -> list[SampleArticle]:
    """All articles: everything on the shelves, and fashion to make up the number."""
    rest = list(shelved())
    fashion = [piece for piece, _ in zip(pieces(), range(ARTICLES - len(rest)), strict=False)]
    made = [SampleArticle(piece.code, (), piece.name, piece.variant, piece.department, "standard", piece.price_minor) for piece in fashion]
    made += [SampleArticle(one.code, (), one.name, one.variant, one.department, one.tax_class, one.price_minor, one.item, one.only) for one in rest]
    return [_numbered(article, number) for number, article in enumerate(made)]


def catalogue_rows(articles: list[SampleArticle]) -> list[Row]:
    """Rows of the catalogue feed."""
    return [
        {
            "sku": article.sku,
            "name": article.name,
            "variant": article.variant,
            "gtins": list(article.gtins),
            "item": article.item,
            "department": article.department,
            "taxClass": article.tax_class,
            "soldBy": "kg" if article.item else "piece",
        }
        for article in articles
    ]


def price_rows(articles: list[SampleArticle], dice: Dice, at_ms: int) -> list[Row]:
    """Rows of the price feed: everybody's price in every market, lower ones for members, an offer that runs now, a price from next week on."""
    rows: list[Row] = []
    habits: dict[str, tuple[bool, bool, bool]] = {WELL_KNOWN: (True, False, False)}
    for article in articles:
        if article.name not in habits:  # all sizes and colours of a model are priced alike
            habits[article.name] = (dice.chance(30), dice.chance(6), dice.chance(5))
        for country, currency in (("DE", "EUR"), ("US", "USD")):
            if article.only in ("", country):
                rows += _in_market(article, country, currency, habits[article.name], at_ms)
    return rows


def _in_market(article: SampleArticle, country: str, currency: str, habit: tuple[bool, bool, bool], at_ms: int) -> Iterator[Row]:
    """The rows of one article in one market; ``habit``: for members, on offer now, dearer from next week on."""
    if article.tax_class == "zero":
        yield _price(article, country, currency, article.eur_minor)  # ten dollars cost ten dollars
        return
    base = article.eur_minor if country == "DE" else us_price_minor(article.eur_minor)
    for_members, on_offer, dearer = habit
    yield _price(article, country, currency, base)
    if for_members:
        yield _price(article, country, currency, cut_minor(base, 5), group="silver")
        yield _price(article, country, currency, cut_minor(base, 10), group="gold")
    if on_offer:
        offered = cut_minor(base, 20)
        yield _price(article, country, currency, offered, from_ms=_midnight(at_ms, -9), until_ms=_midnight(at_ms, 20), version="2026-offers")
    elif dearer:
        yield _price(article, country, currency, cut_minor(base, -4), from_ms=_midnight(at_ms, 7), version="2027")


def us_price_minor(eur_minor: int) -> int:
    """A price without tax in USD cents for a German one with tax: whole dollars from 20 up, else ending in 49 or 99.

    >>> us_price_minor(19900), us_price_minor(1250), us_price_minor(190)
    (18500, 1199, 199)
    """
    dollars = eur_minor * 93 // 100
    if dollars >= 2000:
        return (dollars + 50) // 100 * 100
    return max(99, (dollars + 49) // 50 * 50 - 1)


def cut_minor(minor: int, percent: int) -> int:
    """``minor`` less ``percent`` of it, to the next 10 down (below 10.00: to the minor unit).

    >>> cut_minor(19900, 10), cut_minor(450, 5), cut_minor(1250, -4)
    (17910, 427, 1300)
    """
    cut = minor * (100 - percent) // 100
    return cut if minor < 1000 else cut // 10 * 10


def _price(
    article: SampleArticle, country: str, currency: str, minor: int, *, group: str = "", from_ms: int = 0, until_ms: int | None = None, version: str = "2026"
) -> Row:
    return {
        "sku": article.sku,
        "amountMinor": minor,
        "currency": currency,
        "book": f"retail-{country.lower()}",
        "version": version,
        "group": group,
        "fromMs": from_ms,
        "untilMs": until_ms,
    }


def _numbered(article: SampleArticle, number: int) -> SampleArticle:
    gtins = [_gtin14(number)]
    if number % 40 == 7:
        gtins.append(_gtin14(50_000 + number))  # the old packaging is still about
    return SampleArticle(
        article.sku, tuple(gtins), article.name, article.variant, article.department, article.tax_class, article.eur_minor, article.item, article.only
    )


def _gtin14(number: int) -> str:
    """A GTIN-13 of GS1's prefix 952, which is for demonstrations and examples, in 14 digits."""
    digits = f"952{1234 + number % 17:04}{number:05}"
    return f"0{digits}{gs1_standard_check_digit(digits)}"


def _midnight(at_ms: int, days: int) -> int:
    return (at_ms // DAY_MS + days) * DAY_MS


def sold_in(article: SampleArticle, country: str) -> bool:
    """Whether the store of ``country`` has it."""
    return article.only in ("", country)
