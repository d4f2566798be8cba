"""``edge-central``: serve, fill, look at and reconcile a central platform."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import msgspec

from edge_agent.domain.errors import ConfigError, EdgeError
from sync.central import listings
from sync.central.central import DATABASE, Central
from sync.central.document import document_text
from sync.central.problems import Refused
from sync.central.report import report_lines
from sync.central.seeding import seed_folder
from sync.central.serving import listen, serve_until_told, served_alone, url_of

F = TypeVar("F", bound=Callable[..., Any])
DATA = click.option("--data", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder that holds everything.")
EXISTING = click.option(
    "--data", "folder", type=click.Path(file_okay=False, exists=True, path_type=Path), required=True, help="The folder that holds everything."
)


@contextmanager
def _failures() -> Iterator[None]:
    """Expected failures as one line and what to do."""
    try:
        yield
    except EdgeError as problem:
        _fail(problem.message, problem.hint)
    except Refused as problem:
        _fail(str(problem), "")
    except OSError as problem:
        if problem.errno == errno.EPIPE:
            raise  # whoever read our output has enough
        _fail(f"{problem.filename}: {problem.strerror}." if problem.filename else f"{problem.strerror or problem}.", "Check the path and its permissions.")


def _fail(message: str, hint: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    sys.exit(1)


def _plainly(command: F) -> F:
    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with _failures():
            return command(*args, **kwargs)

    return run  # type: ignore[return-value]  # the wrapper takes what the command takes


def _made(folder: Path) -> closing[Central]:
    """The folder's central, made when missing, without a server; another process may be serving it."""
    return closing(Central(folder))


def _opened(folder: Path) -> closing[Central]:
    """The folder's central, which has to be there. Raises ConfigError."""
    if not (folder / DATABASE).exists():
        raise ConfigError(f"{folder} holds no central: there is no {DATABASE}.", hint="`edge-central seed` or `edge-central serve` makes one.")
    return _made(folder)


@click.group(epilog="Exit codes: 0 good, 1 refused or something is wrong, 2 a misspelt command.")
@click.version_option(package_name="edge-agent", prog_name="edge-central")
def main() -> None:
    """The reference central platform, in one folder: one serves it, the other commands may be used beside it."""


@main.command()
@DATA
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on. Plain HTTP: beyond this computer put TLS in front of it.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@click.option("--tenant", default="", help="Whose central it is; fixed by the first start (demo).")
@click.option("--ready-fd", type=click.IntRange(1), default=None, help="Also write the URL to this file descriptor and close it.")
@_plainly
def serve(folder: Path, host: str, port: int, tenant: str, ready_fd: int | None) -> None:
    """Serve until stopped; prints one line with the URL once it listens.

    The operators' token is in the data folder's file ops-token, or is given in EDGE_CENTRAL_OPS_TOKEN.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    ops_token = os.environ.get("EDGE_CENTRAL_OPS_TOKEN", "")
    with served_alone(folder), listen(host, port) as sock, closing(Central(folder, tenant=tenant, ops_token=ops_token)) as central:
        click.echo(url_of(sock))
        sys.stdout.flush()
        if ready_fd is not None:
            os.write(ready_fd, (url_of(sock) + "\n").encode())
            os.close(ready_fd)
        serve_until_told(central, sock)


@main.command()
@DATA
@click.option(
    "--folder", "source", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True, help="Where stores.ndjson, catalogue.ndjson, ... are."
)
@_plainly
def seed(folder: Path, source: Path) -> None:
    """Publish stores, articles, prices, customers, carts and staff from NDJSON files. Repeating it changes nothing.

    A line of stores.ndjson is a store. A line of the others is {"op":"put","key":"SKU-1","data":{...}}, which puts that row, or
    {"op":"del","key":"SKU-1"}, which deletes it everywhere; of lines with one key the last one holds. A wrong line is named; nothing of its file is
    published then.
    """
    with _made(folder) as central:
        for name, count in seed_folder(central, source).items():
            click.echo(f"{name}: {count} changed")


@main.command("enrol-code")
@EXISTING
@click.option("--store", required=True, help="The store's number, such as 0001.")
@click.option("--register", required=True, help="The register's number in it, such as 02.")
@_plainly
def enrol_code(folder: Path, store: str, register: str) -> None:
    """Print a single-use code for `edge-agent enrol`; it lives ten minutes and ends earlier codes of the register."""
    with _opened(folder) as central:
        click.echo(central.enrol_code(store, register).code)


@main.command()
@EXISTING
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@_plainly
def reconcile(folder: Path, as_json: bool) -> None:
    """Prove that nothing is missing, torn or different.

    Exit status 1 when something is, and when somebody has to look: a register is frozen, facts are in quarantine or withheld.
    """
    with _opened(folder) as central:
        found = central.reconcile()
    click.echo(msgspec.json.encode(found).decode() if as_json else "\n".join(report_lines(found)))
    if not found.ok or found.attention:
        sys.exit(1)


@main.command()
@EXISTING
@click.option("--source", default="", help="Only this register (/t/TENANT/s/STORE/r/REGISTER).")
@click.option("--type", "kind", default="", help="Only this type (retail.sale.completed.v1 ...).")
@click.option("--stream", default="", help="Only this stream (trade, people, ops).")
@click.option("--after", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1), help="Only positions above this.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1_000_000), help="At most so many.")
@click.option("--quarantined", is_flag=True, help="Only facts in quarantine.")
@click.option("--json", "raw", is_flag=True, help="The events themselves, byte for byte as they were sent, one a line.")
@_plainly
def events(folder: Path, source: str, kind: str, stream: str, after: int, limit: int, quarantined: bool, raw: bool) -> None:
    """Print stored facts in the order in which central stored them. Where there are more, standard error says after which position."""
    with _opened(folder) as central:
        found = central.facts(after=after, limit=limit + 1, source=source, type=kind, stream=stream, quarantined=quarantined)
        for fact in found[:limit]:
            click.echo(bytes(fact.event) if raw else _event_line(fact))
    if len(found) > limit:
        click.echo(f"There are more: --after {found[limit - 1].position}, or a larger --limit.", err=True)


def _event_line(fact: listings.StoredFact) -> str:
    event: dict[str, Any] = msgspec.json.decode(fact.event)
    problem = f"  QUARANTINED {fact.problem.title}: {fact.problem.detail}" if fact.problem else ""
    return (
        f"{fact.position:>8}  {event['time']}  {event['source']}  {event['stream']:6} {int(event['sequence']):>8}  {event['type']}  {event['subject']}{problem}"
    )


@main.command()
@_plainly
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API."""
    click.echo(document_text(), nl=False)


if __name__ == "__main__":
    main()
