"""What happens when something is scanned, tapped or typed: one resolver for everything, no modes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from msgspec import Struct

from edge_agent.domain import commands as do
from edge_agent.domain.catalogue import Article, Offer, SoldBy
from edge_agent.domain.code import GtinCode, TagUid, Unrecognised, WeighedCode, understand
from edge_agent.domain.code_rules import CartCode, CouponCode, GiftCardCode, LoyaltyCode, OrderCode, ReceiptCode, StaffCode
from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CodeInvalid, CodeUnknown, EdgeError, OutOfBounds
from edge_agent.domain.events import LinePicked
from edge_agent.domain.moments import wall_time
from edge_agent.domain.money import divide_half_up
from edge_agent.domain.quantity import Quantity, Unit
from edge_agent.domain.reading import Reading, Source
from edge_agent.service.clienteling import Clienteling
from edge_agent.service.core import Core
from edge_agent.service.day import Day
from edge_agent.service.desk import PriceCheck
from edge_agent.service.offers import offer_of, tier_of_basket

READING_AGE_MAX_MS = 5_000
"""A reading that waited longer than this (the service was busy or stopped) is told, not sold: the goods may have been taken away."""


class Label(Struct, frozen=True):
    """What a code says of its piece besides the article and how much of it; ``keyed`` when it was typed."""

    gtin: str = ""
    price_minor: int | None = None
    batch: str = ""
    expiry: str = ""
    serial: str = ""
    keyed: bool = False


NO_LABEL = Label()


class Counter:
    """Everything that can be scanned, and the lines it leads to."""

    def __init__(self, core: Core, clienteling: Clienteling, day: Day) -> None:
        self._core = core
        self._clienteling = clienteling
        self._day = day

    async def scanned(self, reading: Reading) -> None:
        """A device read something. Whatever it was, the screen says so; never raises an EdgeError."""
        refused_before = self._core.desk.refusal
        try:
            if self._core.ports.clock.now_ms() - reading.at_ms > READING_AGE_MAX_MS:
                raise CodeInvalid("That scan came too late to be sold.", hint="Scan the article again.", reason="late")
            await self._resolve(reading, "")
        except EdgeError as error:
            self._bad(reading, self._day.instead(error))
        else:
            self._core.accepted(refused_before, reading.source)
            self._beep(reading, good=True)

    async def entered(self, text: str, command_id: str) -> None:
        """The associate typed something that is understood like a scan. ``3*CODE`` is three of it, and of nothing else. Raises EdgeError."""
        count, star, code = text.partition("*")
        if star and not code:
            self.next_quantity(count)
            return
        before = self._core.desk.next_quantity
        if star:
            self._set_quantity(_quantity(count))
        reading = Reading((code if star else text).strip().encode(), "keyboard", self._core.ports.clock.now_ms(), Source.KEYED)
        try:
            await self._resolve(reading, command_id)
        finally:
            if star and self._core.desk.next_quantity:  # nothing took it
                self._set_quantity(before)

    def next_quantity(self, text: str) -> None:
        """The next article comes in this quantity; empty forgets it. One that is refused takes the place of the one before all the same: nobody
        who typed another number wants that one. Raises CodeInvalid or OutOfBounds (reason ``next_quantity``)."""
        self._set_quantity("")
        if text.strip():
            self._set_quantity(_quantity(text))

    def _set_quantity(self, shown: str) -> None:
        if self._core.desk.next_quantity != shown:
            self._core.desk.next_quantity = shown
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

    async def set_quantity(self, line: str, quantity: Quantity, command_id: str) -> None:
        """Change a line's quantity; pieces beyond what the online cart wants cost what they cost here. Raises RuleError, StorageError."""

        def command() -> do.ChangeQuantity:
            basket = self._core.state.basket
            held = basket.line(line) if basket else None
            offer = offer_of(self._core, held.sku, tier_of_basket(self._core)) if held and held.cart_line else None
            return do.ChangeQuantity(line, quantity, offer)

        await self._core.do(command, command_id)

    def check(self, sku: str) -> None:
        """Show what an article found by typing costs."""
        self._show_price(self._known(self._core.ports.catalogue.by_sku(sku), sku), "")

    # --- what a code means here ----------------------------------------------------------------------------------------------

    async def _resolve(self, reading: Reading, command_id: str) -> None:
        code = understand(reading, self._core.shop.rules)
        match code:
            case GtinCode() | WeighedCode():
                await self._article(code, command_id, keyed=reading.source is Source.KEYED)
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
                reason = "nothing" if reading.source is Source.KEYED else "scanned"
                raise CodeUnknown(f"Nothing here answers to {shown}.", hint="F4 finds it by name; F9 sells it by department.", reason=reason, code=shown)

    async def _article(self, code: GtinCode | WeighedCode, command_id: str, *, keyed: bool) -> None:
        catalogue = self._core.ports.catalogue
        if isinstance(code, GtinCode):
            shown, article = code.shown, catalogue.by_gtin(code.gtin)
            batch, expiry, serial = code.batch, code.expiry, code.serial
        else:
            shown, article = code.item, catalogue.by_item(code.item)
            batch = expiry = serial = ""
        article = self._known(article, shown)
        quantity = None
        if code.grams is not None and article.sold_by is SoldBy.KILOGRAM:
            quantity = Quantity(code.grams, Unit.GRAM)
        elif code.count is not None:
            quantity = Quantity(code.count, Unit.PIECE)
        if self._core.desk.next_is_check:
            self._show_price(article, shown, quantity, code.price_minor)
            return
        gtin = code.gtin if isinstance(code, GtinCode) else ""
        label = Label(gtin, code.price_minor, batch, expiry, serial, keyed)
        await self._sell(article, command_id, quantity=quantity, label=label)

    async def _sell(
        self,
        article: Article,
        command_id: str,
        *,
        quantity: Quantity | None,
        label: Label = NO_LABEL,
    ) -> None:
        desk = self._core.desk

        def command() -> do.AddArticle:
            typed = Quantity.parse(desk.next_quantity) if desk.next_quantity else None
            wanted, labels = _wanted(quantity, typed, priced=label.price_minor is not None)
            return do.AddArticle(
                article, self.offer(article), wanted, label.gtin, label.price_minor, label.batch, label.expiry, label.serial, label.keyed, labels
            )

        self._refuse_expired(article, label.expiry)
        events = await self._core.do(command, command_id)
        if desk.next_quantity:
            self.next_quantity("")
        for event in events:
            if isinstance(event, LinePicked):
                self._core.tell("notice.picked", "good", f"{article.name}: from the online cart.", name=article.name, left=str(event.left))

    def _refuse_expired(self, article: Article, expiry: str) -> None:
        """Goods whose own code says that their time is over are not sold."""
        today = wall_time(self._core.ports.clock.now_ms(), ZoneInfo(self._core.shop.market.timezone)).date().isoformat()
        if expiry and expiry < today:
            raise OutOfBounds(f"{article.name} expired on {expiry}.", hint="Take another one.", reason="expired", name=article.name, date=expiry)

    def offer(self, article: Article) -> Offer:
        """What the article costs this basket's customer now. Raises CodeUnknown (reason ``no_price``, ``price_coming``)."""
        found = offer_of(self._core, article.sku, tier_of_basket(self._core))
        if found is None and "prices" in self._core.desk.coming:
            text = f"The price of {article.name} has not come from central yet."
            raise CodeUnknown(text, hint="It comes by itself; try again then.", reason="price_coming", name=article.name)
        if found is None:
            raise CodeUnknown(f"{article.name} has no price today.", hint="Sell it by department (F9).", reason="no_price", name=article.name)
        return found

    def _known(self, article: Article | None, shown: str) -> Article:
        if article is None and "catalogue" in self._core.desk.coming:
            text = f"{shown} is not known here yet: the articles are still coming from central."
            raise CodeUnknown(text, hint="F9 sells it by department meanwhile.", reason="article_coming", code=shown)
        if article is None:
            raise CodeUnknown(f"{shown} is not in the catalogue.", hint="F4 finds it by name; F9 sells it by department.", reason="article", code=shown)
        return article

    def _show_price(self, article: Article, code: str, quantity: Quantity | None = None, price_minor: int | None = None) -> None:
        """What one, or a kilogram, costs; and of a label what it would be sold at."""
        found = self.offer(article)
        member = found.member.amount_minor if found.applied is found.member and found.member else None
        by_weight = article.sold_by is SoldBy.KILOGRAM
        desk = self._core.desk
        unit_minor = found.applied.amount_minor
        label_minor = price_minor
        if label_minor is None and quantity is not None:
            label_minor = divide_half_up(unit_minor * quantity.amount, 1000) if by_weight else unit_minor * quantity.amount
        told = quantity if price_minor is None else None
        desk.price_check = PriceCheck(article.sku, article.name, article.variant, found.base.amount_minor, member, by_weight, code, label_minor, told)
        desk.next_is_check = False
        desk.notice = None
        self._core.changed()

    def _receipt(self, receipt: str) -> None:
        row = self._core.ports.journal.sale(receipt)
        if row is None:
            raise self._no_receipt(receipt)
        self._core.tell("notice.receipt_known", "info", f"Receipt {receipt} is from this register.", "F9 shows past sales.", code=receipt)

    def _no_receipt(self, receipt: str) -> CodeUnknown:
        shop, hint = self._core.shop, "Look where it was printed."
        printed = shop.printed_by(receipt)
        if printed is None:
            return CodeUnknown(f"Receipt {receipt} is not from this register.", hint=hint, reason="receipt", code=receipt)
        store, register = printed
        if store != shop.store:
            return CodeUnknown(f"Receipt {receipt} is from another store.", hint=hint, reason="receipt_store", code=receipt)
        if register != shop.register:
            text = f"Receipt {receipt} is from register {register} of this store."
            return CodeUnknown(text, hint=hint, reason="receipt_register", code=receipt, register=register)
        return CodeUnknown(f"This register has no receipt {receipt}.", hint="Check the number.", reason="receipt_none", code=receipt)

    def unreadable(self, device: str, reason: str = "") -> None:
        """A scanner sent what is no code at all (too long, cut off, garbled, for ``no_terminator`` not ended): heard like every bad scan, and said."""
        if self._core.ports.beeps is not None:
            self._core.ports.beeps.beep(device, False)
        if reason == "no_terminator":
            hint = "Scan again. For IT, if it stays so: `edge-agent devices` says what to set."
            self._core.tell("notice.scan_not_ended", "bad", "The scan was not taken: it lacks the end that this register expects.", hint)
        else:
            self._core.tell("notice.scan_unreadable", "bad", "The scanner sent something unreadable.", "Scan again.")
        self._core.refused(Source.BARCODE)

    # --- sounds --------------------------------------------------------------------------------------------------------------

    def _bad(self, reading: Reading, error: EdgeError) -> None:
        self._beep(reading, good=False)
        self._core.tell_error(error)
        self._core.refused(reading.source)

    def _beep(self, reading: Reading, *, good: bool) -> None:
        if self._core.ports.beeps is not None and reading.source is Source.BARCODE:
            self._core.ports.beeps.beep(reading.device, good)


def _quantity(typed: str) -> str:
    """A quantity typed before an article, as it is shown."""
    try:
        return Quantity.parse(typed).shown()
    except OutOfBounds as error:
        raise OutOfBounds(error.message, hint="Type another quantity before *.", reason="next_quantity", **error.args_shown) from None


def _wanted(labelled: Quantity | None, typed: Quantity | None, *, priced: bool) -> tuple[Quantity, int]:
    """How much is sold: what the code says, what was typed before it, or one piece; and by how many labels. A label with a price is sold as it is, so
    that a number before it counts labels. Raises OutOfBounds when the two contradict each other."""
    one = Quantity(1, Unit.PIECE)
    if typed is None:
        return labelled or one, 1
    if labelled is None and not priced:
        return typed, 1
    if typed.unit is Unit.GRAM or (labelled is not None and labelled.unit is Unit.GRAM):
        raise OutOfBounds("A label is sold as it was weighed.", hint="* alone forgets the number; then scan each label.", reason="label_quantity")
    goods = labelled or one
    return (goods, typed.amount) if priced else (Quantity(goods.amount * typed.amount, Unit.PIECE), 1)
