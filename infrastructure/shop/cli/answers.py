"""The answers of the read models: a table for people, JSON for programs."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from shlex import quote
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel
from rich.text import Text

from application.paging import Page
from application.ports import V, Views
from application.projections.projection import Projection, View
from application.shop import queries
from application.shop.read_models.customer_orders import customer_orders
from application.shop.read_models.daily_sales import daily_sales
from application.shop.read_models.exchanges import exchanges as exchanges_by_id
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.product_search import product_search
from application.shop.read_models.stock_levels import stock_levels
from application.shop.warehouse import pick_list
from domain.exchanges import ExchangeStatus
from domain.orders import OrderStatus
from domain.values import Money
from infrastructure.cli.figures import age
from infrastructure.cli.printing import Console, Table, say_json
from infrastructure.cli.process import UsageError
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import VIEWS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_WIDEST: Final = 1_000  # columns


@dataclass(frozen=True)
class Question(Generic[V]):
    """A query on a read model; ``columns``: the fields that a table of its page shows."""

    name: str
    projection: Projection[V]
    ask: Callable[[Views[V]], Awaitable[Page[Any] | View | None]]
    columns: str = ""
    of: str = ""  # what there is not, when there is no answer


def orders(
    id: str | None, customer: str | None, status: str | None, after: str | None, limit: int
) -> Question[Any]:
    """One order, or a page of them. Raises :class:`UsageError`."""
    if id is not None:
        return Question(f"order {id}", order_summary, partial(queries.order, order_id=id))
    wanted = _one_of(OrderStatus, status)
    ask = partial(queries.orders, customer_id=customer, status=wanted, after=after, limit=limit)
    columns = "order_id placed_at status customer_id country units total"
    return Question("orders", order_summary, ask, columns)


def exchanges(
    order: str | None, status: str | None, after: str | None, limit: int
) -> Question[Any]:
    """A page of exchanges. Raises :class:`UsageError`."""
    wanted = _one_of(ExchangeStatus, status)
    ask = partial(queries.exchanges, order_id=order, status=wanted, after=after, limit=limit)
    columns = "exchange_id order_id status requested_at difference reason"
    return Question("exchanges", exchanges_by_id, ask, columns)


def sales(
    first: date | None, last: date | None, country: str | None, after: str | None, limit: int
) -> Question[Any]:
    """A page of days."""
    ask = partial(queries.sales, first=first, last=last, country=country, after=after, limit=limit)
    columns = "day country orders units gross returned cancelled net"
    return Question("sales", daily_sales, ask, columns)


def customers_orders(id: str | None, after: str | None, limit: int) -> Question[Any]:
    """A page of one customer's orders. Raises :class:`UsageError`."""
    if id is None:
        raise UsageError("whose orders? write the customer's id: `customers 17850 --orders`")
    ask = partial(queries.customers_orders, customer_id=id, after=after, limit=limit)
    columns = "order_id placed_at status country units total returned payment shipment"
    return Question("orders", customer_orders, ask, columns, of=f"customer {id}")


def customers(id: str | None, after: str | None, limit: int) -> Question[Any]:
    """One customer, or a page of them."""
    if id is not None:
        one = partial(queries.customer, customer_id=id)
        return Question(f"customer {id}", customer_orders, one)
    ask = partial(queries.customers, after=after, limit=limit)
    columns = "customer_id order_count units totals returned first_order last_order"
    return Question("customers", customer_orders, ask, columns)


def products(words: str, after: str | None, limit: int) -> Question[Any]:
    """A page of products, those most sold first."""
    ask = partial(queries.products, words=words, after=after, limit=limit)
    columns = "sku descriptions orders units_kept revenue last_sold"
    return Question("products", product_search, ask, columns)


def picks(after: str | None, limit: int) -> Question[Any]:
    """A page of the pick list."""
    ask = partial(pick_list, after=after, limit=limit)
    return Question("picks", order_summary, ask, "order_id placed_at country goods")


def stock(sku: str) -> Question[Any]:
    """The stock of a SKU."""
    return Question(f"stock of {sku}", stock_levels, partial(queries.stock_level, sku=sku))


async def answer(deployment: Deployment, question: Question[V], *, json: bool) -> None:
    """Print the answer. Raises :class:`UsageError`, ``CommandFailed``, ``NotBuilt`` …"""
    async with opened_for(deployment, VIEWS) as container:
        views = await container.read_models().live(question.projection)
        try:
            found = await question.ask(views)
        except ValueError as error:
            raise UsageError(str(error)) from error
        lag = (await container.lags().of(question.projection)).seconds
    if found is None:
        raise CommandFailed(f"there is no {question.of or question.name}")
    if json:
        document = _document(question, found)
        say_json({**document, "lag_seconds": lag})
    else:
        _show(question, found, lag)


def _document(question: Question[V], found: Page[Any] | View) -> dict[str, Any]:
    if not isinstance(found, Page):
        return found.model_dump(mode="json")
    detail = set(question.projection.detail)
    items = [item.model_dump(mode="json", exclude=detail) for item in found.items]
    return {question.name: items, "after": found.after}


def _show(question: Question[V], found: Page[Any] | View, lag: float | None) -> None:
    console = Console()
    if isinstance(found, Page):
        _show_table(found.items, question.columns.split(), console)
    else:
        _show_one(found, console)
    console.print()
    console.print(Text(_footer(question, found, lag), style="dim"), soft_wrap=True)


def _footer(question: Question[V], found: Page[Any] | View, lag: float | None) -> str:
    if not isinstance(found, Page):
        return age(lag)
    more = f"; the next page: --after {quote(found.after)}" if found.after else ""
    return f"{len(found.items)} {question.name}, {age(lag)}{more}"


def _show_one(view: BaseModel, console: Console) -> None:
    """One line for each field, and a table for each list."""
    fields = Table.grid(padding=(0, 2))
    fields.add_column(style="bold", no_wrap=True)
    fields.add_column(overflow="fold")
    lists = []
    for name in type(view).model_fields:
        value = getattr(view, name)
        if isinstance(value, tuple) and value and not isinstance(value[0], (str, Money)):
            lists.append(value)
        else:
            fields.add_row(_heading(name), _text(value))
    console.print(fields)
    for things in lists:
        console.print()
        filled = [
            name for name in vars(things[0]) if any(_cell(getattr(thing, name)) for thing in things)
        ]
        _show_table(things, filled, console)


def _show_table(things: Sequence[object], fields: Sequence[str], console: Console) -> None:
    """Wider than the terminal, if it has to be: an id is never cut."""
    table = _table(things, fields)
    least = console.measure(table, options=console.options.update(max_width=_WIDEST)).minimum
    if least > console.width:
        console.width = least + 2  # rich measures without the space around the columns
    console.print(table)


def _table(things: Sequence[object], fields: Sequence[str]) -> Table:
    """A table in which only text is wrapped. A moment is its day, which fits 80 columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for field in fields:
        values = [getattr(thing, field) for thing in things]
        wrapped = any(_is_text(field, value) for value in values)
        table.add_column(
            _heading(field),
            justify="right" if all(map(_is_number, values)) else "left",
            overflow="fold",
            no_wrap=not wrapped,
            min_width=0 if wrapped else max(len(_cell(value)) for value in values or [None]),
        )
    for thing in things:
        table.add_row(*(_cell(getattr(thing, field)) for field in fields))
    return table


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
            return f"{amount:,f} {currency}"
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
