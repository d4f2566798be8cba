"""Central behind a certificate of the shop's own authority, over real TLS: trusted by the operating system, by the configuration, or not at all."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.bootstrap import Agent, keys_of
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import load_config
from edge_agent.domain.errors import ConfigError
from edge_agent.listening import accept_no_more
from edge_agent.ports import Link
from edge_agent.trust import trust
from sync.central.serving import EmbeddedCentral
from tests.simulation.network_front import Front, write_certificates
from tests.support_central import eventually
from tests.support_enrolled import STORES, TENANT


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    write_certificates(folder, "localhost")
    return folder


@pytest.fixture
async def central(tmp_path: Path, certificates: Path) -> AsyncIterator[tuple[EmbeddedCentral, str]]:
    """A central, and its address behind TLS."""
    embedded = EmbeddedCentral(tmp_path / "central", random=SystemRandom(), tenant=TENANT)
    embedded.start()
    embedded.central.seed_stores(STORES)
    front = Front(certificates, int(embedded.url.rpartition(":")[2]))
    server = await asyncio.start_server(front.connected, "127.0.0.1", 0)
    try:
        yield embedded, f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        await accept_no_more(server)
        server.close()
        await front.ended()
        await asyncio.to_thread(embedded.stop)


def configured(folder: Path, *lines: str) -> Path:
    path = folder / "edge.toml"
    path.write_text("\n".join((f'state = "{folder / "state"}"', *lines)))
    return path


async def edge_agent(config: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_agent", "--config", str(config), *arguments]
    around = {name: value for name, value in os.environ.items() if name not in ("SSL_CERT_FILE", "SSL_CERT_DIR")} | environment
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False, env=around)


async def in_step(config: Path) -> str:
    """What the register says of central once it has heard of it, or been refused for its certificate."""
    agent = await Agent.start(load_config(config), keys_of(load_config(config), SystemRandom()), SystemClock(), SystemRandom())
    try:
        await eventually(lambda: agent.push.report.link is Link.IN_STEP or "certificate" in agent.push.report.detail, "a word about central")
        return agent.push.report.detail
    finally:
        await agent.stop()
        with warnings.catch_warnings():  # httpcore leaves a connection open whose TLS handshake is cancelled (it closes it for an Exception only)
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


async def test_an_authority_that_the_configuration_names_is_trusted_from_the_enrolment_on(central, certificates, tmp_path):
    embedded, url = central
    config = configured(tmp_path, f'central_ca = "{certificates / "authority.pem"}"')
    done = await edge_agent(config, "enrol", url, embedded.central.enrol_code("0001", "02").code)
    assert (done.returncode, done.stderr) == (0, "")
    assert await in_step(config) == ""


async def test_an_authority_of_the_operating_system_is_trusted(central, certificates, tmp_path):
    embedded, url = central
    config = configured(tmp_path)
    done = await edge_agent(config, "enrol", url, embedded.central.enrol_code("0001", "02").code, SSL_CERT_FILE=str(certificates / "authority.pem"))
    assert (done.returncode, done.stderr) == (0, "")


async def test_an_authority_that_nobody_named_is_not_trusted_by_enrolment_nor_service(central, certificates, tmp_path):
    embedded, url = central
    code = embedded.central.enrol_code("0001", "02").code
    done = await edge_agent(configured(tmp_path), "enrol", url, code)
    assert done.returncode == 1
    assert "an authority that is not trusted here" in done.stderr
    config = configured(tmp_path, f'central_ca = "{certificates / "authority.pem"}"')
    assert (await edge_agent(config, "enrol", url, code)).returncode == 0
    assert "an authority that is not trusted here" in await in_step(configured(tmp_path))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("/nowhere/ca.pem", "key 'central_ca': expected a readable file, got /nowhere/ca.pem: No such file or directory."),
        ("ca.pem", "key 'central_ca': expected the whole path of a file, got 'ca.pem'."),
        ("{folder}/page.pem", "key 'central_ca': expected certificates as PEM, got something else in {folder}/page.pem."),
    ],
)
async def test_a_file_that_is_none_is_told_by_the_check_and_stops_the_start(written, told, tmp_path):
    (tmp_path / "page.pem").write_text("<html>Not found</html>")
    config = configured(tmp_path, f'central_ca = "{written.format(folder=tmp_path)}"')
    done = await edge_agent(config, "config", "check")
    assert done.returncode == 1
    assert f"error: {config}: {told.format(folder=tmp_path)}" in done.stderr
    with pytest.raises(ConfigError, match="central_ca"):
        trust(load_config(config), "https://central.example")


def test_authorities_are_read_once_and_only_for_tls(tmp_path):
    config = load_config(configured(tmp_path))
    assert trust(config, "https://a.example") is trust(config, "https://b.example")
    assert trust(config, "http://127.0.0.1:8400") is None
