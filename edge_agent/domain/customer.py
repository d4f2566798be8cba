"""The unified customer as the counter knows them, with the age of that knowledge."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class IdentifierKind(Enum):
    """What can stand for a customer."""

    LOYALTY = "loyalty"
    TAG_UID = "tag_uid"
    PHONE = "phone"
    EMAIL = "email"
    CUSTOMER = "customer"
    CART = "cart"


class Identifier(Struct, frozen=True):
    """One way of naming a customer: the loyalty number, an E.164 phone, a lower-case e-mail address, a tag's UID, an id."""

    kind: IdentifierKind
    value: str

    @property
    def shown(self) -> str:
        """The identifier for a sentence on the screen; of a tag's UID, which nobody can read off the tag, the last digits suffice.

        >>> Identifier(IdentifierKind.TAG_UID, "04A1B2C3D4E5F6").shown
        '…E5F6'
        """
        return f"…{self.value[-4:]}" if self.kind is IdentifierKind.TAG_UID else self.value


class Talk(Struct, frozen=True):
    """The newest open conversation: its channel, when, and what was said last."""

    channel: str
    at_ms: int
    text: str
    promised: bool = False


class Customer(Struct, frozen=True):
    """A profile as central published it. ``as_of_ms`` is when central said so: nothing is believed without its age."""

    id: str
    name: str
    tier: str = ""
    points: int = 0
    visits: int = 0
    last_visit_ms: int | None = None
    language: str = ""
    identifiers: tuple[Identifier, ...] = ()
    sizes: tuple[str, ...] = ()
    birthday: str = ""  # --MM-DD, the year is nobody's business at a counter
    notes: tuple[str, ...] = ()
    talk: Talk | None = None
    goes_with: tuple[str, ...] = ()  # sentences the associate can say aloud
    as_of_ms: int = 0
