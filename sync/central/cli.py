"""``edge-central``: serve, fill, look at and reconcile a central platform."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from edge_agent.domain.errors import EdgeError
from sync.central import listings
from sync.central.central import Central
from sync.central.document import document_text
from sync.central.problems import Refused
from sync.central.report import report_lines
from sync.central.seeding import seed_folder
from sync.central.serving import listen, serve_until_told, url_of

F = TypeVar("F", bound=Callable[..., Any])
DATA = click.option("--data", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder that holds everything.")
EXISTING = click.option(
    "--data", "folder", type=click.Path(file_okay=False, exists=True, path_type=Path), required=True, help="The folder that holds everything."
)


@contextmanager
def _failures() -> Iterator[None]:
    """Expected failures as one sentence and what to do."""
    try:
        yield
    except EdgeError as problem:
        raise click.ClickException(f"{problem.message} {problem.hint}") from problem
    except Refused as problem:
        raise click.ClickException(str(problem)) from problem


def _plainly(command: F) -> F:
    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with _failures():
            return command(*args, **kwargs)

    return run  # type: ignore[return-value]  # the wrapper takes what the command takes


def _opened(folder: Path) -> closing[Central]:
    """The folder's central, without a server; another process may be serving it."""
    return closing(Central(folder))


@click.group()
def main() -> None:
    """The reference central platform."""


@main.command()
@DATA
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--tenant", default="", help="Fixed by the first start.")
@click.option("--ready-fd", type=int, default=None, help="Also write the URL to this file descriptor and close it.")
@_plainly
def serve(folder: Path, host: str, port: int, tenant: str, ready_fd: int | None) -> None:
    """Serve until stopped; prints one line with the URL once it listens.

    The operators' token is in the data folder's file ops-token, or is given in EDGE_CENTRAL_OPS_TOKEN.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with listen(host, port) as sock, closing(Central(folder, tenant=tenant, ops_token=os.environ.get("EDGE_CENTRAL_OPS_TOKEN", ""))) as central:
        click.echo(url_of(sock))
        sys.stdout.flush()
        if ready_fd is not None:
            os.write(ready_fd, (url_of(sock) + "\n").encode())
            os.close(ready_fd)
        serve_until_told(central, sock)


@main.command()
@DATA
@click.option("--folder", "source", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True, help="stores.ndjson, catalogue.ndjson, ...")
@_plainly
def seed(folder: Path, source: Path) -> None:
    """Publish stores, articles, prices, customers, carts and staff from NDJSON files. Repeating it changes nothing."""
    with _opened(folder) as central:
        for name, count in seed_folder(central, source).items():
            click.echo(f"{name}: {count} changed")


@main.command("enrol-code")
@EXISTING
@click.option("--store", required=True)
@click.option("--register", required=True)
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
    """Prove that nothing is missing, torn or different. Exit status 1 when something is."""
    with _opened(folder) as central:
        found = central.reconcile()
    click.echo(msgspec.json.encode(found).decode() if as_json else "\n".join(report_lines(found)))
    if not found.ok:
        sys.exit(1)


@main.command()
@EXISTING
@click.option("--source", default="", help="Only this register (/t/TENANT/s/STORE/r/REGISTER).")
@click.option("--type", "kind", default="", help="Only this type (retail.sale.completed.v1 ...).")
@click.option("--stream", default="", help="Only this stream (trade, people, ops).")
@click.option("--after", default=0, help="Only positions above this.")
@click.option("--limit", default=100, show_default=True)
@click.option("--quarantined", is_flag=True, help="Only facts in quarantine.")
@click.option("--json", "raw", is_flag=True, help="The events themselves, byte for byte as they were sent, one a line.")
@_plainly
def events(folder: Path, source: str, kind: str, stream: str, after: int, limit: int, quarantined: bool, raw: bool) -> None:
    """Print stored facts in the order in which central stored them."""
    with _opened(folder) as central:
        for fact in central.facts(after=after, limit=limit, source=source, type=kind, stream=stream, quarantined=quarantined):
            click.echo(bytes(fact.event) if raw else _event_line(fact))


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
