"""A whole register in process for tests: the real journal on a real disk, with a catalogue and people held in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from edge_agent.api.app import Surroundings, build_api
from edge_agent.api.present import Presenter
from edge_agent.clock import Clock, ClockIds, SystemClock, SystemRandom
from edge_agent.domain.cart import Cart, CartLine, Lease
from edge_agent.domain.catalogue import Article, Price
from edge_agent.domain.code import DEFAULT_RULES
from edge_agent.domain.customer import Customer, Identifier, IdentifierKind
from edge_agent.domain.errors import CentralConflict, CentralUnreachable
from edge_agent.domain.labels import labels
from edge_agent.domain.market import GERMANY, Market
from edge_agent.domain.receipt import Printed, PrintJob, PrintOutcome
from edge_agent.domain.sale_receipt import Letterhead
from edge_agent.domain.shift import RIGHTS_ALL, Operator
from edge_agent.domain.tender import Approved, Attempt, CardResult, Finding, Outcome
from edge_agent.formats import Formats
from edge_agent.payments.card_terminal import CardTerminal
from edge_agent.payments.cash import Cash
from edge_agent.ports import Age, Capabilities, Commit, Committed, Step, Steps
from edge_agent.service.core import Core, Ports, Shop
from edge_agent.service.till import Till
from edge_agent.views import EventView, ForgottenView, JournalView, ResentView, VerificationView
from sync.journal import Journal
from tests.support_register import AYSE, COAT, JUNIOR, MARIA, OMAR, PRALINES, SOCKS

KEY = bytes(range(32))
PRICES = (
    Price("COAT", 19900, "EUR", "book", "1"),
    Price("COAT", 17900, "EUR", "book", "1", "gold"),
    Price("COAT", 21000, "USD", "book", "1"),
    Price("SOCKS", 1250, "EUR", "book", "1"),
    Price("SOCKS", 1400, "USD", "book", "1"),
    Price("PRAL", 3990, "EUR", "book", "1"),
)
MARIA_KNOWN = replace(MARIA, identifiers=(Identifier(IdentifierKind.LOYALTY, "LOY0000000001"), Identifier(IdentifierKind.TAG_UID, "04A1B2C3D4E5F6")))
OMAR_KNOWN = replace(OMAR, identifiers=(Identifier(IdentifierKind.LOYALTY, "LOY0000000002"),))
MARIAS_CART = Cart("CART-7K3M9P2Q", "c-maria", 7, "EUR", (CartLine("w1", "COAT", 1, 18900), CartLine("w2", "SOCKS", 2, 1250)), as_of_ms=1)


@dataclass
class MemoryCatalogue:
    articles: tuple[Article, ...] = (COAT, SOCKS, PRALINES)
    rows: tuple[Price, ...] = PRICES

    def by_gtin(self, gtin: str) -> Article | None:
        return next((article for article in self.articles if gtin in article.gtins), None)

    def by_item(self, item: str) -> Article | None:
        return next((article for article in self.articles if article.item == item), None)

    def by_sku(self, sku: str) -> Article | None:
        return next((article for article in self.articles if article.sku == sku), None)

    def prices(self, sku: str) -> Sequence[Price]:
        return [row for row in self.rows if row.sku == sku]

    def find(self, text: str, limit: int) -> Sequence[Article]:
        return [article for article in self.articles if all(word in article.name.lower() for word in text.lower().split())][:limit]

    def departments(self) -> Sequence[tuple[str, str]]:
        return (("Fashion", "standard"), ("Food", "reduced"))

    def age(self) -> Age:
        return Age(1, "1")


@dataclass
class MemoryPeople:
    customers: tuple[Customer, ...] = (MARIA_KNOWN, OMAR_KNOWN)
    carts: tuple[Cart, ...] = (MARIAS_CART,)
    staff: tuple[Operator, ...] = (AYSE, JUNIOR, Operator("1003", "Manager", RIGHTS_ALL, "1003"))

    def customer(self, customer_id: str) -> Customer | None:
        return next((customer for customer in self.customers if customer.id == customer_id), None)

    def identify(self, identifier: Identifier) -> Sequence[Customer]:
        return [customer for customer in self.customers if identifier in customer.identifiers]

    def find(self, text: str, limit: int) -> Sequence[Customer]:
        return [customer for customer in self.customers if text.lower() in customer.name.lower()][:limit]

    def cart_of(self, customer_id: str) -> Cart | None:
        return next((cart for cart in self.carts if cart.customer == customer_id), None)

    def cart(self, cart_id: str) -> Cart | None:
        return next((cart for cart in self.carts if cart.id == cart_id), None)

    def operator(self, badge: str) -> Operator | None:
        return next((operator for operator in self.staff if badge in (operator.badge, operator.id)), None)

    def age(self) -> Age:
        return Age(1, "1")


@dataclass
class MemoryCentral:
    """A central that answers, is away (``down``), or has given the cart to somebody else (``held``, of whom ``held_shown`` is said)."""

    cart_now: Cart | None = MARIAS_CART
    customers: tuple[Customer, ...] = (MARIA_KNOWN, OMAR_KNOWN)
    down: bool = False
    held: bool = False
    held_shown: dict[str, object] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def _called(self, *call: object) -> None:
        self.calls.append(call)
        if self.down:
            raise CentralUnreachable("No answer within a second.", hint="The local copy is used.")

    async def identify(self, identifier: Identifier) -> Sequence[Customer]:
        self._called("identify", identifier)
        return [customer for customer in self.customers if identifier.value in (customer.id, *(one.value for one in customer.identifiers))]

    async def cart_of(self, customer_id: str) -> Cart | None:
        self._called("cart_of", customer_id)
        return self.cart_now if self.cart_now and self.cart_now.customer == customer_id else None

    async def cart(self, cart_id: str) -> Cart | None:
        self._called("cart", cart_id)
        return self.cart_now

    async def claim(self, cart_id: str, version: int, key: str) -> Lease:
        self._called("claim", cart_id, version)
        if self.held:
            raise CentralConflict("Register 03 holds that cart.", hint="Ask there.", reason="held", **self.held_shown)
        return Lease(cart_id, version, "lease-1", 2**41)

    async def release(self, lease: Lease) -> None:
        self._called("release", lease.cart)

    async def complete(self, lease: Lease, sale: str, sold: Mapping[str, int]) -> None:
        self._called("complete", lease.cart, sale, tuple(sorted(sold)))


@dataclass
class ScriptedTerminal:
    """A terminal that answers from a script; a submission waits until there is something to answer."""

    name: str = "T1"
    asked: list[Attempt] = field(default_factory=list)
    queried: list[Attempt] = field(default_factory=list)
    aborted: list[Attempt] = field(default_factory=list)
    answers: asyncio.Queue[Outcome] = field(default_factory=asyncio.Queue)
    findings: list[Finding] = field(default_factory=list)
    settle: int = 0

    def capabilities(self) -> Capabilities:
        return Capabilities()

    def wire_ref(self, attempt_id: str) -> str:
        return attempt_id[-10:].upper()

    def settle_ms(self) -> int:
        return self.settle

    async def submit(self, attempt: Attempt, steps: Steps) -> Outcome:
        self.asked.append(attempt)
        steps(Step("present_card"))
        return await self.answers.get()

    async def query(self, attempt: Attempt) -> Finding:
        self.queried.append(attempt)
        return self.findings.pop(0) if len(self.findings) > 1 else self.findings[0]

    async def abort(self, attempt: Attempt) -> None:
        self.aborted.append(attempt)

    def approve(self, minor: int, currency: str = "EUR") -> None:
        self.answers.put_nowait(Approved(minor, currency, CardResult(provider_ref="p1", brand="visa", last_four="1111")))


@dataclass
class PaperTray:
    """A printer that keeps its jobs and answers what it is told to."""

    jobs: list[PrintJob] = field(default_factory=list)
    outcome: PrintOutcome = field(default_factory=Printed)

    async def print(self, job: PrintJob) -> PrintOutcome:
        self.jobs.append(job)
        return self.outcome


class RefusingJournal:
    """The real journal, until somebody sets ``refuse``: then every commit fails with it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.refuse: Exception | None = None

    async def commit(self, commit: Commit) -> Committed:
        if self.refuse is not None:
            raise self.refuse
        return await self._journal.commit(commit)

    async def reopen(self) -> None:
        if self.refuse is not None:
            raise self.refuse
        await self._journal.reopen()

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)


@dataclass
class Rig:
    """Everything of one register that a test wants to reach."""

    till: Till
    core: Core
    journal: Journal
    refusing: RefusingJournal
    terminal: ScriptedTerminal
    paper: PaperTray
    central: MemoryCentral | None
    presenter: Presenter

    async def api(self, token: str = "") -> object:
        around = Surroundings(
            token=token,
            version="0",
            started_ms=0,
            devices=list,
            journal=lambda: JournalView("journal.db", 0, 0, "good"),
            verify=self._verified,
            tail=lambda count: [EventView(row.position, row.at_ms, row.row.type, row.row.body.decode()) for row in self.journal.tail(count)],
            export=self.journal.export,
            forget=self._forget,
            resend=self._resend,
        )
        return build_api(self.till, self.presenter, around)

    async def _forget(self, customer: str) -> ForgottenView:
        return ForgottenView(customer, await self.core.forget([customer]), self.core.ports.people.customer(customer) is not None)

    async def _resend(self) -> ResentView:
        return ResentView(*await self.journal.resend())

    def _verified(self) -> VerificationView:
        found = self.journal.verify()
        return VerificationView(found.events, found.facts, list(found.problems))


@asynccontextmanager
async def register(
    folder: Path,
    *,
    market: Market = GERMANY,
    central: MemoryCentral | None = None,
    terminal: ScriptedTerminal | None = None,
    ballast_bytes: int = 4096,
    clock: Clock | None = None,
):
    """An open register on the journal in ``folder``; opening the same folder again is a restart."""
    clock, random = clock or SystemClock(), SystemRandom()
    new_id = ClockIds(clock, random)
    journal = Journal.open(folder, KEY, clock=clock, random=random, new_id=new_id, ballast_bytes=ballast_bytes)
    refusing = RefusingJournal(journal)
    terminal = terminal or ScriptedTerminal()
    paper = PaperTray()
    shop = Shop("acme", "0001", "Berlin Mitte", "02", "1", market, DEFAULT_RULES)
    methods = (Cash(), CardTerminal(terminal, lambda: ""))
    ports = Ports(refusing, MemoryCatalogue(), MemoryPeople(), clock, new_id, methods, central=central, printer=paper)
    core = Core(shop, ports, journal.boot)
    core.load()
    formats = Formats(market)
    head = Letterhead(("Berlin Mitte",), labels(market.locale), formats.decimal, formats.amount, formats.moment)
    till = Till(core, head)
    await till.start("0", clean_stop=journal.clean_start)
    try:
        yield Rig(till, core, journal, refusing, terminal, paper, central, Presenter(core, formats, list, till.standing))
    finally:
        await till.close()
        await journal.close()
