"""Every command that a text of ours tells somebody to run exists, with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import click
import pytest
from click.testing import CliRunner

import edge_agent.cli
import sync.central.cli
from edge_agent.demo.power import Power
from edge_agent.demo.script import Script
from edge_agent.demo.troubles import Troubles
from tests.support_tree import ROOT, modules

TEXTS = ("README.md", "CHANGELOG.md", "edge_agent/deploy/HANDBOOK.md")
PROGRAMS: dict[str, click.Command] = {"edge-agent": edge_agent.cli.main, "edge-central": sync.central.cli.main}
SHELLS = {"", "sh", "bash", "console", "shell"}
PREFIXES = {"sudo", "exec", "time"}


@dataclass(frozen=True, slots=True)
class Told:
    """One command as a text tells it: where, its words, and whether somebody may copy it as it stands (a fenced block)."""

    where: str
    words: tuple[str, ...]
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {' '.join(self.words)}"


def told() -> Iterator[Told]:
    """The commands in fenced shell blocks and in `backticks` of the texts, and in `backticks` of the code's own messages and docstrings."""
    for name in TEXTS:
        text = (ROOT / name).read_text("utf-8")
        for found in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            if found[1] in SHELLS:
                yield from commands(found[2], f"{name}:{text.count(chr(10), 0, found.start()) + 1}", whole=True)
        yield from quoted(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), name)
    for module in modules():
        yield from quoted(module.text, module.where)
    for path in sorted((ROOT / "edge_agent" / "deploy").iterdir()):
        if path.suffix not in (".py", ".md") and path.is_file():
            yield from quoted(path.read_text("utf-8"), str(path.relative_to(ROOT)))


def quoted(text: str, where: str) -> Iterator[Told]:
    for found in re.finditer(r"`{1,2}((?:\S*/)?(?:edge-agent|edge-central|make) [^`\n]+)`", text):
        yield from commands(found[1], where)


def commands(text: str, where: str, *, whole: bool = False) -> Iterator[Told]:
    """The single commands in a piece of shell: comments, prompts, pipes, assignments, sudo and runuser taken off."""
    for line in text.replace("\\\n", " ").splitlines():
        for inner in re.findall(r"\$\(([^()]*)\)", line):
            yield from commands(inner, where, whole=whole)
        line = re.sub(r"\$\([^()]*\)", "VALUE", line)
        for part in re.split(r"\s(?:\||&&|\|\||;)\s", line.strip().removeprefix("$ ")):
            words = shlex.split(part, comments=True)
            while words and (words[0] in PREFIXES or re.fullmatch(r"\w+=.*", words[0])):
                del words[0]
            if words[:1] == ["runuser"] and "--" in words:
                words = words[words.index("--") + 1 :]
            words = words[: next((at for at, word in enumerate(words) if word in (">", ">>", "<", "2>")), len(words))]
            if words:
                yield Told(where, (words[0].rpartition("/")[2], *words[1:]), whole)


ALL = list(dict.fromkeys(told()))
OURS = [command for command in ALL if command.words[0] in PROGRAMS]
MADE = [command for command in ALL if command.words[0] == "make"]


def test_the_screens_in_the_readme_are_the_golden_ones() -> None:
    shown = re.findall(r"^```text\n(.*?)\n```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    golden = {path.read_text("utf-8").rstrip("\n"): path.name for path in (ROOT / "tests" / "tui" / "golden").glob("*.txt")}
    assert [golden.get(screen, f"no golden screen looks like this:\n{screen}") for screen in shown] == ["customer_cart_120x40.txt", "pay_cash_80x24.txt"]


def test_the_readme_and_the_help_say_how_many_sales_a_day_has_at_least() -> None:
    script = object.__new__(Script)
    troubles = object.__new__(Troubles)
    troubles.power = object.__new__(Power)
    kinds, bad_luck = len(script.kinds()), len(troubles.day())
    fewest, why = f"fewer than {kinds + bad_luck}", f"every kind of customer ({kinds}) and every trouble ({bad_luck})"
    shown = " ".join(CliRunner().invoke(edge_agent.cli.main, ["demo", "--help"]).output.split())
    for text in (shown, (ROOT / "README.md").read_text("utf-8")):
        assert fewest in text
        assert why in text.lower()


def test_the_texts_tell_commands() -> None:
    assert {command.words[0] for command in OURS} == set(PROGRAMS)
    assert len(OURS) > 20
    assert MADE
    for name in ("README.md", "edge_agent/deploy/HANDBOOK.md"):
        assert any(command.where.startswith(name) for command in OURS)


def check(program: click.Command, words: tuple[str, ...], *, whole: bool) -> None:
    """Follow ``words`` down the tree of commands. AssertionError for one that is not there, an option it does not have, arguments it does not take.

    In prose, a command may stand without its arguments and options; as a ``whole`` one, what it requires has to be there.
    """
    command, context = program, click.Context(program, info_name=words[0])
    rest = list(words[1:])
    while True:
        options = {
            name: option for option in command.get_params(context) if isinstance(option, click.Option) for name in (*option.opts, *option.secondary_opts)
        }
        given: set[click.Parameter] = set()
        arguments = []
        while rest:
            word = rest.pop(0)
            name, _, value = word.partition("=")
            if not word.startswith("-"):
                arguments.append(word)
                if isinstance(command, click.Group):
                    break
            else:
                assert name in options, f"{context.command_path} has no {name}"
                given.add(options[name])
                if not options[name].is_flag and not options[name].count and not value:
                    value = rest.pop(0)
                kind = options[name].type
                if isinstance(kind, click.Choice):
                    assert value in kind.choices, f"{context.command_path} {name} is none of {kind.choices}"
        if not isinstance(command, click.Group):
            takes = [param for param in command.params if isinstance(param, click.Argument)]
            assert len(arguments) == len(takes) or not (arguments or whole), f"{context.command_path} takes {len(takes)} arguments"
            lacking = [option.opts[0] for option in options.values() if whole and option.required and option not in given]
            assert not lacking, f"{context.command_path} needs {', '.join(lacking)}"
            return
        if not arguments:
            return
        for name in arguments[0].split("|"):
            assert command.get_command(context, name), f"{context.command_path} has no command {name!r}"
        found = command.get_command(context, arguments[0].split("|")[0])
        assert found is not None
        context = click.Context(found, info_name=arguments[0], parent=context)
        command = found


@pytest.mark.parametrize("command", OURS, ids=str)
def test_a_command_of_ours_exists_with_its_options(command: Told) -> None:
    check(PROGRAMS[command.words[0]], command.words, whole=command.whole)


@pytest.mark.parametrize("command", MADE, ids=str)
def test_a_make_target_exists(command: Told) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    given = [word for word in command.words[1:] if "=" not in word]
    assert set(given) <= targets
    for name, value in (word.split("=", 1) for word in command.words[1:] if "=" in word):
        assert f"$({name})" in makefile
        recipe = re.search(rf"^{given[0]}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        ours = re.search(r"\$\(BIN\)/(edge-agent) (\w+) \$\(ARGS\)", recipe[1] if recipe else "")
        if name == "ARGS" and ours:
            check(PROGRAMS[ours[1]], (ours[1], ours[2], *shlex.split(value)), whole=True)


def every(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from every(child, (*path, name))


@pytest.mark.parametrize("path", [path for name, program in PROGRAMS.items() for path in every(program, (name,))], ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(PROGRAMS[path[0]], [*path[1:], "--help"], prog_name=path[0])
    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: {' '.join(path)}")
    assert len(shown.output.split("\n\n")[1].strip()) > 10, "no sentence on what it is for"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("edge-agent journal verfy", "no command 'verfy'"),
        ("edge-agent status --jsn", "has no --jsn"),
        ("sudo .venv/bin/edge-agent --config x stat", "no command 'stat'"),
        ("edge-agent enrol URL", "takes 2 arguments"),
        ("edge-agent enrol", "takes 2 arguments"),
        ("edge-central serve --port 80", "needs --data"),
        ("edge-agent till --language fr", "is none of"),
        ("runuser -u edge-agent -- edge-agent enroll URL CODE", "no command 'enroll'"),
    ],
)
def test_a_command_that_does_not_exist_would_be_found(line: str, what: str) -> None:
    (command,) = commands(line, "here", whole=True)
    with pytest.raises(AssertionError, match=re.escape(what)):
        check(PROGRAMS[command.words[0]], command.words, whole=True)
