"""The lines of a sale as its fact tells them: what was sold, what was taken off each, and what was taken out again."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sync.contract.fields import MINOR_MAX, Count, Day, Id, IdOrNone, Minor, Name, Rate, SoldBy, Text, TimeMs


class Modifier(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """Money off a line or the whole basket, for a stated reason; ``percentMilli`` is 0 when an amount was typed."""

    scope: Literal["line", "basket"]
    reason: Text
    operator_id: IdOrNone
    percent_milli: Rate
    amount_minor: Annotated[int, Meta(ge=-MINOR_MAX, le=0, description="What it took off; never positive.")]


class Labelled(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What the label on each piece of a line says is in it, where the label's price is for all of that: so much, times the line's quantity, left the shelf."""

    quantity: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    unit: Literal["piece", "g"]


class LineItem(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """One line that was sold. gross, plus its modifiers, is extended; extended, minus its part of the basket's modifiers, is share.

    Of goods whose label says a price and how much of them there is, ``quantity`` counts labels, at the label's price, and ``labelled`` says how much.
    """

    sequence_number: Count
    line_id: Id
    kind: Literal["article", "department"]
    item_id: IdOrNone
    gtin: Annotated[str, Meta(pattern=r"^([0-9]{14})?$")]
    description: Text
    variant: Text
    department: Text
    quantity: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    unit: Literal["piece", "g"]
    sold_by: SoldBy
    regular_unit_price_minor: Minor
    actual_unit_price_minor: Minor
    price_source: Literal["book", "member", "online", "code", "keyed"]
    price_book: Name
    price_version: Name
    gross_minor: Minor
    modifiers: Annotated[list[Modifier], Meta(max_length=20)]
    extended_amount_minor: Minor
    share_minor: Minor
    tax_class: Name
    cart_line: IdOrNone
    batch: Name
    expiry: Day
    serial: Name
    operator_id: IdOrNone
    labelled: Labelled | None = None


class RemovedItem(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """A line that was taken out again before the sale, for loss prevention."""

    item_id: IdOrNone
    description: Text
    quantity: Count
    unit: Literal["piece", "g"]
    amount_minor: Minor
    at_ms: TimeMs
    operator_id: IdOrNone
