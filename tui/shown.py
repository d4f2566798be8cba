"""What is shown: the newest snapshot with everything else that a drawing depends on, as one value."""

from __future__ import annotations

import re
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from edge_agent.views import Amount, BasketView, NoticeView, Snapshot
from tui.glyphs import FULL, Glyphs
from tui.messages import Words

WHOLE_DIGITS_MAX = 8
"""A typed amount has at most so many digits before the decimal sign: the service takes no more (``views.Minor``)."""

_GROUPED = re.compile(r"([0-9]{1,3}([.,])[0-9]{3}(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]{1,3}))?")
_PLAIN = re.compile(r"([0-9]+)(?:[.,]([0-9]*))?")

HANDS_SECONDS = 0.8
"""What comes up by itself takes no key for so long: a key that was meant for what stood there before decides nothing."""


class Clock(Protocol):
    """Time for waiting; the time of day comes with the snapshots."""

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""


class Shown(Struct, frozen=True):
    """One picture's worth. ``now_ms`` is the service's wall time; ``local`` a notice of this screen's own, which stands before the
    service's until something newer comes; ``past`` one that was said before this screen was opened; ``waiting_seconds`` how long a
    command has been without its answer (0 while that is not worth a word); ``rows`` the terminal's height."""

    snapshot: Snapshot
    words: Words
    now_ms: int
    local: NoticeView | None = None
    past: NoticeView | None = None
    name_hidden: bool = False
    glyphs: Glyphs = FULL
    connected: bool = True
    waiting_seconds: int = 0
    rows: int = 24

    @property
    def notice(self) -> NoticeView | None:
        """The one line for the associate: nothing that was for somebody before, or whose time is over."""
        said = self.snapshot.notice
        if said is None or said == self.past or 0 < said.until_ms <= self.now_ms:
            return self.local
        return self.local or said

    @property
    def due(self) -> Amount | None:
        """What the customer still has to pay; None without a basket."""
        snapshot = self.snapshot
        if snapshot.payment is not None:
            return snapshot.payment.rest
        return snapshot.basket.total if snapshot.basket else None

    def amount(self, minor: int) -> str:
        """An amount of our own (a typed one, a difference) as the market writes it."""
        return like(minor, self.snapshot.digits, self.snapshot.decimal, self.snapshot.group)

    def typed_amount(self, minor: int) -> str:
        """The same as somebody would type it: without a sign between thousands."""
        return like(minor, self.snapshot.digits, self.snapshot.decimal)

    def customer_name(self, name: str) -> str:
        """A customer's name, or the initials while names are hidden."""
        if not self.name_hidden:
            return name
        return " ".join(f"{part[0]}." for part in name.split()[:2]) if name else ""

    def told(self, notice: NoticeView) -> tuple[str, str]:
        """A notice's sentence and its hint, without a customer's name while names are hidden: also of one who is not on the sale."""
        if "customer" in notice.shown:
            notice = replace(notice, shown={**notice.shown, "customer": self.customer_name(notice.shown["customer"])})
        text, hint = self.words.notice(notice)
        return self.discreet(text), self.discreet(hint)

    def discreet(self, text: str) -> str:
        """A sentence of the service, without the customer's name while names are hidden."""
        customer = self.snapshot.customer
        if not self.name_hidden or customer is None or not customer.name:
            return text
        return text.replace(customer.name, self.customer_name(customer.name))


def sellable(basket: BasketView | None) -> bool:
    """Whether there is anything to pay for."""
    return basket is not None and any(line.state == "in_hand" for line in basket.lines)


def money(text: str, digits: int) -> int | None:
    """A typed amount in minor units (either decimal sign, no grouping), or None when it is not one.

    >>> money("50", 2), money("49,9", 2), money("12.345", 2), money("1200", 0), money("", 2)
    (5000, 4990, None, 1200, None)
    """
    whole, _, part = text.strip().replace(".", ",").partition(",")
    if not (whole.isascii() and whole.isdecimal() and (part + "0").isascii() and (part + "0").isdecimal()):
        return None
    return int(whole + part.ljust(digits, "0")) if len(whole) <= WHOLE_DIGITS_MAX and len(part) <= digits else None


def no_money(otherwise: str, shown: Shown, typed: str) -> str:
    """Why ``typed`` is not taken for an amount, and what to type; ``otherwise`` is the key of a sentence for what is no number at all, with an
    ``{example}`` as this market writes one.

    A sign before exactly three digits is a decimal sign to one hand and groups thousands to another, so neither is guessed; the market's own decimal
    sign groups nothing, and has a digit too many behind it.
    """
    words, digits, text = shown.words, shown.snapshot.digits, typed.strip()
    whole, _, behind = text.partition(shown.snapshot.decimal)
    decimals = whole.isdecimal() and behind.isdecimal() and not behind.endswith("000")
    if not decimals and (grouped := _GROUPED.fullmatch(text)):
        thousands, _, part = grouped.groups()
        plain = re.sub("[.,]", "", thousands) + (f"{shown.snapshot.decimal}{part}" if part else "")
        if digits and not part and len(re.findall("[.,]", thousands)) == 1 and thousands.endswith("000"):
            return words("amount.two_ways", typed=text, whole=plain, small=shown.amount(int(thousands[:-4]) * 10**digits))
        return words("amount.grouped", typed=text, plain=plain)
    if plain_number := _PLAIN.fullmatch(text):
        whole, part = plain_number.groups()
        if len(whole) > WHOLE_DIGITS_MAX:
            return words("amount.too_large")
        if len(part or "") > digits:
            return words("amount.decimals", n=digits, example=shown.amount(10**digits)) if digits else words("amount.no_decimals")
    unit = 10**digits
    return words(otherwise, example=shown.typed_amount(150 * unit + unit // 2))


def like(minor: int, digits: int, decimal: str = ".", group: str = "") -> str:
    """``minor`` units as text with the market's signs.

    >>> like(5000, 2, ","), like(5, 2), like(1200, 0), like(123456789, 2, ",", ".")
    ('50,00', '0.05', '1200', '1.234.567,89')
    """
    whole, part = divmod(minor, 10**digits)
    grouped = f"{whole:,}".replace(",", group)
    return f"{grouped}{decimal}{part:0{digits}}" if digits else grouped
