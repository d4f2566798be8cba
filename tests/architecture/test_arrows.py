"""The arrows: import-linter's contracts are kept and would be missed, and no part imports more of ours than it is allowed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support_tree import PACKAGES, ROOT, Module, imports, modules

ADAPTER = ("edge_agent.ports", "edge_agent.domain", "edge_agent.clock", "edge_agent.listening")
ALLOWED: dict[str, tuple[str, ...]] = {
    # The longest prefix of a module's name says what else of ours it may import.
    "edge_agent.domain": (),
    "edge_agent.ports": ("edge_agent.domain",),
    "edge_agent.clock": ("edge_agent.domain",),
    "edge_agent.listening": (),
    "edge_agent.service": ("edge_agent.ports", "edge_agent.domain", "edge_agent.clock"),
    "edge_agent.api": ("edge_agent.service", "edge_agent.ports", "edge_agent.domain", "edge_agent.clock", "edge_agent.views", "edge_agent.formats"),
    "edge_agent.payments": ADAPTER,
    "edge_agent.views": (),
    "edge_agent.client": ("edge_agent.views",),
    "edge_agent.formats": ("edge_agent.domain",),
    "edge_agent.config": ("edge_agent.domain", "edge_agent.config_mistakes"),
    "edge_agent.deploy": ("edge_agent.domain",),
    "drivers": ADAPTER,
    "drivers.framing": ("edge_agent.domain", "drivers.contract"),
    "sync": ADAPTER,
    "sync.contract": ("edge_agent.domain", "edge_agent.clock"),
    "sync.central": ("sync.contract", "edge_agent.domain", "edge_agent.clock", "sync.turns", "sync.decoding", "sync.bounded_http", "sync.file_lock"),
    "tui": ("edge_agent.client", "edge_agent.views"),
}
ROOTS = ("edge_agent.bootstrap", "edge_agent.cli")
ROOT_USERS = ("edge_agent.bootstrap", "edge_agent.cli", "edge_agent.hosting", "edge_agent.demo", "edge_agent.__main__")
LIBRARIES: dict[str, set[str]] = {
    # Beside the standard library.
    "edge_agent.domain": {"biip", "msgspec"},
    "drivers.framing": {"msgspec"},
    "tui": {"textual", "rich", "msgspec", "httpx"},
    "edge_agent.client": {"msgspec", "httpx"},
    "edge_agent.views": {"msgspec"},
}


def rule_of(module: Module, table: dict[str, tuple[str, ...]] | dict[str, set[str]]) -> str:
    return max((prefix for prefix in table if module.within(prefix)), key=len, default="")


def test_no_part_imports_more_of_ours_than_it_may() -> None:
    wrong = []
    for module in modules():
        rule = rule_of(module, ALLOWED)
        if not rule:
            continue
        may = (rule, *ALLOWED[rule])
        for name, line in imports(module):
            ours = name.split(".")[0] in PACKAGES
            if ours and name not in PACKAGES and not any(name == prefix or name.startswith(f"{prefix}.") for prefix in may):
                wrong.append(f"{module.where}:{line}: {rule} may not import {name}")
    assert not wrong, "\n".join(wrong)


def test_pure_parts_and_the_screen_use_no_library_beyond_theirs() -> None:
    wrong = []
    for module in modules():
        rule = rule_of(module, LIBRARIES)
        if not rule:
            continue
        known = {*sys.stdlib_module_names, *PACKAGES, *LIBRARIES[rule]}
        wrong += [f"{module.where}:{line}: {rule} may not import {name}" for name, line in imports(module) if name.split(".")[0] not in known]
    assert not wrong, "\n".join(wrong)


OF_MSGSPEC = {"Struct", "field", "replace"}


def test_pure_parts_take_only_values_from_msgspec_and_no_encoding() -> None:
    wrong, seen = [], set()
    for module in modules():
        if rule_of(module, LIBRARIES) not in ("edge_agent.domain", "drivers.framing"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                wrong += [f"{module.where}:{node.lineno}: imports {name.name} whole" for name in node.names if name.name.startswith("msgspec")]
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("msgspec"):
                seen |= (taken := {name.name for name in node.names})
                wrong += [f"{module.where}:{node.lineno}: takes {name} from msgspec" for name in taken - OF_MSGSPEC]
    assert not wrong, "\n".join(wrong)
    assert seen == OF_MSGSPEC


def test_nobody_imports_the_composition_root_but_what_stands_on_top() -> None:
    wrong = [
        f"{module.where}:{line}: imports {name}"
        for module in modules()
        if not any(module.within(user) for user in ROOT_USERS)
        for name, line in imports(module)
        if name in ROOTS
    ]
    assert not wrong, "\n".join(wrong)


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, timeout=110, check=False
    )


def test_import_linter_keeps_every_contract() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [name for name in contracts() if f"{name} KEPT" not in done.stdout] == []


PLANTED = {
    "The domain is pure": ("edge_agent/domain/money.py", "import httpx"),
    "Use cases know ports, never adapters": ("edge_agent/service/core.py", "import drivers.contract"),
    "The API fills views and calls the service": ("edge_agent/api/app.py", "import drivers.contract"),
    "Adapters are strangers to each other and to the service": ("drivers/load.py", "import sync.contract.envelope"),
    "Adapters fit ports": ("sync/journal.py", "import edge_agent.views"),
    "The terminal knows the client and the views": ("tui/__init__.py", "import edge_agent.domain.money"),
    "The client knows the views": ("edge_agent/views.py", "import edge_agent.domain.money"),
    "Central is another program": ("sync/central/__init__.py", "import sync.journal"),
    "Nobody imports the composition root": ("edge_agent/service/core.py", "import edge_agent.bootstrap"),
}
"""For each contract, one import that breaks it: the file and the line."""


def test_import_linter_would_miss_no_contract(tmp_path: Path) -> None:
    assert set(PLANTED) == set(contracts()), "a contract without a planted import could have stopped working unseen"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in PLANTED.values():
        with (tmp_path / file).open("a", encoding="utf-8") as out:
            out.write(f"\n{line}  # planted\n")
    done = lint(tmp_path)
    assert done.returncode != 0
    told = broken(done.stdout)
    for name, (file, line) in PLANTED.items():
        importer, imported = file.removesuffix(".py").removesuffix("/__init__").replace("/", "."), line.removeprefix("import ")
        assert f"{importer} -> {imported}" in told.get(name, ""), f"{name}: {done.stdout}"


def broken(output: str) -> dict[str, str]:
    """What import-linter's report says below the title of each broken contract."""
    pieces = re.split(r"^(.+)\n-+\n", output.partition("Broken contracts\n")[2], flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_trees_are_of_the_packages_that_run(package: str) -> None:
    assert sum(module.within(package) for module in modules()) > 10
