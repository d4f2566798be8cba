"""A process that commits as fast as it can and writes each acknowledged command on its standard output: ``python -m tests.support_journal_child FOLDER``.

With ``early`` behind the folder it acknowledges each before it is on disk, which whoever kills it has to find out.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.support_journal import a_commit, open_journal

TASKS = 4


async def main(folder: Path, *, early: bool) -> None:
    journal = open_journal(folder)

    async def sell() -> None:
        while True:
            commit = a_commit(events=2, facts=1, snapshot=os.urandom(3000))
            if early:
                os.write(1, commit.command.encode() + b"\n")
            await journal.commit(commit)
            if not early:
                os.write(1, commit.command.encode() + b"\n")

    os.write(1, b"ready\n")
    await asyncio.gather(*(sell() for _ in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), early="early" in sys.argv[2:]))
