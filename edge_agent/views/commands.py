"""What a client can tell a register to do; ``do`` says which command it is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", description="A UUID made by the client or the service")]
Named = Annotated[str, Meta(max_length=36, description="The basket that is meant, by its id; empty for the open one, whichever that is")]
Key = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=512)]
Typed = Annotated[str, Meta(min_length=1, max_length=512)]
Reason = Annotated[str, Meta(min_length=1, max_length=80)]
VoidReason = Annotated[str, Meta(max_length=80)]
Minor = Annotated[int, Meta(ge=0, le=9_999_999_999, description="Minor units of the market's currency")]
PercentMilli = Annotated[int, Meta(ge=1, le=100_000, description="Thousandths of a per cent")]


class Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """The root of all commands; ``do`` says which."""


class OpenShift(Command, frozen=True, tag="open_shift"):
    """Open the shift of the operator with this badge, with this float in the drawer."""

    badge: Key
    float_minor: Minor = 0


class CheckBadge(Command, frozen=True, tag="check_badge"):
    """Ask whether a badge is known here, before its holder is asked for anything else; changes nothing."""

    badge: Key


class ForgetBadge(Command, frozen=True, tag="forget_badge"):
    """The badge that was scanned and waits for its float (``Snapshot.opening``) opens no shift after all. One that was scanned since stays."""

    badge: Key


class CloseShift(Command, frozen=True, tag="close_shift"):
    """Close the shift. Refused while a basket or a payment is open."""


class SignIn(Command, frozen=True, tag="sign_in"):
    """Another operator takes over; the basket stays."""

    badge: Key


class Enter(Command, frozen=True, tag="enter"):
    """Text typed by the associate: understood exactly like a scan of the same characters. ``3*4006...`` sells three."""

    text: Typed


class NextQuantity(Command, frozen=True, tag="next_quantity"):
    """The next article comes in this quantity (``3``, ``0,412 kg``); empty forgets it."""

    text: Text


class NextIsCheck(Command, frozen=True, tag="next_is_check"):
    """The next article is only priced, not sold (or, when off, sold again)."""

    on: bool = True


class AddArticle(Command, frozen=True, tag="add_article"):
    """Sell an article found by typing."""

    sku: Key
    quantity: Text = ""


class CheckPrice(Command, frozen=True, tag="check_price"):
    """Show the price of an article found by typing."""

    sku: Key


class AddDepartment(Command, frozen=True, tag="add_department"):
    """Sell something by department and price, because its code is unknown. Needs the right ``sale.department``."""

    department: Key
    price_minor: Minor
    quantity: Text = ""
    name: Text = ""
    code: Text = ""


class SetQuantity(Command, frozen=True, tag="set_quantity"):
    """Change a line's quantity."""

    line: Id
    quantity: Typed


class RemoveLine(Command, frozen=True, tag="remove_line"):
    """Take a line out."""

    line: Id


class DiscountLine(Command, frozen=True, tag="discount_line"):
    """Money off a line: a share or an amount, not both. Needs ``sale.discount``."""

    line: Id
    reason: Reason
    percent_milli: PercentMilli | None = None
    amount_minor: Minor | None = None


class DiscountBasket(Command, frozen=True, tag="discount_basket"):
    """Money off the whole basket: a share or an amount, not both. Needs ``sale.discount``."""

    reason: Reason
    percent_milli: PercentMilli | None = None
    amount_minor: Minor | None = None


class RemoveDiscount(Command, frozen=True, tag="remove_discount"):
    """Take back a discount of a line or of the basket, by its id. Needs ``sale.discount``."""

    discount: Id


class VoidBasket(Command, frozen=True, tag="void_basket"):
    """Give the basket up. Needs ``sale.void`` and a reason, unless nothing is in it; then the fact's reason is ``empty``, whatever is given here."""

    reason: VoidReason = ""


class Suspend(Command, frozen=True, tag="suspend"):
    """Set the basket aside, with what is paid of it, and serve somebody else. A basket that is named and set aside already is left as it is; one in which
    nothing is is refused."""

    label: Text = ""
    basket: Named = ""


class Recall(Command, frozen=True, tag="recall"):
    """Bring a suspended or parked basket back. An open one in which nothing is makes way for it."""

    basket: Id


class AttachCustomer(Command, frozen=True, tag="attach_customer"):
    """The customer found by typing is the one who stands here."""

    customer: Key


class DetachCustomer(Command, frozen=True, tag="detach_customer"):
    """The basket is nobody's again."""


class LoadCart(Command, frozen=True, tag="load_cart"):
    """Claim the attached customer's online cart (or the named one) into the basket, to pick."""

    cart: Text = ""


class ReleaseCart(Command, frozen=True, tag="release_cart"):
    """Let the online cart go again."""


class Answer(Command, frozen=True, tag="answer"):
    """The associate's answer to the snapshot's question."""

    question: Id
    answer: Key


class PayCash(Command, frozen=True, tag="pay_cash"):
    """Cash on the counter; without an amount, exactly what is due. A basket that is named and paid already takes nothing more."""

    given_minor: Minor | None = None
    basket: Named = ""


class PayCard(Command, frozen=True, tag="pay_card"):
    """Ask the card terminal for an amount; without one, for all that is due. A basket that is named and paid already takes nothing more."""

    amount_minor: Minor | None = None
    basket: Named = ""


class CancelPayment(Command, frozen=True, tag="cancel_payment"):
    """Ask the terminal to stop."""


class ReturnTender(Command, frozen=True, tag="return_tender"):
    """Undo a tender before the sale is completed: cash is handed back, a card payment is voided at the terminal."""

    tender: Id


class Park(Command, frozen=True, tag="park"):
    """Set the sale aside while its payment's outcome is unknown. A basket that is named and set aside (or paid) already is left as it is."""

    label: Text = ""
    basket: Named = ""


class ReviewPayment(Command, frozen=True, tag="review_payment"):
    """A person decides what no query could settle. Needs ``payment.review``; the note says what the terminal's own list showed."""

    attempt: Id
    money_moved: bool
    note: Reason


class HandleContradiction(Command, frozen=True, tag="handle_contradiction"):
    """Somebody saw to a card payment whose terminal contradicts what was decided (``notice.payment_to_give_back``, ``notice.payment_missing``,
    ``notice.payment_reported``, ``notice.payment_differs``), or that a voided basket left to be given back (``notice.payment_of_a_void``). Needs
    ``payment.review``; the note says how."""

    attempt: Id
    note: Reason


class Reprint(Command, frozen=True, tag="reprint"):
    """Print a past sale's receipt again, marked as a copy."""

    sale: Key


class PrintReceipt(Command, frozen=True, tag="print_receipt"):
    """Print the last sale's receipt that did not print, as the original."""

    sale: Key


AnyCommand = (
    OpenShift | CheckBadge | ForgetBadge | CloseShift | SignIn | Enter | NextQuantity | NextIsCheck | AddArticle | CheckPrice | AddDepartment | SetQuantity
    | RemoveLine | DiscountLine | DiscountBasket | RemoveDiscount | VoidBasket | Suspend | Recall | AttachCustomer | DetachCustomer | LoadCart | ReleaseCart
    | Answer | PayCash | PayCard | CancelPayment | ReturnTender | Park | ReviewPayment | HandleContradiction | Reprint | PrintReceipt
)  # fmt: skip


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """A command under an id that the client made: the same id again changes nothing and answers with the newest snapshot."""

    id: Id
    command: AnyCommand
