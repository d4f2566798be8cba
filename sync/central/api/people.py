"""Customers and their online carts, for a register that asks now."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath, JSONBody, QueryParameter

from sync.central import carts, customers
from sync.central.api.asking import ASKED, NOT_STORED, REGISTER_SECURITY, Asking, ThePlatform, answers, asking, problems
from sync.central.storage import Db
from sync.contract.messages import (
    PROBLEM_CHANGED,
    PROBLEM_HELD,
    PROBLEM_LEASE_GONE,
    PROBLEM_NOT_FOUND,
    PROBLEM_TOO_LARGE,
    ClaimAnswer,
    ClaimRequest,
    CompleteRequest,
    CustomersFound,
    ReleaseRequest,
)
from sync.contract.rows import CartRow, CustomerRow

# Rows are answered as they are stored, with members that this version may not know; the documentation shows the contract's row.


@get("/customers", responses=answers(CustomersFound, *ASKED, PROBLEM_NOT_FOUND), summary="Find customers by anything that stands for them")
async def find_customers(
    platform: ThePlatform,
    who: Asking,
    kind: Annotated[str, QueryParameter(min_length=1, max_length=32, description="loyalty, tag_uid, phone, email, customer (their id) or cart")],
    value: Annotated[str, QueryParameter(min_length=1, max_length=254)],
) -> dict[str, list[dict[str, Any]]]:
    """Their profiles, as the customers feed carries them: one, or all who share it."""
    return {"customers": await platform.readers.ask(lambda db: customers.find_customers(db, kind, value, who.country))}


@get("/customers/{customer:str}", responses=answers(CustomerRow, *ASKED, PROBLEM_NOT_FOUND), summary="A customer's profile")
async def read_customer(platform: ThePlatform, who: Asking, customer: FromPath[str]) -> dict[str, Any]:
    """The profile, as the customers feed carries it."""
    return await platform.readers.ask(lambda db: customers.read_customer(db, customer))


@get("/customers/{customer:str}/cart", responses=answers(CartRow, *ASKED, PROBLEM_NOT_FOUND), summary="A customer's open cart in this register's currency")
async def cart_of(platform: ThePlatform, who: Asking, customer: FromPath[str]) -> dict[str, Any]:
    """The newest, when there are several."""
    return await platform.readers.ask(lambda db: carts.cart_of(db, customer, platform.clock.now_ms(), who.currency))


@get("/carts/{cart:str}", responses=answers(CartRow, *ASKED, PROBLEM_NOT_FOUND), summary="An open cart")
async def read_cart(platform: ThePlatform, who: Asking, cart: FromPath[str]) -> dict[str, Any]:
    """As it stands now, with who holds it."""

    def read(db: Db) -> dict[str, Any]:
        return carts.read_cart(db, cart, platform.clock.now_ms(), who.currency)

    return await platform.readers.ask(read)


@post(
    "/carts/{cart:str}/claim",
    status_code=200,
    responses=problems(*ASKED, PROBLEM_NOT_FOUND, PROBLEM_HELD, PROBLEM_CHANGED, PROBLEM_LEASE_GONE, PROBLEM_TOO_LARGE),
    response_description="The lease; of a repeated call, the one that it was given first, prolonged",
    summary="Hold a cart for this register",
)
async def claim(platform: ThePlatform, who: Asking, cart: FromPath[str], data: JSONBody[ClaimRequest]) -> ClaimAnswer:
    """While the lease holds nobody else can claim the cart or pay for it online. The same key again prolongs it."""
    return await platform.writer.run(lambda transaction: carts.claim(transaction, platform.random, who, cart, data))


@post(
    "/carts/{cart:str}/release",
    status_code=204,
    responses=problems(*ASKED, PROBLEM_LEASE_GONE, PROBLEM_TOO_LARGE),
    response_description="It is free",
    summary="Let a held cart go",
)
async def release(platform: ThePlatform, who: Asking, cart: FromPath[str], data: JSONBody[ReleaseRequest]) -> None:
    """Repeating it is no error."""
    await platform.writer.run(lambda transaction: carts.release(transaction, who, cart, data.token))


@post(
    "/carts/{cart:str}/complete",
    status_code=204,
    responses=problems(*ASKED, PROBLEM_LEASE_GONE, PROBLEM_TOO_LARGE),
    response_description="The lines are out of the cart, and the lease has ended",
    summary="Lines of a held cart were sold",
)
async def complete(platform: ThePlatform, who: Asking, cart: FromPath[str], data: JSONBody[CompleteRequest]) -> None:
    """Repeating it for the same sale does nothing more; the sale's fact says the same and would do it without this call.

    A lease that ran out still completes as long as nobody else holds the cart: the goods are gone.
    """
    await platform.writer.run(lambda transaction: carts.complete(transaction, who, cart, data))


def people_router() -> Router:
    """The routes of this module."""
    return Router(
        "/edge/v1",
        route_handlers=[find_customers, read_customer, cart_of, read_cart, claim, release, complete],
        dependencies={"who": Provide(asking)},
        security=REGISTER_SECURITY,
        response_headers=[NOT_STORED],
        tags=["customers and carts"],
    )
