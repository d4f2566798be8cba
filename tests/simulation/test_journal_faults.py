"""Bad days of the journal: kills, full disks, damaged bytes, failed and ambiguous commits."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.errors import DiskFull, JournalCorrupt, StorageError, StorageFailed
from edge_agent.domain.tender import AttemptState
from sync.cipher import Connection, Rows, SqlError
from sync.file_lock import FileLock
from sync.journal import Journal
from sync.journal_disk import JournalDisk
from sync.journal_read import JournalReader
from tests.support_journal import KEY, a_commit, an_attempt, new_id, open_journal, raw, small_disk

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("EDGE_KILLS", "30"))
ACKNOWLEDGED_PER_KILL = 40


async def test_no_acknowledged_commit_is_lost_by_many_kills(tmp_path: Path) -> None:
    acknowledged = acknowledged_by_killed(tmp_path, KILLS)
    async with open_journal(tmp_path) as journal:
        assert not journal.clean_start
        missing = [command for command in acknowledged if not await journal.known_command(command)]
        assert missing == []
        found = journal.verify()
        assert found.problems == ()
        assert found.facts >= len(acknowledged) >= KILLS * ACKNOWLEDGED_PER_KILL
        assert [event.position for event in journal.tail(10**6)] == list(range(1, found.events + 1))


async def test_the_same_kills_find_commits_that_are_acknowledged_before_they_are_on_disk(tmp_path: Path) -> None:
    acknowledged = acknowledged_by_killed(tmp_path, 10, "early")
    async with open_journal(tmp_path) as journal:
        assert not all([await journal.known_command(command) for command in acknowledged])


def acknowledged_by_killed(folder: Path, kills: int, *words: str) -> list[str]:
    """What so many processes, one after the other, acknowledged on one journal before they were killed."""
    acknowledged: list[str] = []
    for turn in range(kills):
        with selling_child(folder, *words) as child:
            assert child.stdout is not None
            acknowledged += [child.stdout.readline().decode().strip() for _ in range(ACKNOWLEDGED_PER_KILL + turn % 30)]
            child.send_signal(signal.SIGKILL)
            acknowledged += [line.decode().strip() for line in child.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    return acknowledged


@contextmanager
def selling_child(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that commits in a loop, once it is ready; killed at the end whatever happens."""
    child = subprocess.Popen([sys.executable, "-m", "tests.support_journal_child", str(folder), *words], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


async def test_a_full_disk_stops_selling_loses_nothing_and_leaves_room_to_finish_a_payment(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=3_000) as folder:
        journal = open_journal(folder, ballast_bytes=512 * 1024)
        payment = an_attempt("tender", "ref")
        await journal.commit(a_commit("intent", attempts=(payment,)))
        acknowledged: list[str] = []
        with pytest.raises(DiskFull) as told:
            await commit_without_end(journal, acknowledged)
        assert told.value.hint
        assert isinstance(journal.stopped, DiskFull)
        with pytest.raises(DiskFull):
            await journal.commit(a_commit("not now"))
        with pytest.raises(DiskFull):
            await journal.reopen()
        settled = an_attempt("tender", "ref", AttemptState.APPROVED, id=payment.id)
        assert (await journal.commit(a_commit("settled", attempts=(settled,), must=True))).fresh
        with pytest.raises(DiskFull):
            await journal.commit(a_commit("not now"))
        missing = [command for command in [*acknowledged, "intent", "settled"] if not await journal.known_command(command)]
        assert missing == []
        assert not await journal.known_command("not now")
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
        await journal.reopen()
        assert journal.stopped is None
        assert (await journal.commit(a_commit("again"))).fresh
        assert (folder / "journal.ballast").stat().st_size == 512 * 1024
        assert journal.verify().problems == ()
        await journal.close()


async def commit_without_end(journal: Journal, acknowledged: list[str]) -> None:
    while True:
        commit = a_commit(events=4, facts=2, snapshot=os.urandom(4_000))
        await journal.commit(commit)
        acknowledged.append(commit.command)


async def test_a_disk_that_is_full_at_the_start_opens_stopped_and_readable(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=2_000) as folder:
        async with open_journal(folder) as journal:
            await journal.commit(a_commit("before", events=3))
        (folder / "journal.ballast").unlink()
        fill(folder, leave=200_000)
        async with open_journal(folder, ballast_bytes=1_000_000) as journal:
            assert isinstance(journal.stopped, DiskFull)
            assert len(journal.load()[1]) == 3
            assert (await journal.commit(a_commit("money under way", must=True))).fresh
            (folder / "filler").unlink()
            await journal.reopen()
            assert (await journal.commit(a_commit())).fresh


def fill(folder: Path, leave: int) -> None:
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "filler").write_bytes(bytes(free - leave))


async def test_a_file_that_may_not_grow_stops_selling(tmp_path: Path) -> None:
    """The same for whoever may not mount: a process whose files may not grow beyond a limit."""
    script = """
import asyncio, resource, sys
from pathlib import Path
from edge_agent.domain.errors import StorageError
from tests.support_journal import a_commit, open_journal

async def main():
    journal = open_journal(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))
    try:
        while True:
            commit = a_commit(events=3, facts=1, snapshot=bytes(5000))
            await journal.commit(commit)
            print(commit.command, flush=True)
    except StorageError as problem:
        print("stopped", type(problem).__name__, flush=True)
    try:
        await journal.commit(a_commit("no"))
    except StorageError:
        print("refused", flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await journal.reopen()
    await journal.commit(a_commit("again"))
    print("again", flush=True)
    await journal.close()

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert done.stderr == b""
    *acknowledged, stopped, refused, again = done.stdout.decode().splitlines()
    assert (stopped.split()[0], refused, again) == ("stopped", "refused", "again")
    async with open_journal(tmp_path) as journal:
        missing = [command for command in [*acknowledged, "again"] if not await journal.known_command(command)]
        assert missing == []
        assert not await journal.known_command("no")
        assert journal.verify().problems == ()


async def test_a_damaged_byte_is_found_when_opening_and_by_verify_and_nothing_reaches_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with open_journal(tmp_path) as journal:
        for _ in range(50):
            await journal.commit(a_commit(events=5, facts=2))
    path = tmp_path / "journal.db"
    whole = path.read_bytes()
    pages = len(whole) // 4096
    for at in (100, 4096 * (pages // 2) + 1000, len(whole) - 50):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(JournalCorrupt) as told:
            open_journal(tmp_path)
        assert "Delete nothing" in told.value.hint
        reader = JournalReader.open(tmp_path, KEY)
        assert not reader.verify().sound
        reader.close()
    path.write_bytes(whole)
    async with open_journal(tmp_path) as journal:
        assert journal.verify().sound
    assert capfd.readouterr().err == ""


async def test_a_damaged_page_stops_a_running_journal_instead_of_being_answered(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        for _ in range(50):
            await journal.commit(a_commit(events=20, facts=5))
    journal = open_journal(tmp_path)
    path = tmp_path / "journal.db"
    with path.open("r+b") as file:
        size = path.stat().st_size
        for page in range(3, size // 4096):
            file.seek(page * 4096 + 100)
            file.write(b"damage")
    with pytest.raises(JournalCorrupt):
        journal.facts_after("trade", 0, 1000, 1 << 30)
    assert not journal.verify().sound
    with pytest.raises(StorageError):
        await journal.reopen()
    assert journal.stopped is not None
    await journal.close()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE event SET body = x'7b7d' WHERE position = 3",
        "UPDATE event SET at_ms = at_ms + 1 WHERE position = 5",
        "DELETE FROM event WHERE position = 2",
        "UPDATE fact SET wire = replace(CAST(wire AS TEXT), '1999', '1998') WHERE number = 2",
        "DELETE FROM fact WHERE number = 3",
        "DELETE FROM fact WHERE number = 5",
        "UPDATE fact SET prev = hash WHERE number = 4",
    ],
)
async def test_a_row_that_was_tampered_with_is_found_although_the_pages_are_right(tmp_path: Path, harm: str) -> None:
    async with open_journal(tmp_path) as journal:
        for _ in range(5):
            await journal.commit(a_commit(events=1, facts=1))
        assert journal.verify().sound
    with raw(tmp_path) as db:
        db.execute(harm.replace("replace(CAST(wire AS TEXT), '1999', '1998')", "CAST(replace(CAST(wire AS TEXT), '1999', '1998') AS BLOB)"))
    reader = JournalReader.open(tmp_path, KEY)
    assert reader.verify().problems
    reader.close()
    with pytest.raises(JournalCorrupt, match="tail does not verify"):
        open_journal(tmp_path)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a process that was killed while it committed, and what it had acknowledged."""
    folder = tmp_path_factory.mktemp("killed")
    with selling_child(folder) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline().decode().strip() for _ in range(60)]
        child.kill()
        child.wait()
    return folder, acknowledged


def log_of(folder: Path) -> tuple[bytes, list[tuple[int, bool]]]:
    """The write-ahead log, and of each frame in use its place and whether a commit ends with it."""
    log = (folder / "journal.db-wal").read_bytes()
    places = range(32, len(log) - 24 - 4096 + 1, 24 + 4096)
    return log, [(at, log[at + 4 : at + 8] != bytes(4)) for at in places if log[at + 8 : at + 16] == log[16:24]]


@pytest.mark.parametrize("part", ["an early page", "a commit's page", "a header", "the last but one commit"])
async def test_damage_in_the_log_is_found_and_nothing_is_touched(killed: tuple[Path, list[str]], tmp_path: Path, part: str) -> None:
    folder = tmp_path / "journal"
    shutil.copytree(killed[0], folder)
    log, frames = log_of(folder)
    commits = [at for at, commit in frames if commit]
    at = {
        "an early page": frames[10][0] + 500,
        "a commit's page": commits[len(commits) // 2] + 500,
        "a header": commits[len(commits) // 2] + 17,
        "the last but one commit": commits[-2] + 100,
    }
    damaged = bytearray(log)
    damaged[at[part]] ^= 1
    (folder / "journal.db-wal").write_bytes(damaged)
    (folder / "journal.db-shm").unlink()
    with pytest.raises(JournalCorrupt, match="committed pages follow a damaged one"):
        open_journal(folder)
    assert (folder / "journal.db-wal").read_bytes() == bytes(damaged)


@pytest.mark.parametrize("torn", ["cut off in a page", "cut off in a header", "its middle never written", "its end never written"])
async def test_a_last_commit_that_was_never_finished_is_no_damage(killed: tuple[Path, list[str]], tmp_path: Path, torn: str) -> None:
    folder = tmp_path / "journal"
    shutil.copytree(killed[0], folder)
    log, frames = log_of(folder)
    *_, before_last, last = [place for place, (_, commit) in enumerate(frames) if commit]
    first, end = frames[before_last + 1][0], frames[last][0] + 24 + 4096
    whole = log[:end]
    match torn:
        case "cut off in a page":
            whole = whole[:-1000]
        case "cut off in a header":
            whole = whole[: first + 10]
        case "its middle never written":
            whole = whole[: first + 24] + bytes(4096) + whole[first + 24 + 4096 :]
        case _:
            whole = whole[:-4096] + bytes(4096)
    (folder / "journal.db-wal").write_bytes(whole)
    (folder / "journal.db-shm").unlink()
    (folder / "journal.db-high").unlink()  # it names a commit only after that was synced: of this one it says nothing
    async with open_journal(folder) as journal:
        assert await journal.known_command(killed[1][-10])  # at most one commit per task is in the last transaction
        assert journal.verify().problems == ()


class FaultyConnection:
    """A connection whose COMMITs fail as told: before they did anything, or after they did all."""

    def __init__(self, db: Connection, faults: list[str]) -> None:
        self._db = db
        self._faults = faults

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = (), /) -> Rows:
        if sql == "COMMIT" and self._faults:
            fault = self._faults.pop(0)
            if fault == "after":
                self._db.execute("COMMIT")
            raise SqlError("disk I/O error")
        return self._db.execute(sql, parameters)

    def executemany(self, sql: str, parameters: object, /) -> Rows:
        return self._db.executemany(sql, parameters)  # type: ignore[arg-type] # handed through as it came

    def close(self) -> None:
        self._db.close()


class FaultyDisk(JournalDisk):
    """A disk whose connections fail as told."""

    def __init__(self, folder: Path, faults: list[str]) -> None:
        super().__init__(folder, KEY, SystemRandom(), ballast_bytes=4096)
        self.faults = faults
        self.settles = True

    def settle(self, db: Connection) -> bool:
        if not self.settles:
            raise SqlError("disk I/O error")
        return super().settle(db)

    def open(self) -> Connection:
        return FaultyConnection(super().open(), self.faults)  # type: ignore[return-value] # in_transaction is read-only here


def open_faulty(folder: Path, faults: list[str]) -> tuple[Journal, FaultyDisk]:
    disk = FaultyDisk(folder, [])
    lock = FileLock(folder / "journal.lock")
    lock.take()
    journal = Journal(disk, lock, SystemClock(), SystemRandom(), new_id)
    journal._writer.start(journal._began)
    disk.faults += faults
    return journal, disk


async def test_a_commit_that_failed_after_it_was_written_is_answered_as_written(tmp_path: Path) -> None:
    journal, _ = open_faulty(tmp_path, ["after"])
    done = await asyncio.gather(*(journal.commit(a_commit(name, facts=1)) for name in ("a", "b")))
    assert [(one.fresh, one.position) for one in done] == [(True, 1), (True, 2)]
    assert isinstance(journal.stopped, StorageFailed)
    with pytest.raises(StorageFailed):
        await journal.commit(a_commit("c"))
    await journal.reopen()
    assert not (await journal.commit(a_commit("a"))).fresh
    assert (await journal.commit(a_commit("c"))).position == 3
    assert journal.verify().sound
    await journal.close()


async def test_a_commit_that_failed_before_it_was_written_is_not_there_and_can_be_repeated(tmp_path: Path) -> None:
    journal, _ = open_faulty(tmp_path, ["before"])
    failed = await asyncio.gather(*(journal.commit(a_commit(name, facts=1)) for name in ("a", "b")), return_exceptions=True)
    assert [type(one) for one in failed] == [StorageFailed, StorageFailed]
    assert not await journal.known_command("a")
    await journal.reopen()
    assert (await journal.commit(a_commit("a", facts=1))).fresh
    assert journal.streams()[0].head == 1
    await journal.close()


async def test_works_that_wait_while_the_file_fails_are_all_answered(tmp_path: Path) -> None:
    journal, disk = open_faulty(tmp_path, [])
    disk.faults += ["before"]
    results = await asyncio.gather(*(journal.commit(a_commit()) for _ in range(1500)), return_exceptions=True)
    assert len(results) == 1500
    assert any(isinstance(result, StorageFailed) for result in results)
    stored = len(journal.tail(5000))
    assert stored == sum(not isinstance(result, BaseException) for result in results)
    await journal.close()
