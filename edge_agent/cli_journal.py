"""The command line about the register's journal: looking into it, and what IT may have done to it."""

from __future__ import annotations

import shutil
import sys
from textwrap import indent

import click
import msgspec

from edge_agent.attach import open_client
from edge_agent.cli_program import EXIT_FAILED, config_of
from edge_agent.cli_text import event_json, event_line, forgotten, resent, verified

LINE_CHARS = 120
"""Where nobody's terminal says how wide it is."""


@click.group()
def journal() -> None:
    """Look into the register's journal, forget a customer in it, send again what central could not take."""


@journal.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Check every page, event and fact, and what was made of the events; exit 1 when anything is wrong, or there is no journal."""
    from edge_agent.journal_reading import journal_verification

    found = journal_verification(config_of(context), open_client)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        click.echo("\n".join([verified(found), *(indent(problem, "  ") for problem in found.problems)]))
    sys.exit(EXIT_FAILED if found.problems else 0)


@journal.command()
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--long", "whole", is_flag=True, help="Whole lines; without it they are cut to the terminal's width.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with everything.")
@click.pass_context
def tail(context: click.Context, count: int, whole: bool, as_json: bool) -> None:
    """The newest events, the newest last, without names, badges and tokens. Times are this computer's local time."""
    from edge_agent.journal_reading import journal_tail

    width = None if whole else shutil.get_terminal_size((LINE_CHARS, 24)).columns
    events = journal_tail(config_of(context), open_client, count)
    for event in events:
        click.echo(event_json(event) if as_json else event_line(event, width))
    if not events and not as_json:
        click.echo("The journal has no events yet.")


@journal.command()
@click.pass_context
def export(context: click.Context) -> None:
    """All facts and events as lines of JSON on standard output: everything, for an audit. Treat it as a secret.

    Facts are the very bytes that are hashed and sent to central, events the very bytes that are hashed, so that both can be verified; nothing is
    masked. In them are the names and badges of staff, the tokens of online carts that were claimed, and what the terminal printed of cards (never
    a whole number). Names of customers stay sealed, and are not in it.
    """
    from edge_agent.journal_reading import journal_export

    journal_export(config_of(context), open_client, sys.stdout.buffer.write)


@journal.command()
@click.argument("customer")
@click.pass_context
def forget(context: click.Context, customer: str) -> None:
    """Forget CUSTOMER (central's customer number) for good: what the journal holds of their name can never be read again.

    The key that it lies under is destroyed; events, facts and sales stay, and still verify. Deletions that central publishes do the same by
    themselves: this is for a person of whom none comes.
    """
    from edge_agent.journal_reading import journal_forget

    click.echo("\n".join(forgotten(journal_forget(config_of(context), open_client, customer))))


@journal.command()
@click.pass_context
def resend(context: click.Context) -> None:
    """Send what central could not take again, once the cause is mended: the facts that `edge-agent status` calls withheld.

    They go to the ends of their streams, in their order and with their own ids. What is refused again is withheld again. Exit 1 when the bytes of one
    are damaged.
    """
    from edge_agent.journal_reading import journal_resend

    done = journal_resend(config_of(context), open_client)
    click.echo("\n".join(resent(done)))
    sys.exit(EXIT_FAILED if done.left else 0)
