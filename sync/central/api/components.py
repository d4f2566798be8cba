"""The documentation's component schemas, exactly as the decoder enforces them.

The framework's own generator leaves out bounds inside lists and mappings, so a client made from it would send what is then refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi.spec import Schema

from sync.central import listings, reconcile, trade_books, web_shop
from sync.central.api import ops
from sync.contract import messages, rows
from sync.contract.envelope import STREAMS, Envelope
from sync.contract.schemas import tidy

MODULES = (messages, rows, listings, reconcile, trade_books, web_shop, ops)
NUMBER_PATTERN = r"^(?!0{20}$)00[0-9]{18}$"
"""Of the 20 digits of a sequence the first two stay 0: the number has to fit 63 bits."""


@dataclass
class ExactSchema(Schema):
    """A schema that is already spelled."""

    spelled: dict[str, Any] = field(default_factory=dict)

    def to_schema(self) -> dict[str, Any]:
        """As it is."""
        return self.spelled


def make_exact(app: Litestar) -> None:
    """Replace every component of the app's document by what msgspec says of the type with that name."""
    components = app.openapi_schema.components
    wanted = {*components.schemas, "Envelope"}
    known: dict[str, type] = {name: kind for module in MODULES for name, kind in vars(module).items() if name in wanted and isinstance(kind, type)}
    known["Envelope"] = Envelope
    _, parts = msgspec.json.schema_components(list(known.values()), ref_template="#/components/schemas/{name}")
    envelope = parts["Envelope"]["properties"]
    envelope["stream"] = {"description": envelope["stream"]["description"], "type": "string", "enum": list(STREAMS)}
    envelope["sequence"] |= {"pattern": NUMBER_PATTERN}
    components.schemas = {name: ExactSchema(spelled=tidy(parts[name])) for name in sorted(parts)}
