"""A reconciliation as a table that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from edge_agent.domain.money import digits
from sync.central.reconcile import PaymentTask, Reconciliation, RegisterReport
from sync.central.trade_books import Books


def amount_text(minor: int, currency: str) -> str:
    """An amount for operators, the same in every country.

    >>> amount_text(-123456, "EUR"), amount_text(5, "EUR"), amount_text(1500, "JPY")
    ('-1234.56', '0.05', '1500')
    """
    places = digits(currency)
    text = str(abs(minor)).rjust(places + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else sign + text


def report_lines(found: Reconciliation) -> Iterator[str]:
    """The lines of the report; the last one is the verdict."""
    for register in found.registers:
        yield from _register_lines(register)
        yield ""
    for task in found.payment_tasks:
        yield _task_line(task)
    if found.payment_tasks:
        yield ""
    verdict = "IN ORDER" if found.ok else "NOT IN ORDER"
    but = f", but {'; '.join(found.attention)}" if found.attention else ""
    yield f"{verdict}{but}: {found.sales} sales, {found.quarantined} in quarantine, {found.refund_tasks} refund tasks"


def _task_line(task: PaymentTask) -> str:
    amount = f"{amount_text(task.amount_minor, task.currency)} {task.currency}"
    said = f"{amount_text(task.reported_minor, task.reported_currency)} {task.reported_currency}" if task.reported_currency else ""
    match task.task:
        case "give_back":
            what = f"GIVE BACK {amount}: paid by card"
        case "collect":
            what = f"COLLECT {amount}: not paid by card"
        case _:
            what = f"CLARIFY {amount} by card: the terminal reported {said or 'another amount or currency'}"
    sale = f"receipt {task.receipt}" if task.receipt else f"basket {task.transaction}"
    return f"{what}, {sale}, terminal {task.terminal} ({task.store}/{task.register}, attempt {task.attempt})"


def _register_lines(register: RegisterReport) -> Iterator[str]:
    frozen = f"  FROZEN: {register.frozen}" if register.frozen else ""
    yield f"{register.store}/{register.register}  epoch {register.epoch}  {register.source}{frozen}"
    yield f"  {'stream':8}{'first':>10}{'last':>10}{'facts':>10}{'gaps':>6}{'quarantined':>13}{'withheld':>10}  chain"
    for stream in register.streams:
        verdict = f"verified to {stream.head_hash[:12]}" if stream.chained else "BROKEN"
        numbers = f"{stream.first:>10}{stream.last:>10}{stream.count:>10}{stream.gaps:>6}{stream.quarantined:>13}{stream.withheld:>10}"
        anew = f", {stream.issued_anew} issued anew and counted before" if stream.issued_anew else ""
        yield f"  {stream.stream:8}{numbers}  {verdict}{anew}"
    for books in register.books:
        yield from _book_lines(books)
    agree = "the books are what the facts say" if register.agree else "THE BOOKS ARE NOT WHAT THE FACTS SAY"
    yield f"  {register.voided} baskets voided, {register.shifts} shifts, {register.visits} visits; {agree}"


def _book_lines(books: Books) -> Iterator[str]:
    def money(minor: int) -> str:
        return amount_text(minor, books.currency)

    sums = f"total {money(books.total_minor)}, tax {money(books.tax_minor)}, change {money(books.change_minor)}"
    yield f"  {books.currency}: {books.sales} sales, {books.lines} lines, {sums}"
    for kind, minor in books.tenders.items():
        yield f"    paid by {kind:<16}{money(minor):>16}"
    if books.rounding_minor:
        yield f"    {'rounding of cash':<24}{money(books.rounding_minor):>16}"
    for tax_class, tax in books.taxes.items():
        yield f"    taxed {tax_class:<18}{money(tax.base_minor):>16}  tax {money(tax.tax_minor)}"
