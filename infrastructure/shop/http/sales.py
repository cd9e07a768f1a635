"""Sales over HTTP: by day, by customer, by product."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, Field

from application.access import AUDITOR
from application.shop import queries
from application.shop.access import CLERK, CUSTOMER
from application.shop.read_models.customer_orders import (
    Customer,
    CustomersOrder,
    customer_orders,
)
from application.shop.read_models.daily_sales import DailySales, daily_sales
from application.shop.read_models.product_search import Product, product_search
from domain.decider import Missing
from domain.shop_values import Sku
from infrastructure.http.access import allowed, known_callers
from infrastructure.http.paging import After, Limit, following
from infrastructure.http.problems import BadQuestion
from infrastructure.http.reading import Reading, answers
from infrastructure.shop.http.own import OwnCustomer

router = APIRouter(tags=["sales"])


def _day(text: str) -> str:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("write a day as YYYY-MM-DD")  # 20101201 would be seconds since 1970
    return text


Day = Annotated[date, BeforeValidator(_day)]

_NEXT = "where the next page is; none: this was the last"


class UnknownCustomer(Missing):
    """No order has been placed under this customer id."""


class UnknownProduct(Missing):
    """No product has been ordered under this SKU."""


class Sales(BaseModel):
    """One page of days, each country and currency apart."""

    sales: Sequence[DailySales]
    next: str | None = Field(description=_NEXT)


class Customers(BaseModel):
    """One page of customers, by id."""

    customers: Sequence[Customer]
    next: str | None = Field(description=_NEXT)


class CustomersOrders(BaseModel):
    """One page of a customer's orders, the oldest first."""

    orders: Sequence[CustomersOrder]
    next: str | None = Field(description=_NEXT)


class Products(BaseModel):
    """One page of products, those most sold first."""

    products: Sequence[Product]
    next: str | None = Field(description=_NEXT)


@router.get("/sales", responses=answers(BadQuestion))
@allowed(CLERK, AUDITOR)
async def list_sales(
    request: Request,
    reading: Reading,
    first: Annotated[Day | None, Query(alias="from", examples=["2010-12-01"])] = None,
    last: Annotated[Day | None, Query(alias="to", examples=["2010-12-31"])] = None,
    country: Annotated[str | None, Query(examples=["France"])] = None,
    after: After = None,
    limit: Limit = 50,
) -> Sales:
    """Sales day by day, both days included. A return counts on the day of the sale."""
    views = await reading.of(daily_sales)
    try:
        page = await queries.sales(
            views, first=first, last=last, country=country, after=after, limit=limit
        )
    except ValueError as error:
        raise BadQuestion(str(error)) from error
    return Sales(sales=page.items, next=following(request, page))


@router.get("/customers", responses=answers())
@allowed(CLERK, AUDITOR)
async def list_customers(
    request: Request, reading: Reading, after: After = None, limit: Limit = 50
) -> Customers:
    """Customers by id, page by page, with what their orders come to."""
    page = await queries.customers(await reading.of(customer_orders), after=after, limit=limit)
    return Customers(customers=page.items, next=following(request, page))


@router.get("/customers/{customer_id}", responses=answers(UnknownCustomer))
@allowed(CLERK, AUDITOR, own=[CUSTOMER])
async def get_customer(id: OwnCustomer, reading: Reading) -> Customer:
    """What all orders of a customer come to."""
    return reading.found(
        await queries.customer(await reading.of(customer_orders), id),
        UnknownCustomer(f"no customer {id} is known here"),
    )


@router.get("/customers/{customer_id}/orders", responses=answers(UnknownCustomer))
@allowed(CLERK, AUDITOR, own=[CUSTOMER])
async def list_customers_orders(
    request: Request, id: OwnCustomer, reading: Reading, after: After = None, limit: Limit = 50
) -> CustomersOrders:
    """A customer's orders, the oldest first: what was ordered, paid, sent and sent back."""
    views = await reading.of(customer_orders)
    page = reading.found(
        await queries.customers_orders(views, id, after=after, limit=limit),
        UnknownCustomer(f"no customer {id} is known here"),
    )
    return CustomersOrders(orders=page.items, next=following(request, page))


@router.get("/products", responses=answers(BadQuestion))
@known_callers
async def list_products(
    request: Request,
    reading: Reading,
    words: Annotated[
        str,
        Query(max_length=200, examples=["hanging heart"], description="how words of it begin"),
    ] = "",
    after: After = None,
    limit: Limit = 50,
) -> Products:
    """Products by words of their descriptions or by SKU, most sold first."""
    try:
        page = await queries.products(
            await reading.of(product_search), words, after=after, limit=limit
        )
    except ValueError as error:
        raise BadQuestion(str(error)) from error
    return Products(products=page.items, next=following(request, page))


@router.get("/products/{sku:path}", responses=answers(UnknownProduct))
@known_callers
async def get_product(
    code: Annotated[Sku, Path(alias="sku", examples=["85123A"])], reading: Reading
) -> Product:
    """One product: its descriptions, and how often it was sold."""
    return reading.found(
        await queries.product(await reading.of(product_search), code),
        UnknownProduct(f"no product was ordered as {code}; the case of a SKU matters"),
    )
