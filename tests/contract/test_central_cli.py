"""``edge-central`` as a person types it, and the published OpenAPI document."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from sync.central.cli import main
from sync.central.serving import EmbeddedCentral
from tests.support_enrolled import STORES, Register, cart_row, customer_row, price_row


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A folder as the demo's sample shop is written."""
    folder = tmp_path / "sample"
    folder.mkdir()
    key, price = price_row()
    feeds = {"prices": (key, price), "customers": ("c1", customer_row()), "carts": ("CART-1", cart_row())}
    for feed, (row_key, data) in feeds.items():
        (folder / f"{feed}.ndjson").write_text(json.dumps({"op": "put", "key": row_key, "data": data}) + "\n")
    stores = [{"store": each.store, "storeName": each.store_name, "country": each.country, "registers": each.registers} for each in STORES]
    (folder / "stores.ndjson").write_text("".join(json.dumps(each) + "\n" for each in stores))
    return folder


def test_the_published_document_is_what_the_code_says() -> None:
    shown = run("openapi")
    assert shown.exit_code == 0
    kept = files("sync.contract").joinpath("openapi.json").read_text("utf-8")
    assert kept == shown.output, "run: edge-central openapi > sync/contract/openapi.json"
    document = json.loads(kept)
    assert document["openapi"].startswith("3.1")
    assert {"/edge/v1/events", "/edge/v1/feeds/{feed}", "/edge/v1/enrolments", "/edge/v1/carts/{cart}/claim"} <= set(document["paths"])


def test_a_central_is_filled_enrolled_read_and_reconciled_from_the_command_line(tmp_path: Path, sample: Path) -> None:
    data = tmp_path / "central"
    assert run("seed", "--data", data, "--folder", sample).output.splitlines() == [
        "stores: 2 changed", "prices: 1 changed", "customers: 1 changed", "carts: 1 changed",
    ]  # fmt: skip
    assert run("seed", "--data", data, "--folder", sample).output.splitlines()[1:] == ["prices: 0 changed", "customers: 0 changed", "carts: 0 changed"]
    code = run("enrol-code", "--data", data, "--store", "0001", "--register", "02").output.strip()
    embedded = EmbeddedCentral(data)
    with httpx.Client(base_url=embedded.start()) as http:
        register = Register(http, code)
        sent = [register.sale(), register.sale(tenders=[])]
        assert register.ack(register.push(*sent))["next"] == 3
        shown = run("events", "--data", data)  # beside the running server
        assert [line.split()[0] for line in shown.output.splitlines()] == ["1", "2"]
        assert "QUARANTINED" in shown.output.splitlines()[1]
        assert run("events", "--data", data, "--json").output == "".join(wire.decode() + "\n" for wire in sent)
        assert len(run("events", "--data", data, "--quarantined").output.splitlines()) == 1
    embedded.stop()
    table = run("reconcile", "--data", data)
    assert (table.exit_code, table.output.splitlines()[-1]) == (0, "IN ORDER: 1 sales, 1 in quarantine, 0 refund tasks")
    assert json.loads(run("reconcile", "--data", data, "--json").output)["registers"][0]["books"][0]["tenders"] == {"cash": 1722}


def test_what_cannot_be_done_is_said_with_what_to_do(tmp_path: Path, sample: Path) -> None:
    data = tmp_path / "central"
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing = run("seed", "--data", data, "--folder", empty)
    assert (nothing.exit_code, "stores.ndjson" in nothing.output) == (1, True)
    (sample / "prices.ndjson").write_text('{"op":"put","key":"A","data":{}}\n')
    wrong = run("seed", "--data", data, "--folder", sample)
    assert wrong.exit_code == 1
    assert "prices.ndjson" in wrong.output
    assert "sku" in wrong.output
    (sample / "prices.ndjson").write_text('\n{"op":\n')
    assert "prices.ndjson, line 2" in run("seed", "--data", data, "--folder", sample).output
    unknown = run("enrol-code", "--data", data, "--store", "0001", "--register", "99")
    assert (unknown.exit_code, "Store 0001 has no register 99" in unknown.output) == (1, True)
    assert run("reconcile", "--data", tmp_path / "nowhere").exit_code == 2
    assert not (tmp_path / "nowhere").exists()
    other = run("serve", "--data", data, "--tenant", "someone-else")
    assert (other.exit_code, "belongs to tenant demo" in other.output) == (1, True)
