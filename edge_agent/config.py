"""The one TOML file of a register: what is local to this PC. What the chain decides comes from central.

Every mistake is told with the file, the key, what was expected and what was found. Secrets never stand in it.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from edge_agent.config_mistakes import converted, in_file
from edge_agent.domain.code_rules import CodeRules
from edge_agent.domain.errors import ConfigError

APP = "edge-agent"
CONFIG_BYTES_MAX = 256 * 1024
Port = Annotated[int, Meta(ge=1, le=65_535)]


class Api(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the local API listens: a Unix socket (not given: ``api.sock`` in the state folder), or a loopback port with a token when ``port`` is set."""

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


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in the file."""

    state: str = ""
    connector: str = "http"
    central_ca: str = ""
    disk_warn_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 200
    api: Api = Api()
    receipts: Receipts = Receipts()
    till: TillScreen = TillScreen()
    tenders: list[Tender] = field(default_factory=lambda: [Tender("cash")])
    devices: dict[str, dict[str, Any]] = {}
    terminals: dict[str, dict[str, Any]] = {}
    codes: dict[str, Any] = {}


class Config(_File, frozen=True):
    """The whole file. ``devices`` and ``terminals`` are sections by name; each has a ``kind`` and that kind's own keys. ``source`` is where it stands.

    With less than ``disk_warn_mb`` free beside the journal (millions of bytes; 0: never) IT and the counter are told.
    ``central_ca`` is a file of authorities (PEM) that are trusted beside the operating system's to say who central is. ``tender_numbers`` are the places
    in the file of ``tenders``, counted from one, where mistaken entries were left out between them; empty where none was.
    """

    source: str = "the built-in configuration"
    tender_numbers: tuple[int, ...] = ()

    def tender_number(self, at: int) -> int:
        """The place in the file, counted from one, of the tender at index ``at``."""
        return self.tender_numbers[at] if self.tender_numbers else at + 1

    @property
    def folder(self) -> Path:
        """Where journal, replica and keys live."""
        return Path(self.state) if self.state else Path(platformdirs.user_state_dir(APP, appauthor=False))

    @property
    def socket(self) -> Path:
        """The Unix socket of the local API."""
        return Path(self.api.socket) if self.api.socket else self.folder / "api.sock"

    def code_rules(self, currency: str = "") -> CodeRules:
        """The shop's rules for codes in a store of ``currency`` (empty: not known yet). Raises ConfigError for all keys that do not fit."""
        rest, found = copy.deepcopy(self.codes), list[ConfigError]()
        while True:
            try:
                rules = CodeRules.parse(rest, currency=currency)
                break
            except ConfigError as problem:
                found.append(in_file(self.source, problem))
                name = problem.args_shown["section"].partition(".")[2]
                table, key = rest.get(name) if name else rest, problem.args_shown["key"]
                if not isinstance(table, dict) or key not in table:
                    break
                del table[key]
        if found:
            raise ConfigError.together(found)
        return rules


def default_path() -> Path:
    """Where the file is looked for when nobody says: ``/etc/edge-agent/edge.toml``, else the user's own configuration folder."""
    system = Path("/etc") / APP / "edge.toml"
    return system if system.exists() else Path(platformdirs.user_config_dir(APP, appauthor=False)) / "edge.toml"


def load_config(path: Path | None = None) -> Config:
    """Read ``path`` (or the default place; there, a missing file is the built-in configuration). Raises ConfigError."""
    config, found = read_config(path)
    if found:
        raise ConfigError.together(found)
    return config


def read_config(path: Path | None = None) -> tuple[Config, list[ConfigError]]:
    """As ``load_config``, but what is mistaken in a file that can be read is told beside what is not. Raises ConfigError for one that cannot be read."""
    chosen = path or default_path()
    if path is None and not chosen.exists():
        return Config(source=f"the built-in configuration (there is no {chosen})"), []
    try:
        raw = chosen.read_bytes()
    except OSError as problem:
        raise ConfigError(f"{chosen}: expected a readable file, got: {problem.strerror}.", hint="Check the path and its permissions.") from problem
    if len(raw) > CONFIG_BYTES_MAX:
        raise ConfigError(f"{chosen}: expected at most {CONFIG_BYTES_MAX} bytes, got {len(raw)}.", hint="That is not a register's configuration.")
    try:
        return _parsed(tomllib.loads(raw.decode()), str(chosen))
    except UnicodeDecodeError as problem:
        told = f"{chosen}: expected TOML as text in UTF-8, got other bytes (the first at {problem.start})."
        raise ConfigError(told, hint="Save it as UTF-8, or bring the file back from its backup.") from problem
    except tomllib.TOMLDecodeError as problem:
        last = 1 + raw.rstrip().count(b"\n")
        told = str(problem).replace("(at end of document)", f"(at line {last}, the last)")
        raise ConfigError(f"{chosen}: expected TOML, got: {told}.", hint="Mend that line.") from problem
    except (ValueError, RecursionError) as problem:  # a number of thousands of digits, brackets without end
        raise ConfigError(f"{chosen}: expected TOML, got: {problem}.", hint="Mend that line.") from problem


def _parsed(content: Mapping[str, object], source: str) -> tuple[Config, list[ConfigError]]:
    file, found, numbers = converted(source, content, _File)
    api = content.get("api")
    if "state" in content and file.state == content["state"] and not Path(file.state).is_absolute():
        found.append(_not_whole(source, "state", "a folder", file.state))
        file = replace(file, state="")
    if isinstance(api, dict) and "socket" in api and file.api.socket == api["socket"] and not Path(file.api.socket).is_absolute():
        found.append(_not_whole(source, "api.socket", "a file", file.api.socket))
        file = replace(file, api=replace(file.api, socket=""))
    if content.get("tenders") == []:
        told = f"{source}: key 'tenders': expected at least one way of paying, got an empty list."
        found.append(ConfigError(told, hint="Remove the key for cash alone.", key="tenders"))
    if isinstance(api, dict) and "port" in api and api.get("socket", "") != "":  # as written: either may be mistaken besides
        told = f"{source}: key 'api.port': expected either a port or a socket, got both."
        found.append(ConfigError(told, hint="Remove one of the two.", key="api.port"))
    return Config(**msgspec.structs.asdict(file), source=source, tender_numbers=tuple(numbers.get("tenders", ()))), found


def _not_whole(source: str, key: str, kind: str, got: str) -> ConfigError:
    """Any other path is another place for each folder that a command is given in."""
    hint = "Begin it with /, or remove the key for the default."
    return ConfigError(f"{source}: key '{key}': expected the whole path of {kind}, got {got!r}.", hint=hint, key=key)
