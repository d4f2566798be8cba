"""Services that get in each other's way: the one that came first, and its counters, notice nothing of it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import views as v
from edge_agent.attach import open_client
from edge_agent.client import AgentClient, ServiceUnreachable
from edge_agent.config import load_config
from edge_agent.demo.processes import ServiceProgram
from sync.central.serving import EmbeddedCentral
from tests.support_enrolled import running_central

DEADLINE = 30.0


@pytest.fixture
def central(tmp_path: Path) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central") as embedded:
        yield embedded


def edge_agent(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "edge_agent", "--config", str(config), *arguments], capture_output=True, text=True, timeout=20, check=False)


def enrolled(folder: Path, central: EmbeddedCentral, name: str, register: str, api: str) -> Path:
    config = folder / f"{name}.toml"
    config.write_text(f'state = "{folder / name}"\n[api]\n{api}\n')
    done = edge_agent(config, "enrol", central.url, central.central.enrol_code("0001", register).code)
    assert done.returncode == 0, done.stderr
    return config


async def answering(client: AgentClient) -> v.Snapshot:
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                return await client.snapshot()
            except ServiceUnreachable:
                await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_counter_on_loopback_outlives_a_second_service_and_a_restart(tmp_path: Path, central: EmbeddedCentral) -> None:
    config = enrolled(tmp_path, central, "a", "02", f"port = {free_port()}")
    with ServiceProgram(config, tmp_path / "service.log") as service:
        service.start()
        async with open_client(load_config(config)) as client:
            first = await answering(client)
            second = await asyncio.to_thread(edge_agent, config, "run")
            assert second.returncode == 1
            assert "already runs" in second.stderr
            assert (await client.snapshot()).boot == first.boot
            service.stop()
            service.start()
            assert (await answering(client)).boot != first.boot
    assert (tmp_path / "a" / "api.token").stat().st_mode & 0o777 == 0o600


async def test_a_second_register_on_one_socket_is_refused_and_leaves_it_to_the_first(tmp_path: Path, central: EmbeddedCentral) -> None:
    path = tmp_path / "one.sock"
    first, other = (enrolled(tmp_path, central, name, register, f'socket = "{path}"') for name, register in (("a", "01"), ("b", "02")))
    with ServiceProgram(first, tmp_path / "service.log") as service:
        service.start()
        async with open_client(load_config(first)) as client:
            before = await answering(client)
        refused = await asyncio.to_thread(edge_agent, other, "run")
        assert refused.returncode == 1
        assert "already listens" in refused.stderr
        async with open_client(load_config(first)) as client:  # a new connection: the socket's file is still there
            assert (await client.snapshot()).boot == before.boot


async def test_a_file_that_may_not_be_read_is_named_in_one_line(tmp_path: Path, central: EmbeddedCentral) -> None:
    config = enrolled(tmp_path, central, "a", "02", "")
    key = tmp_path / "a" / "journal-key"
    key.mkdir(exist_ok=True)
    told = edge_agent(config, "run")
    assert told.returncode == 1
    assert str(key) in told.stderr
    assert "Traceback" not in told.stderr
