"""The answers of the read models: a table for people, JSON for programs."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from application.paging import Page
from application.ports import Total, V, Views
from application.projections.projection import Projection, View
from application.shop import queries
from application.shop.best_products import best_products as ranked_products
from application.shop.listing import OrderSum, WantedOrders, newest_orders, order_sums
from application.shop.read_models.customer_orders import customer_orders
from application.shop.read_models.daily_sales import daily_sales
from application.shop.read_models.exchanges import exchanges as exchanges_by_id
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.orders_by_date import ListedOrder, orders_by_date
from application.shop.read_models.product_search import product_search
from application.shop.read_models.stock_levels import stock_levels
from application.shop.warehouse import pick_list
from application.time_range import TimeRange
from domain.currencies import DECIMALS
from domain.exchanges import ExchangeStatus
from domain.orders import OrderStatus
from domain.values import Money
from infrastructure.cli.figures import age
from infrastructure.cli.forms import say_data
from infrastructure.cli.list_end import in_all, say_end, summary
from infrastructure.cli.printing import Console, Table
from infrastructure.cli.process import UsageError
from infrastructure.cli.table import Column, print_table, say_text
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import VIEWS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


@dataclass(frozen=True)
class Question(Generic[V]):
    """A query on a read model; ``columns``: the fields that a table of its page shows."""

    name: str
    projection: Projection[V]
    ask: Callable[..., Awaitable[Page[Any] | View | None]]  # of its views, and of those beside
    columns: str = ""
    of: str = ""  # what there is not, when there is no answer
    beside: Projection[Any] | None = None  # another read model that it needs
    sums: Callable[[Views[V]], Awaitable[Sequence[OrderSum]]] | None = None  # of all pages


def order(id: str) -> Question[Any]:
    """One order."""
    return Question(f"order {id}", order_summary, partial(queries.order, order_id=id))


def orders(
    status: str | None,
    placed: TimeRange,
    country: str | None,
    customer: str | None,
    *,
    after: str | None,
    limit: int,
) -> Question[Any]:
    """A page of orders, newest first, with what all of them come to. Raises :class:`UsageError`."""
    wanted = WantedOrders(_one_of(OrderStatus, status), placed, country, customer)

    async def ask(views: Views[ListedOrder]) -> Page[ListedOrder]:
        found = await newest_orders(views, wanted, after=after, limit=limit)
        return Page(found.orders, found.after)

    columns = "order_id placed_at status customer_id country units total"
    sums = partial(order_sums, wanted=wanted)
    return Question("orders", orders_by_date, ask, columns, sums=sums)


def exchanges(
    order: str | None,
    status: str | None,
    requested: TimeRange,
    *,
    after: str | None,
    limit: int,
) -> Question[Any]:
    """A page of exchanges, newest first. Raises :class:`UsageError`."""
    ask = partial(
        queries.exchanges,
        order_id=order,
        status=_one_of(ExchangeStatus, status),
        requested=requested,
        after=after,
        limit=limit,
        counted=True,
    )
    columns = "exchange_id order_id status requested_at difference reason"
    return Question("exchanges", exchanges_by_id, ask, columns)


def sales(placed: TimeRange, country: str | None, after: str | None, limit: int) -> Question[Any]:
    """A page of days, newest first: all of a day, if a part of it is in that time."""
    first, last = placed.days
    ask = partial(
        queries.sales,
        first=first,
        last=last,
        country=country,
        after=after,
        newest_first=True,
        limit=limit,
        counted=True,
    )
    columns = "day country orders units gross returned cancelled net"
    return Question("sales", daily_sales, ask, columns)


def customers_orders(id: str | None, after: str | None, limit: int) -> Question[Any]:
    """A page of one customer's orders, newest first. Raises :class:`UsageError`."""
    if id is None:
        raise UsageError("whose orders? write the customer's id: `customers 17850 --orders`")
    ask = partial(
        queries.customers_orders,
        customer_id=id,
        after=after,
        newest_first=True,
        limit=limit,
        counted=True,
    )
    columns = "order_id placed_at status country units total returned payment shipment"
    return Question("orders", customer_orders, ask, columns, of=f"customer {id}")


def customers(id: str | None, after: str | None, limit: int) -> Question[Any]:
    """One customer, or a page of them."""
    if id is not None:
        one = partial(queries.customer, customer_id=id)
        return Question(f"customer {id}", customer_orders, one)
    ask = partial(queries.customers, after=after, limit=limit, counted=True)
    columns = "customer_id order_count units totals returned first_order last_order"
    return Question("customers", customer_orders, ask, columns)


def products(words: str, after: str | None, limit: int) -> Question[Any]:
    """A page of products, those most sold first."""
    ask = partial(queries.products, words=words, after=after, limit=limit)
    columns = "sku descriptions orders units_kept revenue last_sold"
    return Question("products", product_search, ask, columns)


def best_products(
    placed: TimeRange, country: str | None, after: str | None, limit: int
) -> Question[Any]:
    """A page of products, those most sold in that time, or country, first."""
    ask = partial(ranked_products, wanted=WantedOrders(placed=placed, country=country))
    columns = "sku descriptions orders units_kept revenue last_sold"
    return Question(
        "products",
        orders_by_date,
        partial(ask, after=after, limit=limit),
        columns,
        beside=order_summary,
    )


def picks(after: str | None, limit: int) -> Question[Any]:
    """A page of the pick list."""
    ask = partial(pick_list, after=after, limit=limit, counted=True)
    return Question("picks", order_summary, ask, "order_id placed_at country goods")


def stock(sku: str) -> Question[Any]:
    """The stock of a SKU."""
    return Question(f"stock of {sku}", stock_levels, partial(queries.stock_level, sku=sku))


async def answer(deployment: Deployment, question: Question[V], *, json: bool) -> None:
    """Print the answer. Raises :class:`UsageError`, ``CommandFailed``, ``NotBuilt`` …"""
    async with opened_for(deployment, VIEWS) as container:
        models = container.read_models()
        views = await models.live(question.projection)
        beside = [await models.live(question.beside)] if question.beside else []
        try:
            found = await question.ask(views, *beside)
            sums = await question.sums(views) if question.sums else []
        except ValueError as error:
            raise UsageError(str(error)) from error
        lag = (await container.lags().of(question.projection)).seconds
    if isinstance(found, Page) and question.sums:
        found = replace(found, total=Total(sum(one.orders for one in sums)))
    if found is None:
        raise CommandFailed(f"there is no {question.of or question.name}")
    if json:
        document = _document(question, found)
        if question.sums:
            document["totals"] = [{**vars(one), "total": str(one.total)} for one in sums]
        items = question.name if isinstance(found, Page) else None
        say_data({**document, "lag_seconds": lag}, items=items, columns=question.columns.split())
    else:
        _show(question, found, lag, sums)


def _document(question: Question[V], found: Page[Any] | View) -> dict[str, Any]:
    if not isinstance(found, Page):
        return found.model_dump(mode="json")
    detail = set(question.projection.detail)
    items = [item.model_dump(mode="json", exclude=detail) for item in found.items]
    return {question.name: items, "after": found.after, **in_all(found.total)}


def _show(
    question: Question[V], found: Page[Any] | View, lag: float | None, sums: Sequence[OrderSum]
) -> None:
    console = Console()
    if isinstance(found, Page):
        _show_table(found.items, question.columns.split())
    else:
        _show_one(found, console)
    console.print()
    for one in sums:
        all_of_them = f"in all {one.orders:,} orders, {one.units:,} units, {_text(one.total)}"
        say_text(all_of_them)
    if not isinstance(found, Page):
        say_end(age(lag), None)
        return
    shown = summary(len(found.items), found.total, question.name.removesuffix("s"), question.name)
    say_end(f"{shown}, {age(lag)}", found.after)


def _show_one(view: BaseModel, console: Console) -> None:
    """One line for each field, and a table for each list."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    lists = []
    for name in type(view).model_fields:
        value = getattr(view, name)
        if isinstance(value, tuple) and value and not isinstance(value[0], (str, Money)):
            lists.append(value)
        else:
            grid.add_row(_heading(name), _text(value))
    console.print(grid)
    for things in lists:
        console.print()
        names = _field_names(things[0])
        filled = [name for name in names if any(_cell(getattr(one, name)) for one in things)]
        _show_table(things, filled)


def _field_names(thing: Any) -> Sequence[str]:
    """Of a model, or of a dataclass."""
    return (
        [one.name for one in fields(thing)] if is_dataclass(thing) else [*type(thing).model_fields]
    )


def _show_table(things: Sequence[object], fields: Sequence[str]) -> None:
    """A table in which only text is wrapped. A moment is its day, which fits 80 columns."""
    columns = [_column(field, [getattr(thing, field) for thing in things]) for field in fields]
    rows = [[_cell(getattr(thing, field)) for field in fields] for thing in things]
    print_table(columns, rows)


def _column(field: str, values: Sequence[object]) -> Column:
    return Column(
        _heading(field),
        text=any(_is_text(field, value) for value in values),
        right=all(map(_is_number, values)),
    )


def _is_number(value: object) -> bool:
    amounts = value if isinstance(value, tuple) else (value,)
    return all(isinstance(amount, (int, Money)) for amount in amounts)


def _is_text(field: str, value: object) -> bool:
    """Whether it may be wrapped: an id or a status is copied, so it stays in one piece."""
    words = isinstance(value, str) and not isinstance(value, StrEnum) and not field.endswith("id")
    return words or (isinstance(value, tuple) and not _is_number(value))


def _cell(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else _text(value)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case Money(amount=amount, currency=currency):
            places = max(DECIMALS.get(currency, 0), len(f"{amount:f}".partition(".")[2]))
            return f"{amount:,.{places}f} {currency}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case tuple():
            return ", ".join(map(_text, value))
    return str(value)


def _heading(field: str) -> str:
    """``placed_at`` → ``placed``, ``order_id`` → ``order``, ``order_count`` → ``orders``."""
    plural = re.sub("_count$", "s", field)
    return re.sub("_(id|at)$", "", plural).replace("_", " ")


S = TypeVar("S", bound=StrEnum)


def _one_of(statuses: type[S], word: str | None) -> S | None:
    try:
        return None if word is None else statuses(word)
    except ValueError:
        known = ", ".join(statuses)
        raise UsageError(f"there is no status {word!r}: use one of {known}") from None
