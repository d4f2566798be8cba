"""The handbook is true: its example is a configuration that works, and no key, kind or failure that IT can meet is missing in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest

import drivers.load
import drivers.terminals.load
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Api, Config, Receipts, Tender, TillScreen, load_config
from edge_agent.deploy.plan import CONFIG_PATH, CREDENTIAL, HIDDEN_FOLDERS, MODPROBE_PATH, RULES_PATH, SOCKET, STATE, TILL_GROUP, UNIT_PATH, USER
from edge_agent.domain.code import DEFAULT_RULES
from edge_agent.domain.code_rules import KINDS, CodeRules
from edge_agent.domain.errors import CentralError, ConfigError, DeviceError, EdgeError, StorageError
from tests.support_tree import ROOT, modules

HANDBOOK = ROOT / "edge_agent" / "deploy" / "HANDBOOK.md"


@pytest.fixture(scope="module")
def text() -> str:
    return HANDBOOK.read_text("utf-8")


@pytest.fixture(scope="module")
def example(text: str) -> str:
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    return str(block)


@pytest.fixture(scope="module")
def config(example: str, tmp_path_factory: pytest.TempPathFactory) -> Config:
    path = tmp_path_factory.mktemp("handbook") / "edge.toml"
    path.write_text(example)
    return load_config(path)


def test_the_example_is_a_configuration_whose_every_device_and_terminal_can_be_built(config: Config) -> None:
    clock, random = SystemClock(), SystemRandom()
    built = drivers.load.load_drivers(config.devices, clock, random, config.source)
    terminals = drivers.terminals.load.load_terminals(config.terminals, clock, random, config.source)
    assert {driver.kind for driver in built} == set(drivers.load.kinds())
    assert {terminal.kind for terminal in terminals} == set(drivers.terminals.load.kinds())
    assert {tender.terminal for tender in config.tenders} - {""} <= {terminal.name for terminal in terminals}


def test_the_example_s_codes_are_the_ones_that_the_product_has_by_itself(config: Config) -> None:
    rules = CodeRules.parse(config.codes)
    assert rules.weighed == DEFAULT_RULES.weighed
    assert {rule.template.source for rule in rules.prefixes} <= {rule.template.source for rule in DEFAULT_RULES.prefixes}
    assert set(config.codes["prefixes"]) == set(KINDS)
    assert set(config.codes) == set(keys_asked("edge_agent.domain.code_rules"))


@pytest.mark.parametrize("section", [Config, Api, Receipts, Tender, TillScreen])
def test_every_key_of_the_file_is_in_the_example(section: type[msgspec.Struct], example: str) -> None:
    for field in msgspec.structs.fields(section):
        if field.name not in ("source", "tender_numbers"):
            assert re.search(rf"^#? ?(?:\[+)?{field.encode_name}\b", example, re.MULTILINE), field.encode_name


GETTERS = {"text", "choice", "whole", "number", "flag", "texts"}


def keys_asked(module: str) -> set[str]:
    """The keys that a module reads from its configuration: what its ``Settings`` getters name, or its tuple ``known``."""
    (tree,) = (found.tree for found in modules() if found.name == module)
    asked = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="settings"), attr=getter), args=[ast.Constant(value=str(key)), *_]) if getter in GETTERS:
                asked.add(key)
            case ast.Assign(targets=[ast.Name(id="known")], value=ast.Tuple(elts=listed)):
                asked |= {str(item.value) for item in listed if isinstance(item, ast.Constant)}
    return asked


@pytest.mark.parametrize(
    ("kind", "module"),
    [
        *((kind, f"drivers.devices.{kind}") for kind in drivers.load.kinds()),
        *((kind, f"drivers.terminals.{kind}.terminal") for kind in drivers.terminals.load.kinds()),
    ],
)
def test_every_key_of_a_driver_is_in_the_example(kind: str, module: str, example: str) -> None:
    (section,) = [part for part in re.split(r"^\[", example, flags=re.MULTILINE) if f'kind = "{kind}"' in part and not part.startswith("[")]
    keys = keys_asked(module)
    assert keys
    assert [key for key in sorted(keys) if not re.search(rf"^(?:# )?{key} = ", section, re.MULTILINE)] == []


def leaves(kind: type[EdgeError]) -> list[type[EdgeError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]


def test_every_failure_that_it_can_meet_is_explained(text: str) -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    codes = {kind.code for root in (ConfigError, DeviceError, StorageError, CentralError) for kind in leaves(root)}
    abstract = {StorageError.code}  # never raised itself: one of its children says what happened
    assert explained == codes - abstract


def test_what_an_install_makes_is_named_as_the_plan_names_it(text: str) -> None:
    for name in (USER, TILL_GROUP, CONFIG_PATH, STATE, SOCKET, UNIT_PATH, RULES_PATH, MODPROBE_PATH, CREDENTIAL, *HIDDEN_FOLDERS[:2]):
        assert name in text, name


def test_files_that_the_handbook_sends_the_reader_to_exist(text: str) -> None:
    for name in re.findall(r"\b(?:edge_agent|drivers|sync|tui)/[\w/]+\.(?:py|md|json)", text):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"python -m ([\w.]+)", text):
        assert (ROOT / Path(*name.split("."))).with_suffix(".py").is_file(), name
