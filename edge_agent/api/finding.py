"""Looking things up over HTTP: articles, customers, past sales, departments; searches run on a thread, beside the counter."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from litestar import get
from litestar.params import PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from edge_agent import views as v
from edge_agent.api.answers import ASKED, LOOKED_UP
from edge_agent.api.present import Presenter, per
from edge_agent.domain.catalogue import Article, offer
from edge_agent.domain.customer import Customer, IdentifierKind
from edge_agent.domain.errors import CodeUnknown
from edge_agent.domain.receipt import layout
from edge_agent.service.codec import read_sale
from edge_agent.service.core import Core
from edge_agent.service.till import Till

ROWS_MAX = 100
RECEIPT_COLUMNS = 42

Query = Annotated[str, QueryParameter(name="q", max_length=200, description="Words, in any order")]
Limit = Annotated[int, QueryParameter(ge=1, le=ROWS_MAX)]


def finding_handlers(till: Till, presenter: Presenter) -> list[ControllerRouterHandler]:
    """Articles and departments, and the customers of the shop."""
    core = till.core

    @get("/v1/articles", summary="Find articles by typing", operation_id="articles", responses=ASKED)
    async def articles(q: Query, limit: Limit = 20) -> v.Found[v.ArticleView]:
        def found() -> v.Found[v.ArticleView]:
            catalogue = core.ports.catalogue
            rows = catalogue.find(q, limit + 1)
            return v.Found([_article(article, core, presenter) for article in rows[:limit]], "local", catalogue.age().as_of_ms, _more(len(rows), limit))

        return await anyio.to_thread.run_sync(found)

    @get("/v1/customers", summary="Find customers by typing", operation_id="customers", responses=ASKED)
    async def customers(q: Query, limit: Limit = 20) -> v.Found[v.CustomerRowView]:
        rows = await anyio.to_thread.run_sync(core.ports.people.find, q, limit + 1)
        asked = () if rows else await till.clienteling.typed(q)
        if asked:
            return v.Found([_customer_row(customer) for customer in asked[:limit]], "central", asked[0].as_of_ms, len(asked) > limit)
        return v.Found([_customer_row(customer) for customer in rows[:limit]], "local", core.ports.people.age().as_of_ms, _more(len(rows), limit))

    @get(
        "/v1/customers/{customer_id:str}/notes",
        summary="A customer's private notes: one key away, never in a snapshot",
        responses=LOOKED_UP,
        operation_id="notes",
    )
    async def customer_notes(customer_id: Annotated[str, PathParameter(max_length=64)]) -> v.CustomerNotesView:
        found = await anyio.to_thread.run_sync(core.ports.people.customer, customer_id)
        shown = core.desk.customer
        found = found or (shown if shown is not None and shown.id == customer_id else None)
        if found is None:
            raise CodeUnknown("That customer is not known here any more.", hint="Search again (F3).", reason="customer_gone")
        return v.CustomerNotesView(found.id, list(found.notes))

    @get("/v1/departments", summary="Departments to sell by", operation_id="departments", responses=ASKED, sync_to_thread=False)
    def departments() -> list[str]:
        return [name for name, _ in till.departments()]

    return [articles, customers, customer_notes, departments]


def sale_handlers(till: Till, presenter: Presenter) -> list[ControllerRouterHandler]:
    """Completed sales of this register."""
    core = till.core

    @get("/v1/sales", summary="Completed sales of this register, newest first", operation_id="sales", responses=ASKED)
    async def sales(q: Query = "", limit: Limit = 20) -> list[v.SaleView]:
        def found() -> list[v.SaleView]:
            return [presenter.sale(read_sale(row)) for row in core.ports.journal.sales(q, limit)]

        return await anyio.to_thread.run_sync(found)

    @get("/v1/sales/{sale_id:str}", summary="One completed sale with its receipt", operation_id="sale", responses=LOOKED_UP, sync_to_thread=False)
    def sale(sale_id: Annotated[str, PathParameter(max_length=64)]) -> v.SaleDetailView:
        found = till.printing.sale(sale_id)
        return v.SaleDetailView(presenter.sale(found), layout(till.printing.receipt(found, copy=False), RECEIPT_COLUMNS))

    return [sales, sale]


def _more(found: int, limit: int) -> bool:
    """Whether there is more than ``limit``: one row more was asked for, which the local copy gives up to its own ROWS_MAX."""
    return found > limit or found == ROWS_MAX


def _article(article: Article, core: Core, presenter: Presenter) -> v.ArticleView:
    rows = [price for price in core.ports.catalogue.prices(article.sku) if price.currency == core.shop.market.currency]
    found = offer(rows, core.ports.clock.now_ms())
    price = presenter.amount(found.applied.amount_minor) if found else None
    return v.ArticleView(article.sku, article.name, article.variant, article.gtins[0] if article.gtins else "", price, per(article.sold_by))


def _customer_row(customer: Customer) -> v.CustomerRowView:
    phone = next((identifier.value for identifier in customer.identifiers if identifier.kind is IdentifierKind.PHONE), "")
    return v.CustomerRowView(customer.id, customer.name, customer.tier, f"… {phone[-3:]}" if phone else "", customer.last_visit_ms)
