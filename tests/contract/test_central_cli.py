"""``edge-central`` as a person types it, and the published OpenAPI document."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from edge_agent.demo.processes import CentralProgram
from sync.central.cli import main
from sync.central.serving import EmbeddedCentral
from tests.support_enrolled import STORES, Register, cart_row, customer_row, lines_of, price_row


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
    assert run("seed", "--data", data, "--folder", sample).output.splitlines() == [
        "stores: 0 changed", "prices: 0 changed", "customers: 0 changed", "carts: 0 changed",
    ]  # fmt: skip
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
        part = run("events", "--data", data, "--limit", "1", "--json")
        assert (part.stdout, part.stderr) == (sent[0].decode() + "\n", "There are more: --after 1, or a larger --limit.\n")
        assert run("events", "--data", data, "--after", "1", "--limit", "1").stderr == ""
    embedded.stop()
    table = run("reconcile", "--data", data)
    assert (table.exit_code, table.output.splitlines()[-1]) == (
        1,
        "IN ORDER, but 1 fact is in quarantine (register 0001/02, epoch 1): 1 sales, 1 in quarantine, 0 refund tasks",
    )
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
    assert other.output.startswith("error: ")
    assert (other.exit_code, "belongs to tenant demo" in other.output) == (1, True)


def test_a_line_that_deletes_is_a_tombstone_for_every_register_and_changes_nothing_the_second_time(tmp_path: Path, sample: Path) -> None:
    data = tmp_path / "central"
    key, _ = price_row()
    run("seed", "--data", data, "--folder", sample)
    code = run("enrol-code", "--data", data, "--store", "0001", "--register", "02").output.strip()
    embedded = EmbeddedCentral(data)
    with httpx.Client(base_url=embedded.start()) as http:
        register = Register(http, code)
        rows, end = lines_of(register.feed("prices"))
        assert [(row["op"], row["key"]) for row in rows] == [("put", key)]
        with (sample / "prices.ndjson").open("a") as file:
            file.write(json.dumps({"op": "del", "key": key}) + "\n")
        for feed, gone in (("customers", {"op": "del", "key": "c1"}), ("carts", {"op": "del", "key": "CART-1", "data": cart_row()})):
            (sample / f"{feed}.ndjson").write_text(json.dumps(gone) + "\n")
        assert run("seed", "--data", data, "--folder", sample).output.splitlines() == [
            "stores: 0 changed", "prices: 1 changed", "customers: 1 changed", "carts: 1 changed",
        ]  # fmt: skip
        rows, _ = lines_of(register.feed("prices", after=end["cursor"]))
        assert [(row["op"], row["key"], row["data"]) for row in rows] == [("del", key, None)]
        assert [[row["op"] for row in lines_of(register.feed(feed))[0]] for feed in ("prices", "customers", "carts")] == [[], ["del"], []]
    embedded.stop()
    again = run("seed", "--data", data, "--folder", sample)
    assert (again.exit_code, again.output.count(": 0 changed")) == (0, 4)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"op": "upsert", "key": "c1", "data": customer_row()}, "op: expected put or del, got 'upsert'."),
        ({"op": "", "key": "c1", "data": customer_row()}, "op: expected put or del, got ''."),
        ({"op": "put", "key": "c1"}, "data: expected the row to put, got none."),
        ({"key": "c1"}, "data: expected the row to put, got none."),
        ({"op": "del"}, "missing required field `key`"),
        ({"op": "put", "key": "c1", "data": customer_row(), "validFromMs": 5}, "unknown field `validFromMs`"),
        ({"op": "put", "key": "c1", "data": customer_row(), "validToMs": 5}, "unknown field `validToMs`"),
    ],
)
def test_a_line_that_says_what_nobody_does_is_refused_with_file_and_line(line: dict[str, object], told: str, tmp_path: Path, sample: Path) -> None:
    data, wrong = tmp_path / "central", sample / "customers.ndjson"
    with wrong.open("a") as file:
        file.write(json.dumps(line) + "\n")
    done = run("seed", "--data", data, "--folder", sample)
    assert done.exit_code == 1
    assert done.output.startswith(f"error: {wrong}, line 2: ")
    assert told in done.output
    embedded = EmbeddedCentral(data)
    with httpx.Client(base_url=embedded.start()) as http:
        register = Register(http, run("enrol-code", "--data", data, "--store", "0001", "--register", "02").output.strip())
        assert lines_of(register.feed("customers"))[0] == [], "nothing of a file with a wrong line is published"
    embedded.stop()


def test_the_help_says_what_a_line_is() -> None:
    told = run("seed", "--help").output
    assert '{"op":"put"' in told
    assert '{"op":"del"' in told


def test_central_s_file_is_its_owner_s_alone_also_one_that_was_not(tmp_path: Path, sample: Path) -> None:
    data = tmp_path / "central"
    run("seed", "--data", data, "--folder", sample)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir() if path.is_file()}
    assert set(modes.values()) == {0o600}, modes
    (data / "central.db").chmod(0o644)
    embedded = EmbeddedCentral(data)
    embedded.start()
    try:
        beside = [path for path in data.iterdir() if path.name.startswith("central.db")]
        assert len(beside) == 3, "the file, its log and the log's index"
        assert {stat.S_IMODE(path.stat().st_mode) for path in beside} == {0o600}
    finally:
        embedded.stop()


@pytest.mark.parametrize("command", [("reconcile",), ("events",), ("enrol-code", "--store", "0001", "--register", "02")])
def test_a_folder_that_holds_no_central_is_told_and_stays_empty(command: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*command, "--data", tmp_path)
    assert (done.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert done.output == f"error: {tmp_path} holds no central: there is no central.db.\n  `edge-central seed` or `edge-central serve` makes one.\n"


def test_a_folder_is_served_once_and_the_other_commands_go_on_beside_it(tmp_path: Path, sample: Path) -> None:
    data = tmp_path / "central"
    with CentralProgram(data, tmp_path / "central.log") as central:
        central.serve()
        second = run("serve", "--data", data)
        assert second.exit_code == 1
        assert re.fullmatch(
            rf"error: Another service \(process [0-9]+\) already runs on {data}\.\n  Use the central that is running, or stop it first\.\n", second.output
        )
        beside = [
            ("seed", "--folder", sample), ("enrol-code", "--store", "0001", "--register", "02"), ("reconcile",), ("events",),
        ]  # fmt: skip
        assert [run(*command, "--data", data).exit_code for command in beside] == [0] * 4
        central.kill()
        central.serve()


@pytest.mark.parametrize("command", [("serve",), ("seed",), ("reconcile",), ("events",), ("enrol-code", "--store", "0001", "--register", "02")])
def test_a_central_of_a_newer_version_is_refused_and_left_as_it_is(command: tuple[str, ...], tmp_path: Path, sample: Path) -> None:
    data = tmp_path / "central"
    file = data / "central.db"
    run("seed", "--data", data, "--folder", sample)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("INSERT INTO _sqlite_migrations(migration_set, name, applied_at) VALUES ('central', 'of_tomorrow', '2030-01-01')")
    before = file.read_bytes()
    done = run(*command, "--data", data, *(("--folder", sample) if command == ("seed",) else ()))
    assert (done.exit_code, file.read_bytes() == before) == (1, True)
    assert done.output == (
        f"error: {file} was written by a newer version of this program (of_tomorrow).\n"
        "  Install that version again, or a newer one; this one leaves the file as it is.\n"
    )


def test_a_central_that_cannot_be_opened_is_told_in_a_line(tmp_path: Path) -> None:
    damaged, folder = tmp_path / "damaged", tmp_path / "folder"
    damaged.mkdir()
    (damaged / "central.db").write_bytes(b"not a database, " * 1000)
    (folder / "central.db").mkdir(parents=True)
    for data, told in ((damaged, f"error: {damaged}/central.db: file is not a database."), (folder, f"error: {folder}/central.db: Is a directory.")):
        done = run("reconcile", "--data", data)
        assert (done.exit_code, done.output.splitlines()[0]) == (1, told)
    assert run("serve", "--data", tmp_path / "new", "--port", "70000").exit_code == 2
    assert run("events", "--data", damaged, "--limit", "-1").exit_code == 2
