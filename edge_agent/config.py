"""The one TOML file of a register: what is local to this PC. What the chain decides comes from central.

Every mistake is told with the file, the key, what was expected and what was found. Secrets never stand in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
from msgspec import Meta, Struct, field

from edge_agent.config_mistakes import in_file, mistake
from edge_agent.domain.code import DEFAULT_RULES
from edge_agent.domain.code_rules import CodeRules
from edge_agent.domain.errors import ConfigError

APP = "edge-agent"
CONFIG_BYTES_MAX = 256 * 1024
Port = Annotated[int, Meta(ge=0, le=65_535)]


class Api(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the local API listens: a Unix socket (empty: ``api.sock`` in the state folder), or a loopback port with a token when ``port`` is set."""

    socket: str = ""
    group: str = ""
    port: Port | None = None


class Receipts(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands above every receipt (empty: the store's name)."""

    header: list[str] = []


class TillScreen(Struct, frozen=True, forbid_unknown_fields=True):
    """How ``edge-agent till`` looks on this PC, unless its options say otherwise. Language ``auto``: as the register's market speaks, where known."""

    language: Literal["auto", "en", "de"] = "auto"
    theme: Literal["auto", "dark", "light", "contrast", "sixteen"] = "auto"
    glyphs: Literal["auto", "full", "console", "ascii"] = "auto"


class Tender(Struct, frozen=True, forbid_unknown_fields=True):
    """One way of paying: a module of ``edge_agent.payments``, and the terminal it runs on."""

    kind: str
    terminal: str = ""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. ``devices`` and ``terminals`` are sections by name; each has a ``kind`` and that kind's own keys."""

    state: str = ""
    connector: str = "http"
    api: Api = Api()
    receipts: Receipts = Receipts()
    till: TillScreen = TillScreen()
    tenders: list[Tender] = field(default_factory=lambda: [Tender("cash")])
    devices: dict[str, dict[str, Any]] = {}
    terminals: dict[str, dict[str, Any]] = {}
    codes: dict[str, Any] = {}
    source: str = "the built-in configuration"

    @property
    def folder(self) -> Path:
        """Where journal, replica and keys live."""
        return Path(self.state) if self.state else Path(platformdirs.user_state_dir(APP, appauthor=False))

    @property
    def socket(self) -> Path:
        """The Unix socket of the local API."""
        return Path(self.api.socket) if self.api.socket else self.folder / "api.sock"

    def code_rules(self) -> CodeRules:
        """The shop's rules for codes. Raises ConfigError."""
        try:
            return CodeRules.parse(self.codes) if self.codes else DEFAULT_RULES
        except ConfigError as problem:
            raise in_file(self.source, problem) from problem


def default_path() -> Path:
    """Where the file is looked for when nobody says: ``/etc/edge-agent/edge.toml``, else the user's own configuration folder."""
    system = Path("/etc") / APP / "edge.toml"
    return system if system.exists() else Path(platformdirs.user_config_dir(APP, appauthor=False)) / "edge.toml"


def load_config(path: Path | None = None) -> Config:
    """Read ``path`` (or the default place; there, a missing file is the built-in configuration). Raises ConfigError."""
    chosen = path or default_path()
    if path is None and not chosen.exists():
        return Config()
    try:
        raw = chosen.read_bytes()
    except OSError as problem:
        raise ConfigError(f"{chosen}: expected a readable file, got: {problem.strerror}.", hint="Check the path and its permissions.") from problem
    if len(raw) > CONFIG_BYTES_MAX:
        raise ConfigError(f"{chosen}: expected at most {CONFIG_BYTES_MAX} bytes, got {len(raw)}.", hint="That is not a register's configuration.")
    try:
        return parse_config(tomllib.loads(raw.decode()), str(chosen))
    except (ValueError, RecursionError) as problem:  # a TOMLDecodeError, bytes that are no text, a number of thousands of digits, brackets without end
        raise ConfigError(f"{chosen}: expected TOML, got: {problem}.", hint="Mend that line.") from problem


def parse_config(content: Mapping[str, object], source: str) -> Config:
    """The configuration of a parsed file. Raises ConfigError: file, key, expected, got."""
    if "source" in content:
        raise mistake(source, content, Config, "Object contains unknown field `source`")
    try:
        return msgspec.convert({**content, "source": source}, Config)
    except msgspec.ValidationError as problem:
        raise mistake(source, content, Config, str(problem)) from problem
