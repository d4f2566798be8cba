"""The API's OpenAPI 3.1 description: paths and parameters as Litestar reads them from the handlers, the shapes as msgspec checks them."""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec
from litestar import Litestar, MediaType
from litestar.connection import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

from edge_agent import views as v

PATH = "/openapi.json"
_FOUND = re.compile(r"Found_edge_agent\.views(?:\.\w+)*\.(\w+)_")


def openapi_json(app: Litestar) -> bytes:
    """The application's description as JSON text, in a stable order."""
    return described(app.openapi_schema.to_schema())


def described(raw: dict[str, Any]) -> bytes:
    """Litestar's description with msgspec's schemas in it: those have the docstrings, the closed commands and what tells them apart."""
    shapes = [v.Request, *(_shape(name) for name in raw["components"]["schemas"])]
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    text = msgspec.json.encode({**raw, "components": {**raw["components"], "schemas": schemas}}, order="sorted").decode()
    return msgspec.json.format(_FOUND.sub(r"Found_\1_", text), indent=1).encode() + b"\n"


def _shape(name: str) -> object:
    found = _FOUND.fullmatch(name)
    return cast(Any, v.Found)[getattr(v, found[1])] if found else getattr(v, name)


class Description(OpenAPIRenderPlugin):
    """Serves the description at ``/schema/openapi.json``, behind the same guard as the API."""

    def __init__(self) -> None:
        super().__init__(path=PATH, media_type=MediaType.JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The description; ``openapi_schema`` is Litestar's own."""
        return described(openapi_schema)
