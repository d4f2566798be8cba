"""What the rows of each feed carry, as msgspec types: central checks what it publishes with them, and the JSON Schemas are made from them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from sync.contract.fields import MINOR_MAX, Count, Country, Currency, Gtin14, Id, IdOrNone, Name, SoldBy, StoreNumber, Text, TimeMs
from sync.contract.market import MarketRow

PriceMinor = Annotated[int, Meta(ge=0, le=MINOR_MAX, description="A price in minor units: nothing on sale costs less than nothing.")]
BIRTHDAY = r"^(--((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9])))?$"
"""``--MM-DD`` as the calendar has them, or nothing."""


class ArticleRow(Struct, frozen=True, rename="camel", kw_only=True):
    """A thing on sale. Key: its sku. ``item`` is the number that weighed-goods codes carry, or empty."""

    sku: Id
    name: Text
    variant: Text
    gtins: Annotated[list[Gtin14], Meta(max_length=50)]
    item: Name
    department: Text
    tax_class: Name
    sold_by: SoldBy


class PriceRow(Struct, frozen=True, rename="camel", kw_only=True):
    """A price, for a piece or a kilogram, in [fromMs, untilMs). Key: sku/book/group/fromMs. ``group`` is a tier, or empty for everybody."""

    sku: Id
    amount_minor: PriceMinor
    currency: Currency
    book: Name
    version: Name
    group: Name
    from_ms: TimeMs
    until_ms: TimeMs | None


class IdentifierRow(Struct, frozen=True, rename="camel", kw_only=True):
    """What can stand for a customer: ``loyalty``, ``tag_uid`` (hexadecimal), ``phone`` (E.164), ``email``. However it is written, it is compared in one
    form: a phone number as E.164, a tag's UID without separators, and letters in one case."""

    kind: Annotated[str, Meta(pattern=r"^[a-z][a-z_]{1,31}$")]
    value: Annotated[str, Meta(min_length=1, max_length=254)]


class TalkRow(Struct, frozen=True, rename="camel", kw_only=True):
    """The newest open conversation with a customer."""

    channel: Name
    at_ms: TimeMs
    text: Text
    promised: bool


class CustomerRow(Struct, frozen=True, rename="camel", kw_only=True):
    """A unified profile. Key: its id. ``birthday`` is ``--MM-DD`` or empty: the year is nobody's business at a counter."""

    id: Id
    name: Text
    tier: Name
    points: Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]
    visits: Count
    last_visit_ms: TimeMs | None
    language: Name
    identifiers: Annotated[list[IdentifierRow], Meta(max_length=50)]
    sizes: Annotated[list[Text], Meta(max_length=50)]
    birthday: Annotated[str, Meta(pattern=BIRTHDAY)]
    notes: Annotated[list[Text], Meta(max_length=100)]
    talk: TalkRow | None
    goes_with: Annotated[list[Text], Meta(max_length=50)]


class CartLineRow(Struct, frozen=True, rename="camel", kw_only=True):
    """One line of a cart; ``line`` is the web shop's id, by which it is reconciled."""

    line: Id
    sku: Id
    pieces: Annotated[int, Meta(ge=1, le=9_999)]
    unit_price_minor: PriceMinor


class CartRow(Struct, frozen=True, rename="camel", kw_only=True):
    """An open online cart. Key: its id. ``version`` changes with every edit; ``heldBy`` is the register (store/register) that holds it, or empty."""

    id: Id
    customer: IdOrNone
    version: Count
    currency: Currency
    lines: Annotated[list[CartLineRow], Meta(max_length=500)]
    channel: Name
    opened_ms: TimeMs
    held_by: Annotated[str, Meta(max_length=80)]


class StaffRow(Struct, frozen=True, rename="camel", kw_only=True):
    """A member of staff. Key: their id. ``rights`` are names of what they may do; a missing right is a no."""

    id: Id
    name: Text
    badge: Name
    rights: Annotated[list[Name], Meta(max_length=100)]


class StoreRow(Struct, frozen=True, rename="camel", kw_only=True):
    """A store and its registers. ``currency`` may be left out where the country's market says it."""

    store: StoreNumber
    store_name: Text
    country: Country
    registers: Annotated[list[StoreNumber], Meta(max_length=1000)]
    currency: Annotated[str, Meta(pattern=r"^([A-Z]{3})?$")] = ""
    market: MarketRow | None = None
    """Where a store differs from its country (a state's sales tax, another time zone), or its country is not known: the whole market."""


AnyRow = ArticleRow | PriceRow | CustomerRow | CartRow | StaffRow

ROW_BY_FEED: dict[str, type[AnyRow]] = {
    "catalogue": ArticleRow,
    "prices": PriceRow,
    "customers": CustomerRow,
    "carts": CartRow,
    "staff": StaffRow,
}


def key_of(row: AnyRow) -> str:
    """The key under which a feed carries ``row``.

    >>> key_of(PriceRow(sku="A1", amount_minor=999, currency="EUR", book="de", version="1", group="", from_ms=0, until_ms=None))
    'A1/de//0'
    """
    match row:
        case ArticleRow():
            return row.sku
        case PriceRow():
            return f"{row.sku}/{row.book}/{row.group}/{row.from_ms}"
        case _:
            return row.id
