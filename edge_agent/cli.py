"""The command line: the service, the counter, the demo, and what IT asks of a register."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, get_args, get_type_hints

import click
import msgspec

from edge_agent import __version__
from edge_agent.attach import open_client, require_terminal
from edge_agent.cli_journal import journal
from edge_agent.cli_program import EXIT_FAILED, Program, config_of
from edge_agent.cli_text import (
    changed_lines,
    clock_time,
    device_line,
    needs_somebody,
    status_lines,
)
from edge_agent.client import AgentClient, Disconnected
from edge_agent.clock import SystemClock
from edge_agent.config import Config, TillScreen, load_config, read_config
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.one_line import one_line
from edge_agent.lean import settled
from edge_agent.views import DeviceView

LANGUAGES, THEMES, GLYPHS = (tuple(get_args(get_type_hints(TillScreen)[key])) for key in ("language", "theme", "glyphs"))
EXIT_CODES = "Exit codes: 0 good, 1 refused or something is wrong, 2 a misspelt command, 3 the service does not answer."
STAYING = ("run", "till")
"""Commands that stay, and say themselves when they have settled."""
NO_DEVICES = "No devices are configured."
T = TypeVar("T")


@click.group(cls=Program, epilog=EXIT_CODES)
@click.version_option(__version__, prog_name="edge-agent")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=None,
    help="The register's TOML file.  [default: /etc/edge-agent/edge.toml, else the user's own]",
)
@click.pass_context
def main(context: click.Context, path: Path | None) -> None:
    """The till that stays open: one register's service, its counter, and what IT asks of it."""
    context.obj = path
    if context.invoked_subcommand not in STAYING:
        settled()


main.add_command(journal)


def _ask(config: Config, question: Callable[[AgentClient], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with open_client(config) as client:
            return await question(client)

    return asyncio.run(ask())


# --- the service and its screen --------------------------------------------------------------------------------------------------


@main.command()
@click.pass_context
def run(context: click.Context) -> None:
    """Run the service: devices, journal, sync and the local API. Ends on SIGTERM or Ctrl+C."""
    from edge_agent.hosting import check_config, run_service

    config = config_of(context)
    try:
        run_service(config)
    except ConfigError:
        check_config(config)  # says all of it at once
        raise


@main.command()
@click.option("--standalone", is_flag=True, help="Run the service in this process too.")
@click.option("--language", default=None, type=click.Choice(LANGUAGES), help="The language of the screen; auto is the register's market's.")
@click.option("--theme", default=None, type=click.Choice(THEMES), help="The colours of the screen; auto fits the terminal.")
@click.option("--glyphs", default=None, type=click.Choice(GLYPHS), help="The drawn characters; auto fits the terminal.")
@click.option("--ascii", "plain", is_flag=True, help="The same as --glyphs ascii.")
@click.pass_context
def till(context: click.Context, standalone: bool, language: str | None, theme: str | None, glyphs: str | None, plain: bool) -> None:
    """Open the counter; it waits for the service and comes back to it. What is not given stands in the file's [till] section."""
    config = config_of(context)
    drawn = "ascii" if plain else glyphs or config.till.glyphs
    if standalone:
        from edge_agent.hosting import run_standalone as run_it
    else:
        from edge_agent.screen import run_till as run_it
    run_it(config, language=language or config.till.language, theme=theme or config.till.theme, glyphs=drawn)


@main.command()
@click.option("--headless", is_flag=True, help="Run a scripted day by bytes on the wire, print the reconciliation, exit 1 on any difference.")
@click.option(
    "--seed",
    default=1,
    show_default=True,
    help="Which sample is made: the same number makes the same articles, customers and carts again, and with --headless the same day.",
)
@click.option(
    "--sales",
    default=200,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="At least so many sales on the scripted day. Every kind of customer (24) and every trouble (19) comes, so it never has fewer than 43.",
)
@click.option("--market", default="DE", show_default=True, type=click.Choice(["DE", "US"], case_sensitive=False), help="Which of the two stores to open.")
@click.option(
    "--language",
    default="en",
    show_default=True,
    type=click.Choice(LANGUAGES),
    help="The language of the screen; auto is the store's market's, as at a real register.",
)
@click.option("--theme", default="auto", type=click.Choice(THEMES), help="The colours of the screen; auto fits the terminal.")
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII only.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), default=None, help="Keep the demo's files in this folder instead of a temporary one.")
def demo(headless: bool, seed: int, sales: int, market: str, language: str, theme: str, plain: bool, keep: Path | None) -> None:
    """The counter on a sample store: an embedded central, simulated devices, and F12 to play the customer and the world."""
    if headless:
        from edge_agent.demo.day import run_day

        sys.exit(run_day(seed=seed, sales=sales, market=market, keep=keep))
    from edge_agent.demo.telling import tell_setting_up
    from edge_agent.domain.market import MARKETS

    require_terminal("Start it in one, without pipes; `edge-agent demo --headless` needs none.")
    spoken = MARKETS[market].locale if language == "auto" else language
    tell_setting_up(spoken)  # before the imports: they take a while on a first run
    from edge_agent.demo.counter import run_counter

    run_counter(seed=seed, market=market, language=spoken, theme=theme, glyphs="ascii" if plain else "auto", keep=keep)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=1, show_default=True, help="Which sample is made: the same number makes the same articles, customers and carts again.")
def sample(folder: Path, seed: int) -> None:
    """Write the sample shop into FOLDER, for `edge-central seed --folder FOLDER`: stores and feeds as lines of JSON, dated within the last day.

    Nothing is written where a file of it is there with other content.
    """
    from edge_agent.demo.sample import newest_at_ms, write_folder

    write_folder(folder, seed, newest_at_ms(SystemClock().now_ms()))
    for path in sorted(folder.glob("*.ndjson")):
        click.echo(f"{path}: {path.read_bytes().count(10)} lines")


# --- what IT asks ----------------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """How this register does. Exit 1 when selling stopped, the disk is nearly full, or central takes nothing from it; being offline is not wrong."""
    now = _ask(config_of(context), lambda client: client.status())
    if as_json:
        click.echo(msgspec.json.encode(now))
    else:
        click.echo("\n".join(status_lines(now)))
    sys.exit(EXIT_FAILED if needs_somebody(now) else 0)


@main.command()
@click.option("--watch", is_flag=True, help="Stay, and print a line for every change and every reading, until Ctrl+C.")
@click.option("--json", "as_json", is_flag=True, help="All devices as one JSON array (with --watch: one a line).")
@click.pass_context
def devices(context: click.Context, watch: bool, as_json: bool) -> None:
    """The devices on the counter: their state, and how often they have read since the service started."""

    def show(rows: list[DeviceView]) -> None:
        if as_json:
            click.echo(msgspec.json.encode(rows))
        else:
            click.echo("\n".join(map(device_line, rows)) or NO_DEVICES)

    async def follow(client: AgentClient) -> None:
        shown: list[DeviceView] | None = None
        async for news in client.news():
            if isinstance(news, Disconnected):
                click.echo(f"{clock_time(SystemClock().now_ms())}  The service does not answer: {news.error}. Waiting for it.", err=True)
                continue
            if as_json and news.devices != shown:
                click.echo(msgspec.json.encode(news.devices))
            elif not as_json:
                for line in changed_lines(shown, news.devices, news.at_ms):
                    click.echo(line)
                if shown is None and not news.devices:
                    click.echo(NO_DEVICES)
            shown = news.devices

    config = config_of(context)
    if watch:
        try:
            _ask(config, follow)
        except KeyboardInterrupt:
            return
    else:
        show(_ask(config, lambda client: client.devices()))


@main.command()
@click.argument("url")
@click.argument("code")
@click.option("--leave-behind", is_flag=True, help="Become another register although this one has not finished: what waits of it stays in the journal.")
@click.pass_context
def enrol(context: click.Context, url: str, code: str, leave_behind: bool) -> None:
    """Make this PC the register that CODE was issued for at central's URL (https://central.example).

    The same command again on the same PC, while the code is valid, renews the register's token and changes nothing else.
    """
    from edge_agent.hosting import enrol_register

    config = config_of(context)
    enrolled = enrol_register(config, url, code, leave_behind=leave_behind)
    click.echo(f"Enrolled as register {enrolled.register} of store {enrolled.store} ({one_line(enrolled.store_name)}), epoch {enrolled.epoch}.")
    click.echo(f"Kept in {config.folder}: enrolment.json and the device's key.")
    named = f" --config {shlex.quote(str(context.obj))}" if context.obj is not None else ""
    click.echo(f"Next: `systemctl restart edge-agent` where it is installed, else `edge-agent{named} run`. Then `edge-agent{named} status`.")


@main.command()
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing. Exit 1 when something stands in the way.")
@click.option("--user", default="edge-agent", show_default=True, help="The service's own user.")
@click.option("--unit-only", is_flag=True, help="Print the systemd unit alone.")
@click.pass_context
def install(context: click.Context, dry_run: bool, user: str, unit_only: bool) -> None:
    """Create the service user, folders, udev rules and the systemd unit. Needs root, except with --dry-run."""
    from edge_agent.deploy.apply import apply
    from edge_agent.deploy.plan import CONFIG_PATH, STATE, Blocked, install_plan, render, said, unit_text
    from edge_agent.hosting import installed_state

    path = os.path.abspath(context.obj or CONFIG_PATH)
    state = installed_state(load_config(Path(path))) if os.path.exists(path) else STATE
    plan = install_plan(user=user, config_path=path, state=state)
    if unit_only:
        click.echo(unit_text(user=user, config_path=path, state=state), nl=False)
    elif dry_run:
        click.echo(render(plan), nl=False)
    else:
        apply(plan, click.echo)
        return
    blocked = [step for step in plan if isinstance(step, Blocked)]
    for step in blocked if unit_only else ():
        click.echo(said(step), err=True)
    sys.exit(EXIT_FAILED if blocked else 0)


@main.group("config")
def config_group() -> None:
    """Look at the register's configuration."""


@config_group.command("check")
@click.pass_context
def config_check(context: click.Context) -> None:
    """Say whether the file can be used; when not, every mistake with file, key, expected and got. Opens no device and asks nobody.

    Prices in codes are checked against the store's currency once the register is enrolled: its state folder says which that is.
    """
    from edge_agent.hosting import check_config

    config, mistakes = read_config(context.obj)
    for line in check_config(config, mistakes):
        click.echo(line)
    click.echo(f"{config.source}: good.")
