"""Prints the local API's OpenAPI 3.1 description: ``python -m edge_agent.api.describe``, kept in ``openapi.json`` beside this file."""

from __future__ import annotations

import sys
from typing import Any

from edge_agent.api.app import Surroundings, build_api
from edge_agent.api.openapi import openapi_json
from edge_agent.api.present import Presenter
from edge_agent.domain.code_rules import DEFAULT_RULES
from edge_agent.domain.labels import labels
from edge_agent.domain.market import GERMANY
from edge_agent.domain.sale_receipt import Letterhead
from edge_agent.formats import Formats
from edge_agent.service.core import Core, Ports, Shop
from edge_agent.service.till import Till


def description() -> bytes:
    """The description as JSON text. It is made from the handlers' signatures; no request is answered, so the register behind them has nothing."""
    nothing: Any = None
    ports = Ports(nothing, nothing, nothing, nothing, nothing, ())
    core = Core(Shop("", "", "", "", "", GERMANY, DEFAULT_RULES), ports, "")
    formats = Formats(GERMANY)
    till = Till(core, Letterhead((), labels(GERMANY.locale), formats.decimal, formats.amount, formats.moment))
    around = Surroundings("", 0, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    return openapi_json(build_api(till, Presenter(core, formats, nothing), around))


if __name__ == "__main__":
    sys.stdout.buffer.write(description())
