"""The real service as its own process beside a real central: what IT meets when something is wrong, and what a kill leaves behind."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
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
from edge_agent.hosting import spoken_language
from sync.central.seeding import seed_folder
from sync.central.serving import EmbeddedCentral

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


def configured(folder: Path, name: str, extra: str = "") -> Path:
    config = folder / f"{name}.toml"
    config.write_text(f'state = "{folder / name}"\n{extra}')
    return config


def edge_agent(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "edge_agent", "--config", str(config), *arguments], capture_output=True, text=True, timeout=60, check=False)


def enrolled(folder: Path, central: EmbeddedCentral, name: str = "a") -> Path:
    config = configured(folder, name)
    done = edge_agent(config, "enrol", central.url, central.central.enrol_code("0001", "02").code)
    assert done.returncode == 0, done.stderr
    assert "register 02 of store 0001" in done.stdout
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


async def test_a_second_service_on_one_journal_is_refused_and_says_so(shop):
    _, client, folder = shop
    second = configured(folder, "second", f'[api]\nsocket = "{folder / "second.sock"}"\n')
    second.write_text(second.read_text().replace(str(folder / "second") + '"\n', str(folder / "a") + '"\n', 1))
    done = edge_agent(second, "run")
    assert done.returncode == 1
    assert "another service" in done.stderr.lower() or "already" in done.stderr.lower()
    assert (await client.status()).phase == "ready"


async def test_a_cloned_journal_on_a_second_pc_freezes_the_register_and_both_sides_say_why(shop, central):
    service, client, folder = shop
    article = await some_article(client)
    service.stop()
    shutil.copytree(folder / "a", folder / "b", ignore=shutil.ignore_patterns("*.sock"))
    service.start()
    await until(client, lambda now: now.phase == "ready", "the first PC")
    await client.send(v.Enter(article.gtin))
    await client.send(v.PayCash())
    await drained(client, trade=2)
    with ServiceProgram(configured(folder, "b"), folder / "b.log") as clone:
        clone.start()
        async with client_of(folder, "b") as other:
            frozen = await until(other, lambda now: now.link.state == "frozen", "the clone to be refused")
            assert frozen.link.hint
            assert frozen.link.reason in ("fork", "frozen")
            sold = await other.send(v.Enter(article.gtin))
            assert sold.basket is not None  # what stands at the counter can still be served
    await client.send(v.Enter(article.gtin))
    await client.send(v.PayCash())
    told = await until(client, lambda now: now.link.state == "frozen", "the first PC to hear of it")
    assert told.link.detail
    assert told.link.hint


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
    assert stopped.stopped.key == "journal_corrupt"
    with pytest.raises(ApiProblem) as refused:
        await client.send(v.Enter(article.gtin))
    assert refused.value.problem.status == 503
    verified = edge_agent(folder / "a.toml", "journal", "verify")
    assert verified.returncode == 1


async def test_status_devices_and_the_journal_commands_speak_for_it(shop):
    service, client, folder = shop
    config = folder / "a.toml"
    assert '"phase":"ready"' in edge_agent(config, "status", "--json").stdout
    assert "in_step" in edge_agent(config, "status").stdout
    assert "No devices" in edge_agent(config, "devices").stdout
    assert "sound" in edge_agent(config, "journal", "verify").stdout
    assert "ShiftOpened" in edge_agent(config, "journal", "tail").stdout
    exported = edge_agent(config, "journal", "export").stdout.splitlines()
    service.stop()
    assert "sound" in edge_agent(config, "journal", "verify").stdout
    assert edge_agent(config, "journal", "export").stdout.splitlines() == exported
    down = edge_agent(config, "status")
    assert (down.returncode, "does not answer" in down.stderr) == (3, True)
    with pytest.raises(ServiceUnreachable):
        await client.status()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("state = 5\n", "key 'state': expected a text, got 5."),
        ("bogus = 1\n", "key 'bogus': expected one of state, connector, api, receipts, till, tenders, devices, terminals, codes, got an unknown key."),
        ("[api]\nport = 99999\n", "key 'api.port': expected a whole number <= 65535, got 99999."),
        ("[till]\ntheme = 'pink'\n", "key 'till.theme': expected one of auto, dark, light, contrast, sixteen, got 'pink'."),
        ("[devices.x]\nkind = 'teapot'\n", "teapot"),
        ("[devices.scanner]\nkind = 'serial_scanner'\nport = '/dev/x'\nbuad = 1\n", "buad"),
        ("[[tenders]]\nkind = 'barter'\n", "barter"),
        ("[[tenders]]\nkind = 'card_terminal'\nterminal = 'nowhere'\n", "nowhere"),
        (
            "[[tenders]]\nkind = 'cash'\n[[tenders]]\nkind = 'card_terminal'\n",
            "[[tenders]] number 2: key 'terminal': expected the name of a [terminals.NAME] section, got nothing.",
        ),
        ("this is not toml\n", "expected TOML"),
        ("[codes.prefixes]\nloyalty = 7\n", "[codes.prefixes] loyalty: expected a text or a list of texts, got 7."),
        ("[codes]\ncurrency = 'euro'\n", "[codes] currency: expected an ISO 4217 code like EUR, got 'euro'."),
    ],
)
def test_a_wrong_configuration_names_file_key_expected_and_got(content, told, tmp_path):
    config = tmp_path / "edge.toml"
    config.write_text(content)
    done = edge_agent(config, "config", "check")
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.startswith(f"error: {config}")
    assert "Traceback" not in done.stderr


def test_a_register_that_is_not_enrolled_says_how_to(tmp_path):
    done = edge_agent(configured(tmp_path, "new"), "run")
    assert (done.returncode, "edge-agent enrol" in done.stderr) == (1, True)


async def test_the_counter_speaks_the_market_s_language_also_for_whom_may_not_read_the_enrolment(shop):
    _, _, folder = shop
    other = configured(folder, "kim", f'[api]\nsocket = "{folder / "a" / "api.sock"}"\n')
    assert await spoken_language(load_config(folder / "a.toml")) == "de_DE"
    assert await spoken_language(load_config(other)) == "de_DE"
    assert await spoken_language(load_config(configured(folder, "nobody"))) == "en"
