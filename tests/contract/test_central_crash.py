"""The served process killed in the middle of pushes: what was acknowledged is there, once, and the rest is taken again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
from click.testing import CliRunner

from sync.central.central import Central
from sync.central.cli import main
from tests.support_enrolled import STORES, TENANT, Register

KILLS = 6


class Process:
    """``edge-central serve`` in a process of its own."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-m", "sync.central.cli", "serve", "--data", str(data), "--tenant", TENANT]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().decode().strip()
        assert self.url.startswith("http://127.0.0.1:")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def push_until_lost(register: Register, unsent: list[bytes]) -> int:
    """Push batches until the connection is lost; how many facts were acknowledged last."""
    acknowledged = 0
    try:
        while True:
            unsent += [register.sale() for _ in range(20)]
            acknowledged = register.ack(register.push_zstd(*unsent))["next"] - 1
            unsent.clear()
    except httpx.TransportError:
        return acknowledged


def test_a_killed_central_has_everything_that_it_acknowledged(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    data = tmp_path / "central"
    central = Central(data, tenant=TENANT)
    central.seed_stores(STORES)
    code = central.enrol_code("0001", "02").code
    central.close()
    process = Process(data)
    with httpx.Client(base_url=process.url) as http:
        register = Register(http, code)
    unsent: list[bytes] = []
    total = 0
    for _ in range(KILLS):
        with httpx.Client(base_url=process.url) as http:
            register.http = http
            killer = threading.Timer(chance.uniform(0.05, 0.4), process.kill)
            killer.start()
            acknowledged = push_until_lost(register, unsent)
            killer.join()
        assert process.wait() == -signal.SIGKILL
        process = Process(data)
        with httpx.Client(base_url=process.url) as http:
            register.http = http
            stored = register.next() - 1
            assert stored >= max(acknowledged, total), f"seed {seed}: {acknowledged} acknowledged, {stored} stored"
            assert register.ack(register.push_zstd(*unsent))["next"] == register.heads["trade"][0], f"seed {seed}"
            unsent.clear()
            total = register.next() - 1
    process.process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert total > KILLS * 20, "it was killed while it worked"
    shown = CliRunner().invoke(main, ["reconcile", "--data", str(data)])
    assert (shown.exit_code, shown.output.splitlines()[-1]) == (0, f"IN ORDER: {total} sales, 0 in quarantine, 0 refund tasks")


def test_the_url_is_told_on_a_file_descriptor_too_and_a_stop_is_clean(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "sync.central.cli", "serve", "--data", str(tmp_path / "c"), "--ready-fd", str(writer)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[writer], cwd=Path(__file__).parents[2],
        env=os.environ | {"EDGE_CENTRAL_OPS_TOKEN": "given-by-the-operator"},
    )  # fmt: skip
    os.close(writer)
    with os.fdopen(reader) as pipe:
        url = pipe.readline().strip()
    assert httpx.get(f"{url}/ops/registers", headers={"Authorization": "Bearer given-by-the-operator"}).json() == []
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out.decode().splitlines() == [url], "one line"
    assert b"Traceback" not in err
    assert not (tmp_path / "c" / "ops-token").exists()
    assert not list((tmp_path / "c").glob("central.db-*")), "the file was closed"
