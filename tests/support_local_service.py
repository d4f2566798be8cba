"""The local API of a register, on loopback in a process of its own: ``python -m tests.support_local_service FOLDER`` prints its port and token."""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path
from typing import Any

from edge_agent.serving import Listener, bind_loopback
from tests.support_shop import MemoryCentral, register


async def main(folder: Path) -> None:
    """Serve until standard input ends."""
    token = secrets.token_urlsafe(32)
    async with register(folder, central=MemoryCentral()) as rig:
        app: Any = await rig.api(token)
        listening = bind_loopback(0)
        listener = Listener(app, listening, stopping=rig.core.let_go)
        await listener.start()
        print(listening.getsockname()[1], token, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await listener.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
