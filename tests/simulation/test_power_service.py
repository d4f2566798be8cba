"""The power goes under the real service while it sells: a small share of ``tests.simulation.power_service`` on ext4; and what counts as an answer there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.simulation.power_cuts import unavailable
from tests.simulation.power_service import Answers
from tests.simulation.test_disk_faults import ROOT, proof


def test_power_cuts_under_the_service_lose_nothing_acknowledged_and_would_without_sync() -> None:
    said = proof("power_service", "--cuts", "3", "--fs", "ext4", "--seed", "20")
    assert (said["faults"], said["violations"]) == (5, 0)
    assert (said["audits"], said["sales"] > 0) == (1, True)
    assert said["control_found"] == 1


def test_nobody_else_sees_what_is_mounted_and_nothing_is_left_of_one_that_is_told_to_stop() -> None:
    if why := unavailable(["ext4"]):
        (pytest.fail if os.environ.get("EDGE_REQUIRE_PEERS") == "1" else pytest.skip)(why)
    command = [sys.executable, "-m", "tests.simulation.power_service", "--cuts", "1000", "--fs", "ext4"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr is not None
            base = running.stderr.readline().split()[-1]
            assert Path(base).is_dir()
            until = time.monotonic() + 30.0
            while f" {base}/" not in Path(f"/proc/{running.pid}/mounts").read_text():
                assert time.monotonic() < until
                time.sleep(0.02)
            assert base not in Path("/proc/self/mounts").read_text()
            assert loops_on(base)
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait(30.0) == 128 + signal.SIGTERM
    assert not loops_on(base)
    assert not Path(base).exists()


def loops_on(base: str) -> list[str]:
    """Images below ``base`` that are a block device still, whoever has it mounted."""
    images = [path.read_text().strip() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    return [image for image in images if image.startswith(f"{base}/")]


async def test_an_answer_that_was_not_here_whole_when_the_power_went_never_comes(tmp_path: Path) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line == b"\r\n":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
                asked.set()
                await go.wait()
                writer.write(b"lf")
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "socket")
    answers = Answers(uds=str(tmp_path / "socket"))
    async with httpx.AsyncClient(transport=answers, base_url="http://register") as client:
        asking = asyncio.create_task(client.get("/"))
        await asked.wait()
        answers.cuts += 1
        go.set()
        with pytest.raises(httpx.ReadError, match="the power went"):
            await asking
        assert answers.late == 1
        assert (await client.get("/")).content == b"half"
    server.close()
