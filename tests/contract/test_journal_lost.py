"""A journal that is gone: taken from under the running service, missing at a start, and begun anew after an enrolment; no receipt number comes twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent import views as v
from edge_agent.bootstrap import Agent, keys_of
from edge_agent.client import AgentClient, ApiProblem
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.demo.processes import ServiceProgram
from edge_agent.domain.errors import ConfigError, JournalCorrupt
from edge_agent.domain.register import Register
from edge_agent.service.codec import write_state
from sync.central.serving import EmbeddedCentral
from sync.contract.messages import Enrolled
from sync.enrolment import Enrolment, save
from tests.contract.test_service_process import central, client_of, edge_agent, sample, shop, some_article, until  # noqa: F401 - fixtures
from tests.support_journal import a_commit

NAMES = ("journal.db", "journal.db-wal", "journal.db-shm")
Shop = tuple[ServiceProgram, AgentClient, Path]


async def sold(client: AgentClient, article: v.ArticleView) -> str:
    """One piece for cash: its receipt's code."""
    await client.send(v.Enter(article.gtin))
    done = await client.send(v.PayCash())
    assert done.last_sale is not None
    return done.last_sale.receipt


async def signed_in(client: AgentClient) -> None:
    """As soon as the copy of the staff is there again: it was sealed with a key of the journal that is gone."""
    async with asyncio.timeout(20.0):
        while True:
            try:
                await client.send(v.OpenShift("STAFF-1001"))
            except ApiProblem as problem:
                assert problem.problem.key == "code_unknown.badge_coming"
                await asyncio.sleep(0.1)
            else:
                return


async def receipts(client: AgentClient) -> list[str]:
    return [sale.receipt for sale in await client.sales("")]


async def test_a_journal_deleted_under_the_running_service_is_put_back_and_the_next_start_has_every_sale(shop: Shop) -> None:  # noqa: F811 - the fixture
    service, client, folder = shop
    article = await some_article(client)
    known = [await sold(client, article)]
    for name in NAMES:
        (folder / "a" / name).unlink()
    stopped = await until(client, lambda now: now.phase == "stopped", "it to be noticed though nobody sells")
    assert stopped.stopped is not None
    assert stopped.stopped.key == "storage_failed.taken"
    await until(client, lambda now: now.phase == "ready", "selling to go on")
    known.append(await sold(client, article))
    service.kill()
    service.start()
    await until(client, lambda now: now.phase == "ready", "the next start")
    known.append(await sold(client, article))
    assert known == [f"R-0001-02-00000{number}" for number in (1, 2, 3)]
    assert await receipts(client) == known[::-1]
    log = (folder / "service.log").read_text()
    assert "was removed or replaced while the service runs" in log
    assert "selling resumed" in log


@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
async def test_a_journal_that_is_missing_at_the_start_is_said_and_taken_up_when_it_is_put_back(shop: Shop, empty: bool) -> None:  # noqa: F811 - the fixture
    service, client, folder = shop
    article = await some_article(client)
    known = [await sold(client, article)]
    service.stop()
    path = folder / "a" / "journal.db"
    path.rename(folder / "kept")
    for name in NAMES[1:]:
        (folder / "a" / name).unlink(missing_ok=True)
    if empty:
        path.touch()
    service.start()
    stopped = await until(client, lambda now: now.phase == "stopped", "the service to say that it stopped")
    assert stopped.stopped is not None
    assert stopped.stopped.key == "journal_corrupt.missing"
    assert "edge-agent enrol" in stopped.stopped.hint
    with pytest.raises(ApiProblem):
        await client.send(v.Enter(article.gtin))
    assert not path.exists() or path.stat().st_size == 0
    (folder / "kept").rename(path)
    await until(client, lambda now: now.phase == "ready", "the journal to be taken up")
    known.append(await sold(client, article))
    assert await receipts(client) == known[::-1]


async def test_enrolled_anew_without_its_journal_the_register_counts_on_where_no_receipt_came(shop: Shop, central: EmbeddedCentral) -> None:  # noqa: F811
    service, client, folder = shop
    article = await some_article(client)
    assert await sold(client, article) == "R-0001-02-000001"
    service.stop()
    for path in (folder / "a").glob("journal*"):
        path.unlink()
    looked = edge_agent(folder / "a.toml", "journal", "verify")
    assert (looked.returncode, "is missing or empty, although this register has a journal" in looked.stderr) == (1, True), looked.stderr
    again = edge_agent(folder / "a.toml", "enrol", central.url, central.central.enrol_code("0001", "02").code)
    assert "epoch 2" in again.stdout, again.stderr
    service.start()
    await until(client, lambda now: now.phase == "closed", "a new journal")
    await signed_in(client)
    assert [await sold(client, article) for _ in range(2)] == ["R-0001-02-1000001", "R-0001-02-1000002"]
    service.kill()
    service.start()
    await until(client, lambda now: now.phase == "ready", "the next start")
    assert await sold(client, article) == "R-0001-02-1000003"
    await until(client, lambda now: now.link.state == "in_step" and now.link.waiting == 0, "central to have it")
    assert central.central.reconcile().ok


# --- in process -------------------------------------------------------------------------------------------------------------------


def enrol(folder: Path, epoch: str) -> None:
    save(folder, Enrolment("http://127.0.0.1:9", Enrolled("acme", "0001", "Berlin", "02", epoch, "token", "DE", 1)))


async def started(folder: Path) -> int:
    """Start a register and stop it; the last receipt number that it knows."""
    config, random = Config(state=str(folder)), SystemRandom()
    agent = await Agent.start(config, keys_of(config, random), SystemClock(), random)
    try:
        await agent.journal.commit(a_commit(events=0, facts=1))
        return agent.core.state.receipts
    finally:
        await agent.stop()


def only_the_key_and_the_enrolment(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in ("journal-key", "enrolment.json", "enrolment.begun"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def without_its_key_too(folder: Path) -> None:
    for path in folder.glob("journal*"):
        path.unlink()


def of_an_older_version(folder: Path) -> None:
    """Which did not say that it had begun a journal."""
    (folder / "journal.db").unlink()
    (folder / "enrolment.begun").unlink()


def emptied(folder: Path) -> None:
    (folder / "journal.db").write_bytes(b"")


LOST: tuple[Callable[[Path], None], ...] = (only_the_key_and_the_enrolment, without_its_key_too, of_an_older_version, emptied)


@pytest.mark.parametrize("harm", LOST)
async def test_nothing_begins_in_the_place_of_a_journal_that_is_gone_until_the_register_is_enrolled_anew(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    enrol(tmp_path, "1")
    assert await started(tmp_path) == 0
    harm(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    for _ in range(2):
        with pytest.raises(JournalCorrupt) as told:
            await started(tmp_path)
        assert told.value.key == "journal_corrupt.missing"
    assert {path.name for path in tmp_path.iterdir()} - left <= {"enrolment.begun"}, "no journal, and no key, was made"
    enrol(tmp_path, "2")
    assert await started(tmp_path) == 1_000_000
    assert await started(tmp_path) == 1_000_000


async def test_a_journal_that_lost_its_end_stays_refused_until_the_register_is_enrolled_anew_and_is_kept(tmp_path: Path) -> None:
    enrol(tmp_path, "1")
    assert await started(tmp_path) == 0
    older = (tmp_path / "journal.db").read_bytes()
    config, random = Config(state=str(tmp_path)), SystemRandom()
    agent = await Agent.start(config, keys_of(config, random), SystemClock(), random)
    await agent.journal.commit(a_commit(events=3))
    await agent.stop()
    (tmp_path / "journal.db").write_bytes(older)
    for _ in range(2):
        with pytest.raises(JournalCorrupt) as told:
            await started(tmp_path)
        assert told.value.key == "journal_corrupt.tail_lost"
    enrol(tmp_path, "2")
    assert await started(tmp_path) == 1_000_000
    assert (tmp_path / "journal.db.aside").exists()
    assert await started(tmp_path) == 1_000_000


async def test_a_first_start_that_was_cut_short_is_no_loss(tmp_path: Path) -> None:
    """Power goes after the key was made, and after the file was."""
    enrol(tmp_path, "1")
    config = Config(state=str(tmp_path))
    keys_of(config, SystemRandom()).journal_key()
    (tmp_path / "journal.lock").touch()
    assert await started(tmp_path) == 0
    other = tmp_path / "other"
    enrol(tmp_path, "1")
    other.mkdir()
    shutil.copy(tmp_path / "journal-key", other)
    shutil.copy(tmp_path / "enrolment.json", other)
    (other / "journal.db").touch()
    assert await started(other) == 0


async def test_a_journal_that_is_kept_counts_on_where_no_receipt_came_under_a_new_enrolment(tmp_path: Path) -> None:
    enrol(tmp_path, "1")
    config, random = Config(state=str(tmp_path)), SystemRandom()
    agent = await Agent.start(config, keys_of(config, random), SystemClock(), random)
    await agent.journal.commit(a_commit(events=0, snapshot=write_state(Register(receipts=41))))
    await agent.stop()
    image = tmp_path / "image"
    shutil.copytree(tmp_path, image)
    assert await started(image) == 41
    enrol(tmp_path, "2")
    assert await started(tmp_path) == 1_000_000
    assert await started(tmp_path) == 1_000_000
    enrol(image, "3")
    assert await started(image) == 2_000_000, "an image of the disk from before knows nothing of what was sold since"
    (tmp_path / "journal.db").unlink()
    with pytest.raises(JournalCorrupt):  # it is the new enrolment's now
        await started(tmp_path)


@pytest.mark.parametrize("name", ["replica", "downloads"])
@pytest.mark.parametrize("what", ["a file", "a link to /nowhere"])
async def test_what_stands_in_a_folder_s_place_is_named_with_what_to_do(tmp_path: Path, name: str, what: str) -> None:
    enrol(tmp_path, "1")
    if what == "a file":
        (tmp_path / name).write_text("mine")
    else:
        (tmp_path / name).symlink_to("/nowhere")
    with pytest.raises(ConfigError) as told:
        await started(tmp_path)
    assert told.value.message.startswith(f"{tmp_path / name}: expected a folder (")
    assert f"got {what}" in told.value.message
    assert f"mv {tmp_path / name} " in told.value.hint
    (tmp_path / name).rename(tmp_path / "aside")
    assert await started(tmp_path) == 0
