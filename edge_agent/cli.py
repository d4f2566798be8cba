"""The command line: the service, the counter, the demo, and what IT asks of a register."""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar, get_args, get_type_hints

import click
import msgspec

from edge_agent import __version__
from edge_agent.attach import open_client
from edge_agent.client import AgentClient, ApiProblem, ServiceUnreachable
from edge_agent.config import Config, TillScreen, load_config
from edge_agent.domain.errors import EdgeError
from edge_agent.views import DeviceView, StatusView

LANGUAGES, THEMES, GLYPHS = (tuple(get_args(get_type_hints(TillScreen)[key])) for key in ("language", "theme", "glyphs"))
EXIT_FAILED, EXIT_UNREACHABLE = 1, 3
T = TypeVar("T")


class Program(click.Group):
    """Every expected failure ends in one line and what to do, never in a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command and translate its expected failures into exit codes: 1 refused or wrong, 3 the service does not answer."""
        try:
            return super().invoke(ctx)
        except EdgeError as error:
            self._fail(error.message, error.hint, EXIT_FAILED)
        except ApiProblem as error:
            self._fail(error.problem.detail, error.problem.hint, EXIT_FAILED)
        except ServiceUnreachable as error:
            self._fail(f"The service does not answer ({error}).", "Start it: `systemctl start edge-agent`, or `edge-agent run`.", EXIT_UNREACHABLE)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read our output has enough
            told = f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror or error}."
            self._fail(told, "Check that this user may read and write there: `edge-agent install` gives the files to the service's own user.", EXIT_FAILED)

    @staticmethod
    def _fail(message: str, hint: str, code: int) -> NoReturn:
        click.echo(f"error: {message}", err=True)
        if hint:
            click.echo(f"  {hint}", err=True)
        sys.exit(code)


@click.group(cls=Program)
@click.version_option(__version__, prog_name="edge-agent")
@click.option("--config", "path", type=click.Path(path_type=Path), default=None, help="The register's TOML file.")
@click.pass_context
def main(context: click.Context, path: Path | None) -> None:
    """The till that stays open."""
    context.obj = path


def _config(context: click.Context) -> Config:
    return load_config(context.obj)


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
    from edge_agent.hosting import run_service

    run_service(_config(context))


@main.command()
@click.option("--standalone", is_flag=True, help="Run the service in this process too.")
@click.option("--language", default=None, type=click.Choice(LANGUAGES), help="The language of the screen; auto is the register's market's.")
@click.option("--theme", default=None, type=click.Choice(THEMES), help="The colours of the screen; auto fits the terminal.")
@click.option("--glyphs", default=None, type=click.Choice(GLYPHS), help="The drawn characters; auto fits the terminal.")
@click.option("--ascii", "plain", is_flag=True, help="The same as --glyphs ascii.")
@click.pass_context
def till(context: click.Context, standalone: bool, language: str | None, theme: str | None, glyphs: str | None, plain: bool) -> None:
    """Open the counter; it waits for the service and comes back to it. What is not given stands in the file's [till] section."""
    from edge_agent.hosting import run_till

    config = _config(context)
    drawn = "ascii" if plain else glyphs or config.till.glyphs
    run_till(config, standalone=standalone, language=language or config.till.language, theme=theme or config.till.theme, glyphs=drawn)


@main.command()
@click.option("--headless", is_flag=True, help="Run a scripted day by bytes on the wire, print the reconciliation, exit 1 on any difference.")
@click.option("--seed", default=1, show_default=True, help="The same seed is the same day.")
@click.option(
    "--sales",
    default=200,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="At least so many sales on the scripted day. Every kind of customer (24) and every trouble (19) comes, so it never has fewer than 43.",
)
@click.option("--market", default="DE", show_default=True, type=click.Choice(["DE", "US"]), help="Which of the two sample stores to open.")
@click.option("--language", default=None, type=click.Choice(["en", "de"]), help="The language of the screen.")
@click.option("--theme", default="auto", type=click.Choice(THEMES), help="The colours of the screen; auto fits the terminal.")
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII only.")
@click.option("--keep", type=click.Path(path_type=Path), default=None, help="Keep the demo's files in this folder instead of a temporary one.")
def demo(headless: bool, seed: int, sales: int, market: str, language: str | None, theme: str, plain: bool, keep: Path | None) -> None:
    """The counter on a sample store: an embedded central, simulated devices, and F12 to play the customer and the world."""
    if headless:
        from edge_agent.demo.day import run_day

        sys.exit(run_day(seed=seed, sales=sales, market=market, keep=keep))
    from edge_agent.demo.counter import run_counter

    run_counter(seed=seed, market=market, language=language or "en", theme=theme, glyphs="ascii" if plain else "auto", keep=keep)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=1, show_default=True, help="The same seed is the same shop.")
def sample(folder: Path, seed: int) -> None:
    """Write the sample shop into FOLDER, for `edge-central seed --folder FOLDER`: stores and feeds as lines of JSON, dated today."""
    from edge_agent.clock import SystemClock
    from edge_agent.demo.sample import write_folder

    write_folder(folder, seed, SystemClock().now_ms())
    for path in sorted(folder.glob("*.ndjson")):
        click.echo(f"{path}: {path.read_bytes().count(10)} lines")


# --- what IT asks ----------------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """How this register does."""
    now = _ask(_config(context), lambda client: client.status())
    if as_json:
        click.echo(msgspec.json.encode(now))
        return
    for line in status_lines(now):
        click.echo(line)


def status_lines(now: StatusView) -> list[str]:
    """The service's health as text, one fact a line."""
    waiting = sum(stream.waiting for stream in now.streams)
    lines = [
        f"register   {now.store}/{now.register}  version {now.version}  up {(now.now_ms - now.started_ms) // 1000} s  {now.phase}",
        f"central    {now.link.state}  {waiting} facts waiting  {now.link.detail}".rstrip(),
        f"journal    {now.journal.state}  {now.journal.events} events  {now.journal.bytes / 1e6:.1f} MB  {now.journal.path}  {now.journal.reason}".rstrip(),
    ]
    if now.link.hint:
        lines.append(f"           {now.link.hint}")
    lines += [f"stream     {stream.stream:<8} {stream.acknowledged} of {stream.head} acknowledged" for stream in now.streams]
    lines += [device_line(device) for device in now.devices]
    return lines


def device_line(device: DeviceView) -> str:
    """One device as text."""
    state = "●" if device.state == "ready" else "○"
    told = " ".join(part for part in (device.detail, device.hint) if part)
    return f"{state} {device.name:<16} {device.kind:<16} {device.state:<9} {device.readings:>6} readings  {told}".rstrip()


@main.command()
@click.option("--watch", is_flag=True, help="Stay, and print every change.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array (with --watch: one a line).")
@click.pass_context
def devices(context: click.Context, watch: bool, as_json: bool) -> None:
    """The devices on the counter, live."""

    def show(rows: list[DeviceView]) -> None:
        if as_json:
            click.echo(msgspec.json.encode(rows))
        elif not rows:
            click.echo("No devices are configured.")
        else:
            for row in rows:
                click.echo(device_line(row))

    async def follow(client: AgentClient) -> None:
        shown: list[DeviceView] | None = None
        async for news in client.news():
            rows = getattr(news, "devices", None)
            if rows is None:
                click.echo("-- the service does not answer", err=True)
            elif rows != shown:
                if shown is not None and not as_json:
                    click.echo("--")
                show(rows)
                shown = rows

    config = _config(context)
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
@click.pass_context
def enrol(context: click.Context, url: str, code: str) -> None:
    """Make this PC the register that CODE was issued for at central's URL."""
    from edge_agent.hosting import enrol_register

    enrolled = enrol_register(_config(context), url, code)
    click.echo(f"Enrolled as register {enrolled.register} of store {enrolled.store} ({enrolled.store_name}), epoch {enrolled.epoch}.")
    click.echo("Start the service: `systemctl start edge-agent`, or `edge-agent run`.")


@main.command()
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--user", default="edge-agent", show_default=True, help="The service's own user.")
@click.option("--unit-only", is_flag=True, help="Print the systemd unit alone.")
@click.pass_context
def install(context: click.Context, dry_run: bool, user: str, unit_only: bool) -> None:
    """Create the service user, folders, udev rules and the systemd unit. Needs root, except with --dry-run."""
    from edge_agent.deploy.apply import apply
    from edge_agent.deploy.plan import CONFIG_PATH, STATE, install_plan, render, unit_text

    path = str(context.obj or CONFIG_PATH)
    state = (load_config(context.obj).state if context.obj is not None and context.obj.exists() else "") or STATE
    plan = install_plan(user=user, config_path=path, state=state)
    if unit_only:
        click.echo(unit_text(user=user, config_path=path, state=state), nl=False)
    elif dry_run:
        click.echo(render(plan), nl=False)
    else:
        apply(plan, click.echo)


@main.group()
def journal() -> None:
    """Look into the register's journal."""


@journal.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Check every page, event and fact; exit 1 when anything is wrong."""
    from edge_agent.hosting import journal_verification

    found = journal_verification(_config(context), open_client)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        click.echo(f"{found.events} events and {found.facts} facts looked at: {'sound' if not found.problems else f'{len(found.problems)} problems'}.")
        for problem in found.problems:
            click.echo(f"  {problem}")
    sys.exit(EXIT_FAILED if found.problems else 0)


@journal.command()
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.pass_context
def tail(context: click.Context, count: int) -> None:
    """The newest events, without anything personal."""
    from edge_agent.hosting import journal_tail

    for event in journal_tail(_config(context), open_client, count):
        click.echo(f"{event.position:>8}  {event.at_ms}  {event.type:<20} {event.body}")


@journal.command()
@click.pass_context
def export(context: click.Context) -> None:
    """Facts (their wire bytes) and events as lines of JSON on standard output."""
    from edge_agent.hosting import journal_export

    journal_export(_config(context), open_client, sys.stdout.buffer.write)


@main.group("config")
def config_group() -> None:
    """Look at the register's configuration."""


@config_group.command("check")
@click.pass_context
def config_check(context: click.Context) -> None:
    """Say whether the file can be used, with file, key, expected and got when it cannot."""
    from edge_agent.hosting import check_config

    found = _config(context)
    for line in check_config(found):
        click.echo(line)
    click.echo(f"{found.source}: good.")
