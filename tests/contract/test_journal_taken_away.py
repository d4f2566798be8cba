"""The journal's files are removed or replaced while it is open: what it acknowledged is saved, put back, and there after a restart."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from edge_agent.domain.errors import JournalCorrupt, JournalLocked, StorageError, StorageFailed
from sync.file_lock import FileLock
from sync.journal import Journal
from sync.journal_held import HeldFile
from sync.journal_read import JournalReader
from tests.support_journal import KEY, a_commit, open_journal, small_disk

ROOT = Path(__file__).parents[2]
NAMES = ("journal.db", "journal.db-wal", "journal.db-shm")


def remove(*names: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return harm


def move_away(folder: Path) -> None:
    (folder / "journal.db").rename(folder / "journal.db.bak")


def replace_the_log(folder: Path) -> None:
    (folder / "another").write_bytes((folder / "journal.db-wal").read_bytes()[:-8192] + os.urandom(8192))
    (folder / "another").rename(folder / "journal.db-wal")


TAKEN: dict[str, Callable[[Path], None]] = {
    "the file": remove("journal.db"),
    "everything": remove(*NAMES),
    "the file, moved": move_away,
    "the log": remove("journal.db-wal"),
    "the log and its index": remove("journal.db-wal", "journal.db-shm"),
    "the log, replaced": replace_the_log,
}


async def selling(journal: Journal, acknowledged: list[str], count: int = 1) -> None:
    for _ in range(count):
        commit = a_commit(events=2, facts=1)
        await journal.commit(commit)
        acknowledged.append(commit.command)


async def lost(folder: Path, acknowledged: Sequence[str]) -> list[str]:
    """What of it a start does not find."""
    async with open_journal(folder) as journal:
        assert journal.verify().problems == ()
        return [command for command in acknowledged if not await journal.known_command(command)]


def stray(folder: Path) -> set[str]:
    """What lies in the folder beside what belongs there."""
    return {path.name for path in folder.iterdir()} - {*NAMES, "journal.db-high", "journal.lock", "journal.ballast"}


@pytest.mark.parametrize("harm", TAKEN)
@pytest.mark.parametrize("read_before", [True, False], ids=["with readers", "without readers"])
async def test_what_is_taken_away_is_put_back_and_nothing_acknowledged_is_lost(tmp_path: Path, harm: str, read_before: bool) -> None:
    acknowledged: list[str] = []
    journal = open_journal(tmp_path)
    await selling(journal, acknowledged, 30)
    if read_before:
        assert journal.position() == 60
    TAKEN[harm](tmp_path)
    await selling(journal, acknowledged)  # it is in the file that was open, and is answered only once it is in the one that a start finds
    assert isinstance(journal.stopped, StorageFailed)
    assert journal.stopped.reason == "taken"
    assert "Do not restart" in journal.stopped.hint
    with pytest.raises(StorageFailed):
        await journal.commit(a_commit("while stopped"))
    reader = JournalReader.open(tmp_path, KEY)
    assert all(reader.known_command(command) for command in acknowledged), "it is at its path already"
    reader.close()
    await journal.reopen()
    await selling(journal, acknowledged, 20)
    assert journal.position() == 2 * len(acknowledged)
    assert not await journal.known_command("while stopped")
    await journal.close()
    assert await lost(tmp_path, acknowledged) == []
    assert stray(tmp_path) <= {"journal.db.bak", "journal.db-wal.aside"}


async def test_control_without_looking_an_acknowledged_sale_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HeldFile, "astray", False)
    acknowledged: list[str] = []
    journal = open_journal(tmp_path)
    await selling(journal, acknowledged, 3)
    remove(*NAMES)(tmp_path)
    await selling(journal, acknowledged)
    await journal.close()
    assert await lost(tmp_path, acknowledged) == acknowledged


@pytest.mark.parametrize("harm", TAKEN)
async def test_whoever_reads_meanwhile_reads_to_the_end(tmp_path: Path, harm: str) -> None:
    acknowledged: list[str] = []
    journal = open_journal(tmp_path)
    await selling(journal, acknowledged, 20)
    export = journal.export()
    read = [next(export)]
    TAKEN[harm](tmp_path)
    with suppress(StorageFailed):  # a reader is in the way of being certain
        await selling(journal, acknowledged)
    with suppress(StorageFailed):
        await journal.reopen()
        await selling(journal, acknowledged, 20)
    read += export
    assert len(read) == 60
    await journal.reopen()
    await selling(journal, acknowledged, 20)
    assert journal.stopped is None
    assert journal.verify().sound
    await journal.close()
    assert await lost(tmp_path, acknowledged) == []


@pytest.mark.parametrize("harm", TAKEN)
async def test_a_journal_that_nobody_writes_is_looked_after_and_saved_before_it_ends(tmp_path: Path, harm: str) -> None:
    acknowledged: list[str] = []
    journal = open_journal(tmp_path)
    await selling(journal, acknowledged, 5)
    await journal.look_after()
    assert journal.stopped is None
    TAKEN[harm](tmp_path)
    await journal.look_after()
    assert isinstance(journal.stopped, StorageFailed)
    shutil.copytree(tmp_path, tmp_path / "killed now", ignore=shutil.ignore_patterns("killed now"))
    await journal.close()
    assert await lost(tmp_path / "killed now", acknowledged) == []
    assert await lost(tmp_path, acknowledged) == []


@pytest.mark.parametrize("harm", TAKEN)
async def test_what_was_taken_in_the_last_second_is_put_back_at_the_end(tmp_path: Path, harm: str) -> None:
    acknowledged: list[str] = []
    journal = open_journal(tmp_path)
    await selling(journal, acknowledged, 5)
    TAKEN[harm](tmp_path)
    await journal.close()
    assert await lost(tmp_path, acknowledged) == []
    async with open_journal(tmp_path) as again:
        assert again.clean_start


@pytest.mark.parametrize("other", ["an older copy of it", "something else"])
async def test_another_file_in_its_place_is_not_written_read_or_removed_and_the_copy_waits(tmp_path: Path, other: str) -> None:
    acknowledged: list[str] = []
    async with open_journal(tmp_path) as before:
        await selling(before, acknowledged, 5)
    shutil.copy(tmp_path / "journal.db", tmp_path / "backup")
    if other == "something else":
        (tmp_path / "backup").write_bytes(os.urandom(20_000))
    content = (tmp_path / "backup").read_bytes()
    journal = open_journal(tmp_path)
    await selling(journal, acknowledged, 5)
    os.replace(tmp_path / "backup", tmp_path / "journal.db")
    with pytest.raises(StorageFailed) as told:
        await selling(journal, acknowledged)
    assert told.value.reason == "replaced"
    assert "journal-rescued.db" in told.value.message
    assert "Move journal.db out of" in told.value.hint
    with pytest.raises(StorageFailed, match=r"journal-rescued\.db"):
        await journal.reopen()
    assert (tmp_path / "journal.db").read_bytes() == content
    await journal.close()
    with pytest.raises(StorageFailed) as started:
        open_journal(tmp_path)
    assert started.value.key == "storage_failed.replaced"
    assert (tmp_path / "journal.db").read_bytes() == content
    (tmp_path / "journal.db").rename(tmp_path / "theirs")
    assert await lost(tmp_path, acknowledged) == []
    assert stray(tmp_path) == {"theirs"}


async def test_it_goes_on_by_itself_once_the_other_file_is_moved_away(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    journal = open_journal(tmp_path)
    await selling(journal, acknowledged, 5)
    (tmp_path / "theirs").write_bytes(b"another")
    os.replace(tmp_path / "theirs", tmp_path / "journal.db")
    await journal.look_after()
    with pytest.raises(StorageFailed):
        await journal.reopen()
    (tmp_path / "journal.db").rename(tmp_path / "theirs")
    await journal.reopen()
    await selling(journal, acknowledged, 3)
    assert journal.verify().sound
    await journal.close()
    assert await lost(tmp_path, acknowledged) == []


async def test_without_room_for_a_copy_it_says_that_only_the_service_has_it_and_waits_for_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=6_000) as folder:
        acknowledged: list[str] = []
        journal = open_journal(folder)
        for _ in range(30):
            commit = a_commit(events=4, facts=2, snapshot=os.urandom(50_000))
            await journal.commit(commit)
            acknowledged.append(commit.command)
        free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        (folder / "filler").write_bytes(bytes(free - 200_000))
        (folder / "journal.db").unlink()
        await journal.look_after()
        assert isinstance(journal.stopped, JournalCorrupt)  # of which the screen does not say that all is safe
        assert journal.stopped.reason == "unsaved"
        assert "it alone still has what was sold" in journal.stopped.hint
        assert "Make room" in journal.stopped.hint
        with pytest.raises(StorageError):
            await journal.reopen()
        (folder / "filler").unlink()
        await journal.reopen()
        await selling(journal, acknowledged)
        await journal.close()
        assert await lost(folder, acknowledged) == []


@pytest.mark.parametrize("at", ["before the name", "between the names"])
async def test_a_start_finishes_a_put_back_that_was_cut_short(tmp_path: Path, at: str) -> None:
    acknowledged: list[str] = []
    async with open_journal(tmp_path) as journal:
        await selling(journal, acknowledged, 5)
    (tmp_path / "journal.db").rename(tmp_path / "journal-rescued.db")
    if at == "between the names":
        os.link(tmp_path / "journal-rescued.db", tmp_path / "journal.db")
    assert await lost(tmp_path, acknowledged) == []
    assert stray(tmp_path) == set()


async def test_a_log_without_its_journal_is_not_taken_for_a_first_start(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "live")
    await journal.commit(a_commit())
    shutil.copytree(tmp_path / "live", tmp_path / "cut")
    await journal.close()
    log = (tmp_path / "cut" / "journal.db-wal").read_bytes()
    for content in (None, b""):
        (tmp_path / "cut" / "journal.db").unlink(missing_ok=True)
        if content is not None:
            (tmp_path / "cut" / "journal.db").write_bytes(content)
        with pytest.raises(JournalCorrupt) as told:
            open_journal(tmp_path / "cut")
        assert told.value.reason == "missing"
        assert (tmp_path / "cut" / "journal.db-wal").read_bytes() == log


# --- the lock ---------------------------------------------------------------------------------------------------------------------

SECOND = """
import sys
from pathlib import Path
from edge_agent.domain.errors import JournalLocked
from tests.support_journal import open_journal
try:
    open_journal(Path(sys.argv[1]))
except JournalLocked:
    print("refused")
else:
    print("opened")
"""


def second_service(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", SECOND, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip() or done.stderr


async def test_a_second_service_is_refused_also_when_the_lock_was_deleted(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        assert await asyncio.to_thread(second_service, tmp_path) == "refused"
        (tmp_path / "journal.lock").unlink()
        assert await asyncio.to_thread(second_service, tmp_path) == "refused"
        await journal.commit(a_commit())
    assert await asyncio.to_thread(second_service, tmp_path) == "opened"


async def test_a_lock_that_was_deleted_is_taken_again(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        for harm in (FileLock.release, lambda lock: None):
            (tmp_path / "journal.lock").unlink()
            other = FileLock(tmp_path / "journal.lock")
            other.take()  # as a second service does for a moment
            await journal.look_after()
            harm(other)
            await journal.look_after()
            other.release()
            await journal.look_after()
            with pytest.raises(JournalLocked, match=rf"process {os.getpid()}"):
                FileLock(tmp_path / "journal.lock").take()
        assert journal.stopped is None


async def test_after_a_kill_nothing_is_locked(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-m", "tests.support_journal_child", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        (tmp_path / "journal.lock").unlink()
        with pytest.raises(JournalLocked):
            open_journal(tmp_path)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()  # type: ignore[union-attr] # it was asked for
    async with open_journal(tmp_path) as journal:
        assert (await journal.commit(a_commit())).fresh
