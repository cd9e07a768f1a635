"""Parses one line of an order history into a row, or raises its fault.

The form is that of UCI Online Retail. Codes, names and prices are validated by the domain's types.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from domain.shop_values import CustomerId, Quantity, Sku
from domain.values import Money, Text

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
CURRENCY = "GBP"
SHOP_TIME = ZoneInfo("Europe/London")

_INVOICE = re.compile(r"([CA]?)[0-9]{1,20}")
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


class FileLine(NamedTuple):
    """A line as the file has it: its number (the header is line 1), and its fields or a fault."""

    number: int
    fields: list[str]
    fault: str | None = None
    cut_off: bool = False  # the file breaks off here


Source = Iterable[FileLine]
"""The lines of a history, in order, without the header. It is read twice, from the beginning."""


class InvoiceKind(Enum):
    """What an invoice is, by the letter before its number."""

    PLAIN = ""
    CANCELLATION = "C"


class Row(NamedTuple):
    """A line that makes sense by itself."""

    number: int
    invoice: str
    kind: InvoiceKind
    code: str
    description: str | None
    quantity: int  # negative for returns and write-offs; never 0
    moment: datetime
    price: Money
    customer: str | None  # None: a guest
    country: str | None


class BrokenRow(Exception):
    """A line that cannot be imported. ``reason`` is the same for all lines with this fault."""

    def __init__(self, reason: str, found: str = "") -> None:
        super().__init__(reason, found)
        self.reason, self.found = reason, found


def parse(line: FileLine) -> Row:
    """The row on this line. Raises :class:`BrokenRow`, for its first fault from left to right."""
    if line.fault is not None:
        raise BrokenRow(line.fault)
    if len(line.fields) != len(COLUMNS):
        found = f"{len(line.fields)} columns"
        raise BrokenRow(f"a line has {len(COLUMNS)} columns: {', '.join(COLUMNS)}", found)
    invoice, code, description, quantity, moment, price, customer, country = line.fields
    kind = _kind(invoice)
    row = Row(
        line.number,
        invoice,
        kind,
        _code(code),
        _text("Description", description) if description else None,
        _quantity(quantity),
        _moment(moment),
        _price(price),
        _customer(customer) if customer else None,
        _text("Country", country) if country else None,
    )
    if kind is InvoiceKind.CANCELLATION and row.quantity > 0:
        raise BrokenRow("Quantity on a cancellation (C) is negative", quantity)
    return row


# ── one column each; a history repeats its words, so the last ones are remembered ────────────────

T = TypeVar("T")


def _valid(check: Callable[[object], T], value: object, reason: str, found: str) -> T:
    try:
        return check(value)
    except ValidationError:
        raise BrokenRow(reason, _shown(found)) from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


_sku = TypeAdapter[str](Sku).validate_python
_customer_id = TypeAdapter[str](CustomerId).validate_python
_short = TypeAdapter[str](Text).validate_python
_units = TypeAdapter[int](Quantity).validate_python


@lru_cache(maxsize=64)
def _kind(invoice: str) -> InvoiceKind:
    form = _INVOICE.fullmatch(invoice)
    if form is None:
        raise BrokenRow(
            "InvoiceNo is 1 to 20 digits, before them C (cancellation), A (adjustment) or nothing",
            _shown(invoice),
        )
    if form[1] == "A":
        raise BrokenRow("an accounting adjustment (A) is not an order", _shown(invoice))
    return InvoiceKind(form[1])


@lru_cache(maxsize=4096)
def _code(text: str) -> str:
    form = "StockCode is 1 to 64 characters, no space at either end, and starts not with / or $"
    return _valid(_sku, text, form, text)


@lru_cache(maxsize=4096)
def _text(column: str, text: str) -> str:
    return _valid(_short, text, f"{column} is 200 characters at most", text)


@lru_cache(maxsize=1024)
def _quantity(text: str) -> int:
    form = "Quantity is a whole number, at most 1000000000, and not 0"
    if len(text) > 20 or not _WHOLE_NUMBER.fullmatch(text):
        raise BrokenRow(form, _shown(text))
    quantity = int(text)
    _valid(_units, abs(quantity), form, text)
    return quantity


@lru_cache(maxsize=64)
def _moment(text: str) -> datetime:
    form = "InvoiceDate is YYYY-MM-DD HH:MM:SS"
    if not _MOMENT.fullmatch(text):
        raise BrokenRow(form, _shown(text))
    try:
        return datetime.fromisoformat(text).replace(tzinfo=SHOP_TIME).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BrokenRow(form, _shown(text)) from None


@lru_cache(maxsize=4096)
def _price(text: str) -> Money:
    form = "UnitPrice is a decimal number with 6 decimals at most, and not negative"
    if len(text) > 40 or not _DECIMAL.fullmatch(text) or text.startswith("-"):
        raise BrokenRow(form, _shown(text))
    try:
        return Money(amount=Decimal(text), currency=CURRENCY)
    except ValueError:
        raise BrokenRow(form, _shown(text)) from None


@lru_cache(maxsize=1024)
def _customer(text: str) -> str:
    form = "CustomerID is letters, digits and . _ : ~ -, 64 at most, and starts with the former"
    return _valid(_customer_id, text, form, text)
