"""Larger pictures: a curve with the names of its places, and amounts as a page shows them."""

import re
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from domain.values import Money
from infrastructure.console.charts import Mark, curve
from infrastructure.console.words import in_currency, money, plural


@pytest.mark.parametrize("values", [[], [0.0], [5.0], [-1.0, -2.0], [0.0, 1e9, -3.5]])
def test_a_curve_of_anything_is_well_formed(values: list[float]) -> None:
    """None, one, negative ones; and it says in words what it shows."""
    drawn = ElementTree.fromstring(curve(values, [], "sales & <returns>", "GBP"))
    assert drawn.attrib["aria-label"] == "sales & <returns>"


def test_the_names_of_places_do_not_meet() -> None:
    """Those that would are left out; where time was left out, the name stays."""
    marks = [Mark(at / 100, f"day {at}") for at in range(100)] + [Mark(1.0, "later", cut=True)]
    drawn = curve([1.0] * 100, marks, "each day")
    places = [float(place) for place in re.findall(r'<text class="tick[^"]*" x="([\d.]+)%"', drawn)]
    assert ">later<" in drawn
    assert len(places) > 5
    assert all(after - before >= 8 for before, after in pairwise(places))


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("2", "GBP", "2.00"),
        ("1234.5", "GBP", "1,234.50"),
        ("0.125", "GBP", "0.125"),
        ("12", "JPY", "12"),
        ("0", "GBP", "0.00"),
        ("-3.1", "EUR", "-3.10"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency_and_is_exact(
    amount: str, currency: str, shown: str
) -> None:
    """At least those, and never fewer than it has."""
    assert in_currency(Decimal(amount), currency) == shown
    assert money(Money.parse(f"{amount} {currency}")) == f"{shown} {currency}"


def test_words_have_their_plural() -> None:
    """A country, countries; a day, days."""
    assert [plural(1, "country"), plural(2, "country"), plural(0, "day")] == [
        "1 country",
        "2 countries",
        "0 days",
    ]
