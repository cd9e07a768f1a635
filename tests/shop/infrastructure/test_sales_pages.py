"""Figures of sales as a table for a spreadsheet."""

import csv
import io
from decimal import Decimal

import pytest

from infrastructure.shop.pages.sales import as_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_is_a_formula(text: str) -> None:
    """A description was written by others: a spreadsheet shows it, and does not compute it."""
    ((said, number),) = csv.reader(io.StringIO(as_csv([(text, Decimal("-1.50"))]), newline=""))
    assert said == f"'{text}"
    assert number == "-1.50"


def test_commas_quotes_and_lines_stay_in_their_cell() -> None:
    """What comes in comes out."""
    rows = [("a, b", 'a "quote"', "two\nlines")]
    assert [tuple(row) for row in csv.reader(io.StringIO(as_csv(rows), newline=""))] == rows
