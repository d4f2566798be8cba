"""The OpenAPI document as it is published in ``sync/contract/openapi.json``, made from the code without starting anything."""

from __future__ import annotations

import msgspec

from sync.central.api.app import document


def document_text() -> str:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"
