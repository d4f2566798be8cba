"""Finding by typing: an article, or a customer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from edge_agent.views import AddArticle, AttachCustomer, CheckPrice, Snapshot
from tui.drawing.foot import KeyHint
from tui.drawing.line import Line, line
from tui.drawing.rows import article_row, customer_row
from tui.messages import Words
from tui.screens.lists import ListScreen
from tui.shown import Shown
from tui.widgets.choices import Choices, Option, row_of

_TIMES = re.compile(r"\s*(\d{1,4}|\d{1,3}[.,]\d{1,3} ?kg)\s*\*\s*(.*)", re.DOTALL)


class FindArticle(ListScreen):
    """An article by name, variant or number. ``3* socks`` sells three."""

    topic: ClassVar[str] = "find_article"

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("find.article")

    def placeholder(self, shown: Shown) -> str:
        """What can be typed."""
        return shown.words("find.article_price_placeholder" if shown.snapshot.next_is_check else "find.article_placeholder")

    def prompt(self, shown: Shown, cells: int) -> list[Line]:
        """The number that waits for the article that is sold next: it may have been typed for this one, and is sold with it."""
        waits = shown.snapshot.next_quantity
        return [line(" ", (f"{waits} × ", "accent"))] if waits and not shown.snapshot.next_is_check else super().prompt(shown, cells)

    def takes(self, shown: Shown) -> str:
        """Enter sells; while a price is asked for, it shows that."""
        return shown.words("find.price" if shown.snapshot.next_is_check else "find.sell")

    def more_hints(self, shown: Shown) -> Sequence[KeyHint]:
        """F10 prices the marked article."""
        return [KeyHint("F10", shown.words("act.check"), rank=1)]

    def fits(self, snapshot: Snapshot) -> bool:
        """While a shift is open and nothing is being paid."""
        return snapshot.phase in ("ready", "selling")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """Ask the local catalogue."""
        wanted = self._split(text)[1]
        words, shown = self.counter.words, self.counter.picture
        if not wanted:
            return (), words("find.type_article")
        found = await self.counter.client.articles(wanted)
        when = words.when(found.as_of_ms, shown.now_ms, shown.snapshot.timezone) if found.as_of_ms is not None and shown else words("find.never")
        if not found.rows:
            return (), words("find.no_article", text=wanted, when=when)
        return [Option(article.sku, row_of(article_row, article)) for article in found.rows], _told(words, found.more, len(found.rows), when)

    def take(self, option: str) -> None:
        """Sell it, or say what it costs when that was asked."""
        shown = self.counter.picture
        if shown is not None and shown.snapshot.next_is_check:
            self.give(CheckPrice(option))
        else:
            self.give(AddArticle(option, self._split(self.typed)[0]))

    def acted(self, name: str) -> bool:
        """F10 here: what the marked article costs."""
        chosen = self.query_one(Choices).chosen
        if name != "check" or not chosen:
            return False
        self.give(CheckPrice(chosen))
        return True

    @staticmethod
    def _split(text: str) -> tuple[str, str]:
        times = _TIMES.fullmatch(text)
        return (times[1], times[2].strip()) if times else ("", text)


class FindCustomer(ListScreen):
    """A customer by name, phone, e-mail or loyalty number."""

    topic: ClassVar[str] = "find_customer"

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("find.customer")

    def placeholder(self, shown: Shown) -> str:
        """What can be typed."""
        return shown.words("find.customer_placeholder")

    def takes(self, shown: Shown) -> str:
        """Enter attaches."""
        return shown.words("find.attach")

    def fits(self, snapshot: Snapshot) -> bool:
        """While a shift is open and nothing is being paid."""
        return snapshot.phase in ("ready", "selling")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """Ask the local copy of the customers; nobody is shown before something is typed, because the customer may be reading."""
        words, shown = self.counter.words, self.counter.picture
        if len(text) < 2:
            return (), words("find.type_customer")
        found = await self.counter.client.customers(text)
        when = words.when(found.as_of_ms, shown.now_ms, shown.snapshot.timezone) if found.as_of_ms is not None and shown else words("find.never")
        if not found.rows:
            return (), words("find.no_customer", when=when)
        return [Option(customer.id, row_of(customer_row, customer)) for customer in found.rows], _told(words, found.more, len(found.rows), when)

    def take(self, option: str) -> None:
        """They stand here."""
        self.give(AttachCustomer(option))


def _told(words: Words, more: bool, rows: int, when: str) -> str:
    """How many, and whether there are others that nobody sees yet."""
    return words("find.many", n=rows, when=when) if more else words.count("find.found", rows, when=when)
