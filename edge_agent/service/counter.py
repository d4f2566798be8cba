"""What happens when something is scanned, tapped or typed: one resolver for everything, no modes."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from edge_agent.domain import commands as do
from edge_agent.domain.catalogue import Article, Offer, SoldBy, offer
from edge_agent.domain.code import GtinCode, TagUid, Unrecognised, WeighedCode, understand
from edge_agent.domain.code_rules import CartCode, CouponCode, GiftCardCode, LoyaltyCode, OrderCode, ReceiptCode, StaffCode
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CodeInvalid, CodeUnknown, EdgeError, OutOfBounds
from edge_agent.domain.events import LinePicked
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.reading import Reading, Source
from edge_agent.service.clienteling import Clienteling
from edge_agent.service.core import Core, PriceCheck
from edge_agent.service.day import Day

READING_AGE_MAX_MS = 5_000
"""A reading that waited longer than this (the service was busy or stopped) is told, not sold: the goods may have been taken away."""


class Counter:
    """Everything that can be scanned, and the lines it leads to."""

    def __init__(self, core: Core, clienteling: Clienteling, day: Day) -> None:
        self._core = core
        self._clienteling = clienteling
        self._day = day

    async def scanned(self, reading: Reading) -> None:
        """A device read something. Whatever it was, the screen says so; never raises an EdgeError."""
        try:
            if self._core.ports.clock.now_ms() - reading.at_ms > READING_AGE_MAX_MS:
                raise CodeInvalid("That scan came too late to be sold.", hint="Scan the article again.", reason="late")
            await self._resolve(reading, "")
        except EdgeError as error:
            self._bad(reading, error)
        else:
            self._beep(reading, good=True)

    async def entered(self, text: str, command_id: str) -> None:
        """The associate typed something that is understood like a scan. ``3*CODE`` is three of it, and of nothing else. Raises EdgeError."""
        count, star, code = text.partition("*")
        if star and not code:
            self.next_quantity(count)
            return
        before = self._core.desk.next_quantity
        if star:
            self.next_quantity(count)
        reading = Reading((code if star else text).strip().encode(), "keyboard", self._core.ports.clock.now_ms(), Source.KEYED)
        try:
            await self._resolve(reading, command_id)
        finally:
            if star and self._core.desk.next_quantity:  # nothing took it
                self.next_quantity(before)

    def next_quantity(self, text: str) -> None:
        """The next article comes in this quantity; empty forgets it. Raises CodeInvalid or OutOfBounds."""
        self._core.desk.next_quantity = Quantity.parse(text).shown() if text.strip() else ""
        self._core.changed()

    def next_is_check(self, on: bool) -> None:
        """The next article is only priced."""
        self._core.desk.next_is_check = on
        self._core.desk.price_check = None
        self._core.changed()

    async def add(self, sku: str, quantity: str, command_id: str) -> None:
        """Sell an article that was found by typing. Raises CodeUnknown, RuleError, StorageError."""
        article = self._known(self._core.ports.catalogue.by_sku(sku), sku)
        await self._sell(article, command_id, quantity=Quantity.parse(quantity) if quantity else None)

    def check(self, sku: str) -> None:
        """Show what an article found by typing costs."""
        self._show_price(self._known(self._core.ports.catalogue.by_sku(sku), sku), "")

    # --- what a code means here ----------------------------------------------------------------------------------------------

    async def _resolve(self, reading: Reading, command_id: str) -> None:
        code = understand(reading, self._core.shop.rules)
        match code:
            case GtinCode() | WeighedCode():
                await self._article(code, command_id)
            case LoyaltyCode(number):
                await self._clienteling.identified(Identifier(IdentifierKind.LOYALTY, number), command_id)
            case TagUid(uid):
                await self._clienteling.identified(Identifier(IdentifierKind.TAG_UID, uid), command_id)
            case CartCode(cart):
                await self._clienteling.load(cart, command_id)
            case StaffCode(badge):
                await self._day.badge(badge, command_id)
            case ReceiptCode(receipt):
                self._receipt(receipt)
            case OrderCode() | GiftCardCode() | CouponCode():
                kind = {OrderCode: "order", GiftCardCode: "gift_card", CouponCode: "coupon"}[type(code)]
                raise CodeUnknown(f"This register cannot do anything with a {kind.replace('_', ' ')} yet.", hint="Take payment another way.", reason=kind)
            case Unrecognised(shown):
                raise CodeUnknown(f"Nothing here answers to {shown}.", hint="F4 finds it by name; F9 sells it by department.", reason="nothing", code=shown)

    async def _article(self, code: GtinCode | WeighedCode, command_id: str) -> None:
        catalogue = self._core.ports.catalogue
        if isinstance(code, GtinCode):
            shown, article = code.shown, catalogue.by_gtin(code.gtin)
            batch, expiry, serial = code.batch, code.expiry, code.serial
        else:
            shown, article = code.item, catalogue.by_item(code.item)
            batch = expiry = serial = ""
        article = self._known(article, shown)
        if self._core.desk.next_is_check:
            self._show_price(article, shown)
            return
        quantity = None
        if code.grams is not None and article.sold_by is SoldBy.KILOGRAM:
            quantity = Quantity(code.grams, Unit.GRAM)
        elif code.count is not None:
            quantity = Quantity(code.count, Unit.PIECE)
        gtin = code.gtin if isinstance(code, GtinCode) else ""
        await self._sell(article, command_id, quantity=quantity, gtin=gtin, price_minor=code.price_minor, batch=batch, expiry=expiry, serial=serial)

    async def _sell(
        self,
        article: Article,
        command_id: str,
        *,
        quantity: Quantity | None,
        gtin: str = "",
        price_minor: int | None = None,
        batch: str = "",
        expiry: str = "",
        serial: str = "",
    ) -> None:
        desk = self._core.desk

        def command() -> do.AddArticle:
            typed = Quantity.parse(desk.next_quantity) if desk.next_quantity else None
            return do.AddArticle(article, self.offer(article), _wanted(quantity, typed), gtin, price_minor, batch, expiry, serial)

        self._refuse_expired(article, expiry)
        events = await self._core.do(command, command_id)
        if desk.next_quantity:
            self.next_quantity("")
        for event in events:
            if isinstance(event, LinePicked):
                self._core.tell("notice.picked", "good", f"{article.name}: from the online cart.", name=article.name, left=str(event.left))

    def _refuse_expired(self, article: Article, expiry: str) -> None:
        """Goods whose own code says that their time is over are not sold."""
        today = datetime.fromtimestamp(self._core.ports.clock.now_ms() / 1000, ZoneInfo(self._core.shop.market.timezone)).date().isoformat()
        if expiry and expiry < today:
            raise OutOfBounds(f"{article.name} expired on {expiry}.", hint="Take another one.", reason="expired", name=article.name, date=expiry)

    def offer(self, article: Article) -> Offer:
        """What the article costs this basket's customer now. Raises CodeUnknown (reason ``no_price``)."""
        core = self._core
        basket = core.state.basket
        tier = basket.customer.tier if basket and basket.customer else ""
        rows = [price for price in core.ports.catalogue.prices(article.sku) if price.currency == core.shop.market.currency]
        found = offer(rows, core.ports.clock.now_ms(), tier)
        if found is None:
            raise CodeUnknown(f"{article.name} has no price today.", hint="Sell it by department (F9).", reason="no_price", name=article.name)
        return found

    def _known(self, article: Article | None, shown: str) -> Article:
        if article is None:
            raise CodeUnknown(f"{shown} is not in the catalogue.", hint="F4 finds it by name; F9 sells it by department.", reason="article", code=shown)
        return article

    def _show_price(self, article: Article, code: str) -> None:
        found = self.offer(article)
        member = found.member.amount_minor if found.applied is found.member and found.member else None
        by_weight = article.sold_by is SoldBy.KILOGRAM
        desk = self._core.desk
        desk.price_check = PriceCheck(article.sku, article.name, article.variant, found.base.amount_minor, member, by_weight, code)
        desk.next_is_check = False
        desk.notice = None
        self._core.changed()

    def _receipt(self, receipt: str) -> None:
        row = self._core.ports.journal.sale(receipt)
        if row is None:
            raise CodeUnknown(f"Receipt {receipt} is not from this register.", hint="Look where it was printed.", reason="receipt", code=receipt)
        self._core.tell("notice.receipt_known", "info", f"Receipt {receipt} is from this register.", "F9 shows past sales.", code=receipt)

    # --- sounds --------------------------------------------------------------------------------------------------------------

    def _bad(self, reading: Reading, error: EdgeError) -> None:
        self._beep(reading, good=False)
        self._core.tell_error(error)

    def _beep(self, reading: Reading, *, good: bool) -> None:
        if self._core.ports.beeps is not None and reading.source is Source.BARCODE:
            self._core.ports.beeps.beep(reading.device, good)


def _wanted(labelled: Quantity | None, typed: Quantity | None) -> Quantity:
    """How much is sold: what the code says, what was typed before it, or one piece. Raises OutOfBounds when the two contradict each other."""
    if labelled is None or typed is None:
        return labelled or typed or Quantity(1, Unit.PIECE)
    if labelled.unit is Unit.PIECE and typed.unit is Unit.PIECE:
        return Quantity(labelled.amount * typed.amount, Unit.PIECE)
    raise OutOfBounds("A label is sold as it was weighed.", hint="Forget the number with * and scan each label.", reason="label_quantity")
