"""The real service as its own process beside a real central: what IT meets when something is wrong, and what a kill leaves behind."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from edge_agent import views as v
from edge_agent.client import AgentClient, ApiProblem, ServiceUnreachable
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import load_config
from edge_agent.demo.processes import ServiceProgram
from edge_agent.demo.sample import write_folder
from edge_agent.screen import spoken_language
from sync.central.seeding import seed_folder
from sync.central.serving import EmbeddedCentral
from tests.support_command_line import configured, edge_agent

DEADLINE = 30.0


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_folder(folder, 1)
    return folder


@pytest.fixture
def central(sample: Path, tmp_path: Path) -> Iterator[EmbeddedCentral]:
    embedded = EmbeddedCentral(tmp_path / "central")
    embedded.start()
    try:
        for _ in seed_folder(embedded.central, sample) or ():
            pass
        yield embedded
    finally:
        embedded.stop()


def enrolled(folder: Path, central: EmbeddedCentral, name: str = "a") -> Path:
    config = configured(folder, name)
    done = edge_agent(config, "enrol", central.url, central.central.enrol_code("0001", "02").code)
    assert done.returncode == 0, done.stderr
    assert "register 02 of store 0001" in done.stdout
    assert f"Kept in {folder / name}: enrolment.json and the device's key." in done.stdout
    assert f"`edge-agent --config {config} run`" in done.stdout
    return config


def client_of(folder: Path, name: str = "a") -> AgentClient:
    return AgentClient(httpx.AsyncHTTPTransport(uds=str(folder / name / "api.sock")), new_id=ClockIds(SystemClock(), SystemRandom()))


async def until(client: AgentClient, condition, what: str) -> v.Snapshot:
    """The first snapshot for which ``condition`` holds."""
    try:
        async with asyncio.timeout(DEADLINE):
            async for news in client.news():
                if isinstance(news, v.Snapshot) and condition(news):
                    return news
    except TimeoutError:
        raise AssertionError(f"waited {DEADLINE} s for {what}") from None
    raise AssertionError("the news ended")


@pytest.fixture
async def shop(central: EmbeddedCentral, tmp_path: Path) -> AsyncIterator[tuple[ServiceProgram, AgentClient, Path]]:
    config = enrolled(tmp_path, central)
    with ServiceProgram(config, tmp_path / "service.log") as service:
        service.start()
        async with client_of(tmp_path) as client:
            await until(client, lambda now: now.phase == "closed" and now.link.state == "in_step", "the service to be in step")
            await replica_there(client)
            await client.send(v.OpenShift("STAFF-1001"))
            yield service, client, tmp_path


async def replica_there(client: AgentClient) -> None:
    async with asyncio.timeout(DEADLINE):
        while (
            not any(row.price for row in (await client.articles("a", 20)).rows)
            or (await client.status()).people_as_of_ms is None
            or not (await client.customers("a", 1)).rows
        ):
            await asyncio.sleep(0.05)
        while True:
            try:
                await client.send(v.OpenShift("nobody"))
            except ApiProblem as problem:
                if problem.problem.key == "code_unknown.badge":
                    return


async def drained(client: AgentClient, *, trade: int) -> None:
    """Wait until central has acknowledged everything, and at least so many facts of the trade stream."""
    async with asyncio.timeout(DEADLINE):
        while True:
            streams = {row.stream: row for row in (await client.status()).streams}
            if streams["trade"].acknowledged >= trade and all(row.waiting == 0 for row in streams.values()):
                return
            await asyncio.sleep(0.02)


async def some_article(client: AgentClient) -> v.ArticleView:
    rows = (await client.articles("coat", 20)).rows or (await client.articles("a", 20)).rows
    return next(row for row in rows if row.per == "piece" and row.price is not None and row.gtin)


async def test_a_kill_in_the_middle_of_a_sale_brings_the_basket_back_and_the_sale_reaches_central_once(shop, central):
    service, client, _ = shop
    article = await some_article(client)
    before = await client.send(v.Enter(article.gtin))
    service.kill()
    service.start()
    after = await until(client, lambda now: now.boot != before.boot and now.phase == "selling", "the basket to come back")
    assert [line.sku for line in after.basket.lines] == [article.sku]
    done = await client.send(v.PayCash())
    assert done.last_sale.total.minor == article.price.minor
    await drained(client, trade=2)
    found = central.central.reconcile()
    assert sum(books.sales for register in found.registers for books in register.books) == 1


async def test_another_command_under_an_id_that_was_used_before_a_kill_is_refused_and_the_same_one_is_answered(shop):
    service, client, folder = shop
    same = ClockIds(SystemClock(), SystemRandom())()
    article = await some_article(client)
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(folder / "a" / "api.sock")), base_url="http://service") as plain:

        async def post(command: v.AnyCommand) -> httpx.Response:
            return await plain.post("/v1/commands", content=v.ENCODER.encode(v.Request(same, command)), headers={"Content-Type": "application/json"})

        before = v.AddArticle(article.sku)
        boot = (await post(before)).raise_for_status().json()["boot"]
        service.kill()
        service.start()
        await until(client, lambda now: now.boot != boot and now.phase == "selling", "the basket to come back")
        paid = await post(v.PayCash())
        assert (paid.status_code, paid.json()["key"]) == (409, "not_now.id_used")
        again = await post(before)
        assert again.status_code == 200
        assert [(line["sku"], line["pieces"]) for line in again.json()["basket"]["lines"]] == [(article.sku, 1)]


async def test_a_second_service_on_one_journal_is_refused_and_says_so(shop):
    _, client, folder = shop
    second = configured(folder, "second", f'[api]\nsocket = "{folder / "second.sock"}"\n')
    second.write_text(second.read_text().replace(str(folder / "second") + '"\n', str(folder / "a") + '"\n', 1))
    done = edge_agent(second, "run")
    assert done.returncode == 1
    assert "another service" in done.stderr.lower() or "already" in done.stderr.lower()
    assert "service starts" not in done.stderr  # it never did
    assert done.stderr.startswith("error: ")
    assert (folder / "service.log").read_text().count("service starts") == 1
    assert (await client.status()).phase == "ready"


@pytest.mark.parametrize("speaks_first", ["original sold", "clone started", "clone sold"])
async def test_a_cloned_journal_on_a_second_pc_freezes_the_register_and_both_sides_say_why(shop, central, speaks_first):
    """The disk is copied while the original stands idle in step. Each machine is heard of by the other only through central, and by a change of its."""
    _, original, folder = shop
    article = await some_article(original)
    await drained(original, trade=1)
    shutil.copytree(folder / "a", folder / "b", ignore=shutil.ignore_patterns("*.sock"))
    if speaks_first == "original sold":
        await sold(original, article)
        await drained(original, trade=2)
    with ServiceProgram(configured(folder, "b"), folder / "b.log") as service:
        service.start()
        async with client_of(folder, "b") as clone:
            if speaks_first != "original sold":
                await until(clone, lambda now: now.link.state == "in_step" and now.phase == "ready", "the clone to be in step")
            if speaks_first == "clone sold":
                await sold(clone, article)
                await drained(clone, trade=2)
            told = [await told_frozen(client, central, article) for client in (original, clone)]
            for snapshot in told:
                assert snapshot.link.reason in ("fork", "frozen")  # who showed it is told a fork, who only asked that it is frozen
                assert any(words in snapshot.link.detail for words in ("Two machines wrote under one identity", "Two machines sell as this register"))
                assert snapshot.link.hint
            at_central = [await waiting(client) for client in (original, clone)]
            assert (await original.send(v.Enter(article.gtin))).basket is not None  # what stands at the counter can still be served
            await sold(clone, article)
            assert [await waiting(client) for client in (original, clone)] == [at_central[0], at_central[1] + 1], "nothing more is sent"
        status = [edge_agent(folder / name, "status") for name in ("a.toml", "b.toml")]
    assert [(done.returncode, "FROZEN" in done.stdout) for done in status] == [(1, True), (1, True)]
    found = central.central.reconcile()
    (why,) = found.attention
    assert found.ok
    assert why.startswith("register 0001/02 is frozen (Two machines ")
    assert found.sales == (0 if speaks_first == "clone started" else 1)


async def sold(client: AgentClient, article: v.ArticleView) -> None:
    """One piece of it, for cash."""
    await client.send(v.Enter(article.gtin))
    await client.send(v.PayCash())


async def waiting(client: AgentClient) -> int:
    """How many facts of the trade stream central has not acknowledged."""
    return next(row.waiting for row in (await client.status()).streams if row.stream == "trade")


async def told_frozen(client: AgentClient, central: EmbeddedCentral, article: v.ArticleView) -> v.Snapshot:
    """What a machine shows once it has heard. It asks by itself twice a minute; here with every price that changes."""
    row = {"sku": article.sku, "currency": "EUR", "book": "other", "version": "1", "group": "", "fromMs": 0, "untilMs": None}
    async with asyncio.timeout(DEADLINE):
        for price in itertools.count(1):
            snapshot = await client.snapshot()
            if snapshot.link.state == "frozen":
                return snapshot
            central.central.seed("prices", [(f"{article.sku}/other//0", {**row, "amountMinor": price})])
            await asyncio.sleep(0.2)
    raise AssertionError


async def test_a_damaged_journal_is_told_through_the_api_and_on_the_command_line_and_nothing_is_sold(shop):
    service, client, folder = shop
    article = await some_article(client)
    await client.send(v.Enter(article.gtin))
    await client.send(v.PayCash())
    service.stop()
    journal = folder / "a" / "journal.db"
    body = bytearray(journal.read_bytes())
    body[len(body) // 2 : len(body) // 2 + 64] = b"\xff" * 64
    journal.write_bytes(body)
    service.start()
    stopped = await until(client, lambda now: now.phase == "stopped", "the service to say that it stopped")
    assert [json.loads(line)["event"] for line in (folder / "service.log").read_text().splitlines()][-2:] == ["service starts", "the journal cannot be opened"]
    assert stopped.stopped.key == "journal_corrupt"
    with pytest.raises(ApiProblem) as refused:
        await client.send(v.Enter(article.gtin))
    assert refused.value.problem.status == 503
    verified = edge_agent(folder / "a.toml", "journal", "verify")
    assert verified.returncode == 1
    assert re.match(r"\d+ events? and \d+ facts? looked at: \d+ problems?:\n  \S", verified.stdout)  # although the service cannot be asked
    told = edge_agent(folder / "a.toml", "status")
    assert (told.returncode, "STOPPED: nothing can be sold" in told.stdout) == (1, True)


async def test_status_devices_and_the_journal_commands_speak_for_it(shop):
    service, client, folder = shop
    config = folder / "a.toml"
    assert '"phase":"ready"' in edge_agent(config, "status", "--json").stdout
    assert "central      in step" in edge_agent(config, "status").stdout
    assert "No devices" in edge_agent(config, "devices").stdout
    assert "sound" in edge_agent(config, "journal", "verify").stdout
    assert "ShiftOpened" in edge_agent(config, "journal", "tail").stdout
    exported = edge_agent(config, "journal", "export").stdout.splitlines()
    service.stop()
    assert "sound" in edge_agent(config, "journal", "verify").stdout
    assert edge_agent(config, "journal", "export").stdout.splitlines() == exported
    down = edge_agent(config, "status")
    assert (down.returncode, f"The service does not answer: {folder / 'a' / 'api.sock'}: there is no such socket." in down.stderr) == (3, True)
    logged = [json.loads(line) for line in (folder / "service.log").read_text().splitlines()]
    events = [line["event"] for line in logged]
    assert events[0] == "service starts"
    assert events[-1] == "service stops"
    assert {"register open", "local API answers", "central reached"} <= set(events)
    assert all(list(line)[:3] == ["timestamp", "level", "event"] for line in logged)
    with pytest.raises(ServiceUnreachable):
        await client.status()


def test_before_the_first_start_there_is_no_journal_and_that_is_said(tmp_path):
    for command in ("verify", "tail", "export"):
        done = edge_agent(configured(tmp_path, "new"), "journal", command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: There is no journal in {tmp_path / 'new'} yet.\n  The first `edge-agent run` makes it.")


def test_the_counter_without_a_terminal_says_that_it_needs_one(tmp_path):
    done = edge_agent(configured(tmp_path, "new"), "till")
    assert (done.returncode, "error: The counter needs a terminal" in done.stderr) == (1, True)


def test_a_register_that_is_not_enrolled_says_how_to(tmp_path):
    done = edge_agent(configured(tmp_path, "new"), "run")
    assert (done.returncode, "edge-agent enrol" in done.stderr, "service starts" in done.stderr) == (1, True, False)


async def test_the_counter_speaks_the_market_s_language_also_for_whom_may_not_read_the_enrolment(shop):
    _, _, folder = shop
    other = configured(folder, "kim", f'[api]\nsocket = "{folder / "a" / "api.sock"}"\n')
    assert await spoken_language(load_config(folder / "a.toml")) == "de_DE"
    assert await spoken_language(load_config(other)) == "de_DE"
    assert await spoken_language(load_config(configured(folder, "nobody"))) == "en"
