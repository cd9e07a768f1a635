"""The shop's values are valid from birth, and none is a float."""

from typing import Any

import pytest

from domain import orders, payments, shipments, stock
from domain.shop_values import Difference, LineNumber, Quantity, Sku
from tests.domain.value_laws import no_field_holds_a_float, takes_only


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Sku, ["85123A", "BANK CHARGES", "m"], ["", " a", "a ", "/a", "$a", "x" * 65, "a\nb"]),
        (Quantity, [1, 10**9], [0, -1, 10**9 + 1, 1.0, "1", True]),
        (LineNumber, [1, 1114], [0, 1.0, "1", True]),
        (Difference, [0, -1, 10**9], [10**9 + 1, -(10**9) - 1, 1.0, "1", True]),
    ],
)
def test_names_and_counts_are_valid_from_birth(
    kind: Any, good: list[object], bad: list[object]
) -> None:
    """A value takes what it names and nothing near it."""
    takes_only(kind, good, bad)


def test_no_field_holds_a_float() -> None:
    """Events, commands, states and values are counted in integers and decimals."""
    no_field_holds_a_float(orders, stock, payments, shipments)
