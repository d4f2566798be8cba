"""``edge-agent journal verify``, ``tail`` and ``export`` on a journal that the service would refuse: they say so as well."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from edge_agent.domain.errors import JournalCorrupt
from sync.journal_read import JournalReader
from tests.support_command_line import configured, edge_agent
from tests.support_journal import KEY, a_commit, open_journal, raw
from tests.support_shop import register

FRAME_BYTES = 24 + 4096


async def killed(folder: Path, *, commits: int = 20) -> Path:
    """A register's folder as a kill leaves it before anything was copied out of the log; its key is beside it."""
    running = folder.with_name(f"{folder.name}-running")
    async with open_journal(running) as journal:
        for _ in range(commits):
            await journal.commit(a_commit(events=2, facts=1))
        await journal.acknowledge("central", {})  # answered after room was made in the log
        shutil.copytree(running, folder)
    (folder / "journal-key").write_text(KEY.hex())
    (folder / "journal-key").chmod(0o600)
    return folder


def flip_a_bit_of_the_log(folder: Path) -> None:
    with (folder / "journal.db-wal").open("r+b") as log:
        log.seek(32 + 20 * FRAME_BYTES + 1000)
        byte = log.read(1)[0]
        log.seek(-1, 1)
        log.write(bytes([byte ^ 1]))


async def test_committed_pages_behind_a_damaged_one_in_the_log_are_said_by_every_command(tmp_path: Path) -> None:
    folder, config = await killed(tmp_path / "a"), configured(tmp_path, "a")
    for command in ("verify", "tail", "export"):
        assert edge_agent(config, "journal", command).returncode == 0
    flip_a_bit_of_the_log(folder)
    (folder / "journal.db-shm").unlink()
    for beside_a_service in (False, True):  # which has looked, and refused it
        if beside_a_service:
            with pytest.raises(JournalCorrupt, match="committed pages follow a damaged one"):
                open_journal(folder)
        verified, tail, export = (edge_agent(config, "journal", command) for command in ("verify", "tail", "export"))
        assert (verified.returncode, "committed pages follow a damaged one in its log" in verified.stdout) == (1, True), verified.stdout
        assert (tail.returncode, tail.stdout, "committed pages follow a damaged one" in tail.stderr) == (1, "", True), tail.stderr
        assert (export.returncode, "What was written is not the whole journal." in export.stderr) == (1, True), export.stderr
        assert 0 < len(export.stdout.splitlines()) < 60, "what can be read is written"


async def test_a_verification_beside_a_selling_register_never_takes_what_is_being_written_for_lost(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        beside = JournalReader.open(tmp_path, KEY)
        selling = True

        async def sell() -> None:
            while selling:
                await journal.commit(a_commit(events=3, facts=1))

        sales = [asyncio.create_task(sell()) for _ in range(4)]
        for _ in range(30):
            await asyncio.to_thread(beside.require_end)
            await journal.release_ballast()  # a turn of its own for the writer
        selling = False
        await asyncio.gather(*sales)
        beside.close()


# --- what was made of the events -------------------------------------------------------------------------------------------------

COAT = "4006381333931"


@pytest.fixture
async def sold(tmp_path: Path) -> Path:
    """A register's folder after three sales, which central has in part."""
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        for _ in range(3):
            await rig.till.counter.entered(COAT, "")
            await rig.till.paying.cash(None, "")
        await rig.journal.acknowledge("central", {"trade": 2})
        assert rig.journal.verify().problems == ()
    return tmp_path


def found_in(folder: Path) -> tuple[str, ...]:
    reader = JournalReader.open(folder, KEY)
    try:
        return reader.verify().problems
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("DELETE FROM sale WHERE number = 2", "Sale R-0001-02-000002 (event "),
        ("DELETE FROM sale", "Sale R-0001-02-000001 (event "),
        ("UPDATE sale SET total_minor = 1 WHERE number = 1", "not in the list of sales as it was completed"),
        ("UPDATE sale SET number = 9 WHERE number = 3", "not in the list of sales as it was completed"),
        ("UPDATE sale SET receipt = 'R-9' WHERE number = 2", "not in the list of sales as it was completed"),
        ("INSERT INTO sale SELECT 'x', 7, 'R-7', at_ms, 1, digits, currency, '', body FROM sale WHERE number = 1", "The list of sales has 4, expected 3"),
        ("UPDATE cursor SET next = next + 5", "central is said to want fact trade 7 next"),
        ("UPDATE cursor SET next = 0", "central is said to want fact trade 0 next"),
        ("UPDATE state SET snapshot = '{\"receipts\":1}', position = (SELECT max(position) FROM event)", "counts 1 receipts, expected at least 3"),
        ("INSERT INTO command(id, position, at_ms) VALUES ('later', 1000, 1)", "A command that was carried out ended at event 1000"),
    ],
)
async def test_what_does_not_agree_with_the_events_is_found(sold: Path, harm: str, told: str) -> None:
    with raw(sold) as db:
        if "state" in harm:
            db.execute("INSERT OR IGNORE INTO state VALUES (1, x'', 0)")
            harm = harm.replace("'{", "CAST('{").replace("}'", "}' AS BLOB)")
        db.execute(harm)
    assert any(told in problem for problem in found_in(sold)), found_in(sold)


@pytest.mark.parametrize("commands", ["kept", "deleted with them"])
async def test_a_journal_whose_newest_events_are_gone_with_its_state_is_refused(sold: Path, commands: str) -> None:
    with raw(sold) as db:
        last = db.execute("SELECT max(position) FROM event").fetchone()[0]
        db.execute("DELETE FROM event WHERE position > ?", (last - 4,))
        db.execute("DELETE FROM state")
        if commands != "kept":
            db.execute("DELETE FROM command WHERE position > ?", (last - 4,))
    assert found_in(sold)
    with pytest.raises(JournalCorrupt):
        open_journal(sold)


# --- a journal whose log is gone -------------------------------------------------------------------------------------------------


async def test_a_journal_that_lost_its_log_is_refused_and_every_command_says_so(tmp_path: Path) -> None:
    folder, config = await killed(tmp_path / "a"), configured(tmp_path, "a")
    log = (folder / "journal.db-wal").read_bytes()
    for name in ("journal.db-wal", "journal.db-shm"):
        (folder / name).unlink()
    verified, tail, export = (edge_agent(config, "journal", command) for command in ("verify", "tail", "export"))
    assert (verified.returncode, "but it went on to event 40" in verified.stdout) == (1, True), verified.stdout
    assert [(done.returncode, "but it went on to event 40" in done.stderr) for done in (tail, export)] == [(1, True)] * 2
    for _ in range(2):
        with pytest.raises(JournalCorrupt) as told:
            open_journal(folder)
        assert told.value.key == "journal_corrupt.tail_lost"
    for name in ("journal.db-wal", "journal.db-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "journal.db-wal").write_bytes(log)
    async with open_journal(folder) as journal:
        assert (journal.position(), journal.verify().problems) == (40, ())


async def test_an_older_file_in_the_place_of_the_journal_is_refused(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit(events=2))
    older = (tmp_path / "journal.db").read_bytes()
    async with open_journal(tmp_path) as journal:
        await journal.commit(a_commit(events=2))
    (tmp_path / "journal.db").write_bytes(older)
    with pytest.raises(JournalCorrupt, match="ends at event 2, but it went on to event 4"):
        open_journal(tmp_path)


@pytest.mark.parametrize("mark", ["missing", "empty", "torn", "damaged", "behind", "another journal's"])
async def test_a_mark_that_says_nothing_is_no_alarm(tmp_path: Path, mark: str) -> None:
    folder, path = tmp_path / "a", tmp_path / "a" / "journal.db-high"
    async with open_journal(folder) as journal:
        await journal.commit(a_commit())
        early = path.read_bytes()
        await journal.commit(a_commit(events=5))
    last = path.read_bytes()
    async with open_journal(tmp_path / "b") as other:
        await other.commit(a_commit(events=9))
    held = {"empty": b"", "torn": last[:20], "damaged": last[:17] + b"\x01" + last[18:], "behind": early}
    if mark == "missing":
        path.unlink()
    else:
        path.write_bytes((tmp_path / "b" / "journal.db-high").read_bytes() if mark == "another journal's" else held[mark])
    assert found_in(folder) == ()
    async with open_journal(folder) as journal:
        await journal.commit(a_commit())
    assert path.read_bytes()[:16] == (folder / "journal.db").read_bytes()[:16]
    assert found_in(folder) == ()
