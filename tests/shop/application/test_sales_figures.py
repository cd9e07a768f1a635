"""What was sold in a period: exact, by day, month and country, and by currency."""

from datetime import date
from decimal import Decimal

import pytest

from application.ports import Seen
from application.shop.read_models.daily_sales import DailySales, daily_sales
from application.shop.sales import sales_figures
from domain.values import Money
from infrastructure import memory


def row(day: str, country: str, net: str, currency: str = "GBP") -> DailySales:
    money, nothing = Money.parse(f"{net} {currency}"), Money.zero(currency)
    return DailySales(
        day=date.fromisoformat(day),
        country=country,
        currency=currency,
        orders=1,
        units=2,
        gross=money,
        returned=nothing,
        cancelled=nothing,
        net=money,
    )


ROWS = [
    row("2011-01-31", "France", "0.1"),
    row("2011-02-01", "France", "0.2"),
    row("2011-02-01", "Spain", "0.7"),
    row("2011-02-02", "Spain", "5", "EUR"),
]


@pytest.fixture
async def views() -> memory.Views[DailySales]:
    views = memory.Views(daily_sales)
    changed = {
        f"{one.day}/{one.country}/{one.currency}": Seen(one, at) for at, one in enumerate(ROWS)
    }
    await views.save(changed, checkpoint=9, expected=None)
    return views


async def test_currencies_are_never_added(views: memory.Views[DailySales]) -> None:
    """Each has figures of its own; sums are exact; the best country comes first."""
    euros, pounds = await sales_figures(views)
    assert (euros.currency, euros.total.net) == ("EUR", Decimal(5))
    assert (pounds.total.net, pounds.total.orders, pounds.total.units) == (Decimal("1.0"), 3, 6)
    assert {month: of.net for month, of in pounds.months.items()} == {
        "2011-01": Decimal("0.1"),
        "2011-02": Decimal("0.9"),
    }
    assert list(pounds.countries) == ["Spain", "France"]
    assert sum(of.net for of in pounds.days.values()) == pounds.total.net


async def test_a_period_and_a_country_are_kept_to(views: memory.Views[DailySales]) -> None:
    """Days from the first to the last, both included."""
    (found,) = await sales_figures(
        views, first=date(2011, 1, 31), last=date(2011, 2, 1), country="France"
    )
    assert [day.isoformat() for day in found.days] == ["2011-01-31", "2011-02-01"]
    assert found.total.net == Decimal("0.3")
    assert await sales_figures(views, country="Atlantis") == []
    with pytest.raises(ValueError, match="the last cannot be"):
        await sales_figures(views, first=date(2011, 2, 2), last=date(2011, 2, 1))
