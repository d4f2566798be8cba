"""A small share of what ``make proof`` does to the disk, each with a control that shows that it would find a journal that lies; and what it has found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.errors import DiskFull, JournalCorrupt, StorageFailed
from edge_agent.domain.tender import AttemptState
from sync.cipher import open_file
from sync.file_lock import FileLock
from sync.identity import Identity
from tests.simulation.disk_watch import Kind, Step
from tests.simulation.platter import Platter, Write, apply
from tests.simulation.test_journal_faults import open_faulty
from tests.support_journal import KEY, a_commit, an_attempt, open_journal, raw, small_disk

ROOT = Path(__file__).parents[2]
SKIPPED = 3
PAGE = 4096


def proof(name: str, *words: str) -> dict[str, Any]:
    """What ``python -m tests.simulation.NAME`` says at its end; skipped, or failed where everything has to be there, if it cannot run here."""
    done = subprocess.run([sys.executable, "-m", f"tests.simulation.{name}", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.stdout, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if done.returncode == SKIPPED:
        (pytest.fail if os.environ.get("EDGE_REQUIRE_PEERS") == "1" else pytest.skip)(said["skipped"])
    assert done.returncode == 0, f"{said}\n{done.stderr[-3000:]}"
    return said


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_power_cuts_lose_nothing_acknowledged_and_would_without_sync(kind: str) -> None:
    said = proof("power_cuts", "--cuts", "6", "--fs", kind, "--seed", "7")
    assert (said["faults"], said["violations"]) == (6, 0)
    assert said["control_found"] > 0


def test_disks_as_a_cut_may_leave_them_open_with_all_that_was_acknowledged() -> None:
    said = proof("crash_states", "--states", "800", "--per-recording", "400", "--seed", "7")
    assert (said["faults"], said["violations"]) == (800, 0)
    assert said["whole_registers"] > 0
    assert said["control_found"] > 0


def test_failing_and_full_disks_lose_double_and_invent_nothing() -> None:
    said = proof("disk_errors", "--errors", "60", "--seed", "7")
    assert said["faults"] >= 60
    assert (said["violations"], said["payments_in_flight"] > 0) == (0, True)
    assert said["control_found"] > 0


# --- what they found, one by one --------------------------------------------------------------------------------------------------


async def with_pages_in_the_log(folder: Path) -> int:
    """A journal whose process was killed, and a page that its log holds as well as its file."""
    async with open_journal(folder / "live") as journal:
        for _ in range(30):
            await journal.commit(a_commit(events=3, facts=2))
    journal = open_journal(folder / "live")
    await journal.commit(a_commit(events=3, facts=2))
    shutil.copytree(folder / "live", folder / "cut")
    await journal.close()
    log = (folder / "cut" / "journal.db-wal").read_bytes()
    salts = log[16:24]
    pages = {int.from_bytes(log[at : at + 4], "big") for at in range(32, len(log) - PAGE, PAGE + 24) if log[at + 8 : at + 16] == salts}
    return max(page for page in pages if page > 1 and page * PAGE <= (folder / "cut" / "journal.db").stat().st_size)


async def test_a_page_torn_while_it_was_copied_from_the_log_is_no_damage(tmp_path: Path) -> None:
    page = await with_pages_in_the_log(tmp_path)
    with (tmp_path / "cut" / "journal.db").open("r+b") as file:
        file.seek((page - 1) * PAGE + 512)
        file.write(os.urandom(1024))
    async with open_journal(tmp_path / "cut") as journal:
        assert journal.verify().problems == ()
        assert (await journal.commit(a_commit())).fresh


async def test_a_file_that_ends_in_half_a_page_of_the_log_is_no_damage(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "live")
    await journal.commit(a_commit(events=200))
    shutil.copytree(tmp_path / "live", tmp_path / "cut")
    await journal.close()
    path = tmp_path / "cut" / "journal.db"
    assert path.stat().st_size % PAGE == 0
    with path.open("ab") as file:
        file.write(os.urandom(3072))
    async with open_journal(tmp_path / "cut") as journal:
        assert journal.verify().problems == ()
        assert len(journal.tail(1000)) == 200


async def test_damage_to_a_page_that_is_in_no_log_is_still_damage(tmp_path: Path) -> None:
    page = await with_pages_in_the_log(tmp_path)
    (tmp_path / "cut" / "journal.db-wal").unlink()
    (tmp_path / "cut" / "journal.db-shm").unlink()
    with (tmp_path / "cut" / "journal.db").open("r+b") as file:
        file.seek((page - 1) * PAGE + 512)
        file.write(os.urandom(1024))
    with pytest.raises(JournalCorrupt):
        open_journal(tmp_path / "cut")


async def test_a_journal_whose_making_was_cut_short_is_made_to_its_end(tmp_path: Path) -> None:
    """Power goes while the tables are made, before the file has its log: what is left is a rollback journal."""
    (tmp_path / "live").mkdir()
    db = open_file(tmp_path / "live" / "journal.db", KEY)
    db.execute("PRAGMA cache_size = 1")
    db.execute("CREATE TABLE first(a)")
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE second(a)")
    db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO second SELECT randomblob(3000) FROM n")
    shutil.copytree(tmp_path / "live", tmp_path / "cut")
    db.close()
    assert (tmp_path / "cut" / "journal.db-journal").stat().st_size > 512
    async with open_journal(tmp_path / "cut") as journal:
        assert (await journal.commit(a_commit())).fresh
        assert journal.verify().problems == ()


async def test_a_commit_that_may_not_be_synced_is_not_known_until_it_is(tmp_path: Path) -> None:
    """Its frames are in the log and readable, but the sync failed, and so does everything after it for a while."""
    journal, disk = open_faulty(tmp_path, [])
    disk.faults.append("after")
    disk.settles = False
    with pytest.raises(StorageFailed):
        await journal.commit(a_commit("doubtful"))
    with raw(tmp_path) as db:
        assert db.execute("SELECT count(*) FROM command WHERE id = 'doubtful'").fetchone()[0] == 1
    assert not await journal.known_command("doubtful")
    with pytest.raises(StorageFailed):
        await journal.reopen()
    assert not await journal.known_command("doubtful")
    disk.settles = True
    await journal.reopen()
    assert await journal.known_command("doubtful")
    assert not (await journal.commit(a_commit("doubtful"))).fresh
    await journal.close()


async def test_a_start_settles_what_the_run_before_it_left_in_the_log(tmp_path: Path) -> None:
    """That run may have died of a sync that failed: its pages are read from memory, and no later sync would write them."""
    before = open_journal(tmp_path / "live")
    await before.commit(a_commit("left", events=3))
    shutil.copytree(tmp_path / "live", tmp_path / "again")
    await before.close()
    async with open_journal(tmp_path / "again") as journal:
        shutil.copytree(tmp_path / "again", tmp_path / "without the log")
        for name in ("journal.db-wal", "journal.db-shm"):
            (tmp_path / "without the log" / name).unlink()
        assert await journal.known_command("left")
    async with open_journal(tmp_path / "without the log") as journal:
        assert await journal.known_command("left")


async def test_a_start_on_a_full_disk_takes_its_room_from_the_ballast_and_records_the_payment_under_way(tmp_path: Path) -> None:
    """The power failed while the terminal thought, and something else had filled the disk: nobody waits for IT to know what was paid."""
    with small_disk(tmp_path / "disk", kilobytes=4_000) as folder:
        payment = an_attempt("tender", "ref")
        async with open_journal(folder) as journal:
            await journal.adopt(Identity("/t/acme/s/0001/r/02", "1"))
            await journal.commit(a_commit("intent", attempts=(payment,)))
        (folder / "filler").write_bytes(bytes(os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize))
        async with open_journal(folder) as journal:
            assert isinstance(journal.stopped, DiskFull)
            assert await journal.adopt(journal.identity) == 0
            with pytest.raises(DiskFull):
                await journal.commit(a_commit("not now"))
            settled = an_attempt("tender", "ref", AttemptState.APPROVED, id=payment.id)
            assert (await journal.commit(a_commit("settled", attempts=(settled,), must=True))).fresh
            with pytest.raises(DiskFull):
                await journal.reopen()
            (folder / "filler").unlink()
            await journal.reopen()
            assert journal.stopped is None
            assert [await journal.known_command(command) for command in ("intent", "settled", "not now")] == [True, True, False]
            assert (folder / "journal.ballast").exists()


def test_a_lock_is_taken_although_its_owner_cannot_be_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("sync.file_lock.os.write", no_room)
        lock = FileLock(tmp_path / "lock")
        lock.take()
    lock.release()
    again = FileLock(tmp_path / "lock")
    again.take()
    again.release()


# --- the platter itself -----------------------------------------------------------------------------------------------------------


def played(*steps: Step) -> Platter:
    disk = Platter()
    for step in (Step(Kind.BEGAN, 0, 0, b""), Step(Kind.OPENED, 1, 0, b"file"), *steps):
        disk.take(step)
    return disk


def test_only_what_was_synced_is_safe_and_a_name_only_with_its_folder() -> None:
    disk = played(Step(Kind.WROTE, 1, 0, b"old"), Step(Kind.SYNCED, 1, 0, b""), Step(Kind.WROTE, 1, 2, b"new"))
    assert (disk.names, bytes(disk.live["file"].safe), [write.data for write in disk.waiting]) == ({}, b"old", [b"new"])
    disk.take(Step(Kind.FOLDER_SYNCED, 0, 0, b""))
    assert list(disk.names) == ["file"]


def test_what_a_sync_failed_for_is_not_safe_after_the_next_one() -> None:
    disk = played(Step(Kind.WROTE, 1, 0, b"lost"), Step(Kind.SYNC_FAILED, 1, 0, b""), Step(Kind.WROTE, 1, 2, b"kept"), Step(Kind.SYNCED, 1, 0, b""))
    assert bytes(disk.live["file"].safe) == b"\0\0kept"
    assert [(write.at, write.data) for write in disk.waiting] == [(0, b"lo")]


def test_a_cut_shortens_and_lengthens() -> None:
    content = bytearray(b"123456")
    node = played().live["file"]
    apply(content, Write(node, 2, cut=True))
    apply(content, Write(node, 4, cut=True))
    apply(content, Write(node, 6, b"7"))
    assert bytes(content) == b"12\0\0\0\0" + b"7"
