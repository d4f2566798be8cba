"""PouchDB as the other end of a bench: installed from the package registry into a temporary folder, and driven through ``pouch.mjs``.

It syncs as we do. PouchDB 9 has no option for that, so ``pouch.mjs`` sets LevelDB's write option ``sync`` on every put, delete and batch where they
enter leveldown, in the sender's process and in the server's. Seen under ``strace -f -y -e trace=fdatasync,write``: with it no write to a LevelDB log
is left without an ``fdatasync`` of that log after it, in either process; without it there is not one ``fdatasync`` of a log.
"""

from __future__ import annotations

import json
import selectors
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("package.json", "pouch.mjs")
INSTALL = ("install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
"""leveldown's package has its library built already; its install script would only look for it."""
INSTALL_SECONDS_MAX = 300.0
READY_SECONDS_MAX = 30.0
PUSH_SECONDS_MAX = 600.0


class Absent(Exception):
    """Why there is no PouchDB here."""


class Pouch:
    """An installed PouchDB."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def installed(cls, folder: Path) -> Pouch:
        """Install it into ``folder``. Raises Absent."""
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            raise Absent("node or npm is not installed")
        folder.mkdir()
        for name in FILES:
            shutil.copy(HERE / name, folder)
        try:
            done = subprocess.run([npm, *INSTALL], cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
        except subprocess.TimeoutExpired:
            raise Absent(f"npm install did not end within {INSTALL_SECONDS_MAX:.0f} s") from None
        if done.returncode:
            why = next((line for line in done.stderr.splitlines() if " code " in line), "npm error without a code")
            raise Absent(f"npm install failed ({why}): is there a registry?")
        try:
            subprocess.run(["node", "-e", "require('leveldown')"], cwd=folder, capture_output=True, text=True, timeout=READY_SECONDS_MAX, check=True)
        except subprocess.SubprocessError:
            raise Absent("leveldown has no library for this platform") from None
        return cls(folder)

    def replicated(self, folder: Path, facts: Sequence[bytes], batch: int) -> float:
        """Seconds for ``facts`` as documents, stored in ``folder`` beforehand, to replicate to a server of their own in batches of ``batch``."""
        for name in ("server", "sender"):
            (folder / name).mkdir(parents=True)
        with self._serving(folder / "server") as port:
            command = ["node", "pouch.mjs", "push", str(folder / "sender"), f"http://127.0.0.1:{port}/facts", str(batch)]
            told = subprocess.run(command, cwd=self._folder, input=b"\n".join(map(document, facts)), capture_output=True, timeout=PUSH_SECONDS_MAX, check=False)
        assert told.returncode == 0, told.stderr.decode()[-2000:]
        done = json.loads(told.stdout)
        assert done["ok"], done
        assert done["written"] == done["there"] == len(facts), (done, len(facts))
        return float(done["seconds"])

    @contextmanager
    def _serving(self, folder: Path) -> Iterator[int]:
        with subprocess.Popen(["node", "pouch.mjs", "serve", str(folder)], cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
            try:
                assert server.stdout is not None
                with selectors.DefaultSelector() as selector:
                    selector.register(server.stdout, selectors.EVENT_READ)
                    line = server.stdout.readline() if selector.select(READY_SECONDS_MAX) else b""
                assert line, "the express-pouchdb server does not start"
                yield int(line)
            finally:
                server.terminate()


def document(fact: bytes) -> bytes:
    """A fact as a document: what it is, under an id that says its place."""
    read = json.loads(fact)
    return json.dumps({"_id": f"{read['stream']}-{read['sequence']}", **read}).encode()
