"""Schemathesis reads central's OpenAPI document and tries to prove it wrong against a running central."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sync.central.limits import Limits
from tests.support_enrolled import cart_row, customer_row, enrolled, price_row, running_central

PROGRAM = shutil.which("schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(PROGRAM is None and os.environ.get("EDGE_REQUIRE_PEERS") != "1", reason="schemathesis is not installed"),
]

# What a schema cannot say, and central then answers: a cursor is opaque but not any text; a proof has to be one; a country without a known market needs a
# currency; a row belongs under its own key. And a batch of too many facts is too large (413), so that its sender halves it.
CONFIG = """
[[operations]]
include-name = "GET /edge/v1/feeds/{feed}"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 410]
[[operations]]
include-name = "POST /edge/v1/enrolments"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 403]
[[operations]]
include-name = "PUT /ops/stores/{store}"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400]
[[operations]]
include-path-regex = "^/ops/feeds/"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404]
[[operations]]
include-name = "POST /edge/v1/events"
checks.negative_data_rejection.expected-statuses = [400, 401, 403, 409, 413, 415, 422]
"""


@pytest.mark.parametrize(("paths", "phases", "examples"), [("^/edge/", "coverage,fuzzing", 10), ("^/ops/", "coverage,fuzzing", 5)])
def test_the_running_central_does_what_its_document_says(tmp_path: Path, paths: str, phases: str, examples: int) -> None:
    assert PROGRAM is not None, "schemathesis is required here and not installed"
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    with running_central(tmp_path / "central", limits=Limits(wait_seconds_max=0)) as embedded, httpx.Client(base_url=embedded.url) as http:
        register = enrolled(http, embedded.central)
        embedded.central.seed("customers", [("c1", customer_row())])
        embedded.central.seed("carts", [("CART-1", cart_row())])
        embedded.central.seed("prices", [price_row()])
        register.push(register.sale(), register.visit("c1"))
        token = register.identity["token"] if paths == "^/edge/" else embedded.central.ops_token
        command = [
            PROGRAM, "--config-file", str(config), "run", f"{embedded.url}/schema/openapi.json", "--include-path-regex", paths,
            "--header", f"Authorization: Bearer {token}", "--phases", phases, "--max-examples", str(examples), "--seed", "7", "--no-color",
            "--generation-database", "none", "--request-timeout", "10",
        ]  # fmt: skip
        told = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
        assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
        assert " passed" in told.stdout
        assert embedded.central.reconcile().ok
