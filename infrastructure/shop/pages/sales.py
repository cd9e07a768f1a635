"""Sales: the curve of the days, countries and products, with the figures behind them."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Response

from application.shop.best_products import MOST_ORDERS
from application.shop.listing import EVERY_ORDER, WantedOrders
from application.shop.read_models.daily_sales import daily_sales
from application.shop.sales import NOTHING, SalesFigures, Sold, sales_figures
from application.time_range import TimeRange
from infrastructure.console import Section
from infrastructure.console.charts import Mark
from infrastructure.console.listing import within
from infrastructure.console.visit import Visiting
from infrastructure.http.problems import BadQuestion
from infrastructure.http.served import Served
from infrastructure.shop.pages.asked import Word
from infrastructure.shop.pages.products import MOST_AT_ONCE, orders_of, product_rows, products_of
from infrastructure.visible import not_a_formula

SECTION: Final = Section("Sales", "/sales", "a", Path(__file__).with_name("templates"))
_PRODUCTS: Final = 20
_SHOWN_DAYS: Final = 62  # of a longer period months are listed, and its days are in the CSV
_COUNTRIES: Final = 15
_COLUMNS: Final = ("orders", "units", "gross", "returned", "cancelled", "net")


@SECTION.get()
async def sales(
    visit: Visiting,
    since: Word = None,
    until: Word = None,
    country: Word = None,
    products: Literal["all"] | None = None,
) -> Response:
    """``products``: those of all these orders, however many; else of a few only."""
    within(since, until)
    fields = {"since": since, "until": until, "country": country}
    asked = {name: value for name, value in fields.items() if value is not None}
    most = MOST_ORDERS if products else MOST_AT_ONCE
    return await visit.page("sales.html", partial(_look, visit.service, asked, most))


@SECTION.get("/{what}.csv")
async def download(
    visit: Visiting,
    what: Literal["days", "countries", "products"],
    since: Word = None,
    until: Word = None,
    country: Word = None,
) -> Response:
    """The figures as a table for a spreadsheet."""
    if what == "products":
        wanted = WantedOrders(placed=within(since, until), country=country)
        rows = product_rows((await products_of(visit.service, wanted, 500)).items)
    else:
        rows = _sold_rows(what, await _figures(visit.service, within(since, until), country))
    return Response(
        as_csv(rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{what}.csv"'},
    )


async def _look(service: Served, asked: Mapping[str, str], most: int) -> Mapping[str, Any]:
    placed, country = within(asked.get("since"), asked.get("until")), asked.get("country")
    figures = await _figures(service, placed, country)
    wanted = WantedOrders(placed=placed, country=country)
    orders = await orders_of(service, wanted)
    fits = orders.number <= most
    return {
        "figures": figures,
        "curves": {one.currency: _curve(one) for one in figures},
        "products": (await products_of(service, wanted, _PRODUCTS)).items if fits else [],
        "orders_to_add_up": None if fits else orders,
        "most_orders": MOST_ORDERS,
        "of_all_time": wanted == EVERY_ORDER,
        "asked": asked,
        "query": f"?{urlencode(asked)}" if asked else "",
        "shown_days": _SHOWN_DAYS,
        "shown_countries": _COUNTRIES,
        "columns": _COLUMNS,
    }


async def _figures(
    service: Served, placed: TimeRange, country: str | None
) -> Sequence[SalesFigures]:
    first, last = placed.days
    views = await service.consistency.fresh(daily_sales, None)
    try:
        return await sales_figures(views, first=first, last=last, country=country)
    except ValueError as error:
        raise BadQuestion(str(error)) from error


def _curve(figures: SalesFigures) -> Mapping[str, Any]:
    """Every day of the period, also those without sales; long times without any are left out."""
    days = list(_days(sorted(figures.days)))
    length = max(1, len(days) - 1)
    marks = [
        Mark(at / length, f"{day:%d %b %Y}" if cut else _named(day), cut)
        for at, (day, cut) in enumerate(days)
        if cut or day.day == 1 or (len(days) <= _SHOWN_DAYS and at % 7 == 0)
    ]
    values = [float(figures.days.get(day, NOTHING).net) for day, _ in days]
    best = max(figures.days, key=lambda day: figures.days[day].net)
    return {
        "values": values,
        "marks": marks,
        "begin": days[0][0],
        "end": days[-1][0],
        "best": best,
        "cut": any(cut for _, cut in days),
    }


def _days(sold: Sequence[date]) -> Iterator[tuple[date, bool]]:
    """Each day, and whether days were left out before it."""
    before = sold[0]
    for day in sold:
        cut = (day - before).days > _SHOWN_DAYS
        between = 0 if cut else (day - before).days - 1
        yield from ((before + timedelta(days=at + 1), False) for at in range(between))
        yield day, cut
        before = day


def _named(day: date) -> str:
    return f"{day:%b %Y}" if day.day == 1 else f"{day:%d %b}"


def _sold_rows(what: str, figures: Sequence[SalesFigures]) -> Iterable[Sequence[object]]:
    yield (what.removesuffix("s").replace("countrie", "country"), "currency", *_COLUMNS)
    for one in figures:
        found: Mapping[Any, Sold] = one.days if what == "days" else one.countries
        for key, sold in found.items():
            yield (key, one.currency, *(getattr(sold, name) for name in _COLUMNS))


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """A table for a spreadsheet. A text in it is never a formula."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(map(_cell, row) for row in rows)
    return written.getvalue()


def _cell(value: object) -> object:
    return not_a_formula(value) if isinstance(value, str) else value
