"""What was sold in a period: day by day, month by month, by country; exact, and by currency."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from application.paging import LAST
from application.ports import Finding
from application.shop.read_models.daily_sales import DailySales
from domain.values import Currency

_MOST: Final = 200_000  # days times countries times currencies: centuries of a shop
_ZERO: Final = Decimal(0)
K = TypeVar("K", str, date)


@dataclass(frozen=True)
class Sold:
    """Figures in one currency. ``net``: without what was returned or cancelled."""

    orders: int = 0
    units: int = 0
    gross: Decimal = _ZERO
    returned: Decimal = _ZERO
    cancelled: Decimal = _ZERO
    net: Decimal = _ZERO

    def __add__(self, other: "Sold") -> "Sold":
        return Sold(
            self.orders + other.orders,
            self.units + other.units,
            self.gross + other.gross,
            self.returned + other.returned,
            self.cancelled + other.cancelled,
            self.net + other.net,
        )


NOTHING: Final = Sold()


@dataclass(frozen=True)
class SalesFigures:
    """What was sold in one currency: in all, by day and month in their order, by country."""

    currency: Currency
    total: Sold
    days: Mapping[date, Sold]
    months: Mapping[str, Sold]
    """By year and month: ``2011-12``."""
    countries: Mapping[str, Sold]
    """The one with the highest net first."""


async def sales_figures(
    views: Finding[DailySales],
    *,
    first: date | None = None,
    last: date | None = None,
    country: str | None = None,
) -> Sequence[SalesFigures]:
    """For each currency in alphabetical order; days are in UTC, both included.

    ``ValueError`` when ``first`` is later than ``last``.
    """
    if first and last and first > last:
        raise ValueError(f"the first day is {first}, so the last cannot be {last}")
    found = await views.find(
        equal={} if country is None else {"country": country},
        after=None if first is None else str(first),
        until=None if last is None else f"{last}/{LAST}",
        limit=_MOST,
    )
    by_currency: dict[str, list[DailySales]] = defaultdict(list)
    for _, seen in found:
        by_currency[seen.view.currency].append(seen.view)
    return [_figures(currency, rows) for currency, rows in sorted(by_currency.items())]


def _figures(currency: Currency, rows: Sequence[DailySales]) -> SalesFigures:
    days = _by(rows, lambda row: row.day)
    countries = _by(rows, lambda row: row.country)
    return SalesFigures(
        currency,
        total=sum(days.values(), NOTHING),
        days=days,
        months=_months(days),
        countries=dict(sorted(countries.items(), key=lambda one: (-one[1].net, one[0]))),
    )


def _months(days: Mapping[date, Sold]) -> Mapping[str, Sold]:
    months: dict[str, Sold] = {}
    for day, sold in days.items():
        months[f"{day:%Y-%m}"] = months.get(f"{day:%Y-%m}", NOTHING) + sold
    return months


def _by(rows: Iterable[DailySales], key: Callable[[DailySales], K]) -> Mapping[K, Sold]:
    found: dict[K, Sold] = {}
    for row in rows:
        found[key(row)] = found.get(key(row), NOTHING) + _sold(row)
    return found


def _sold(row: DailySales) -> Sold:
    return Sold(
        row.orders,
        row.units,
        row.gross.amount,
        row.returned.amount,
        row.cancelled.amount,
        row.net.amount,
    )
