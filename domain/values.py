"""Values for amounts and names. Immutable, compared by value, validated when they are made."""

import re
import unicodedata
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args

from immutables import Map
from pydantic import GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from domain.currencies import DECIMALS
from domain.speed import frozen, once

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~-]*$", max_length=64)]


def normal(text: str) -> str:
    """The text in its composed form (NFC), in which all input is stored.

    ``ValueError`` for what stores cannot hold: U+0000, which databases refuse, and lone
    surrogates, which UTF-8 cannot express.
    """
    if "\0" in text:
        raise ValueError("a text has no character U+0000")
    if not text.isascii():
        text.encode()  # UnicodeEncodeError is a ValueError
        return unicodedata.normalize("NFC", text)
    return text


Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=200)]

Name = Annotated[
    str, StringConstraints(pattern=r"^[^\s\x00]([^\n\x00]*[^\s\x00])?$", max_length=64)
]
"""A name that others gave (a company, a tracking code): not empty, no space at either end."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""A currency that a stored event may have. Those for payments: :mod:`domain.currencies`."""

_WRITTEN = re.compile(r"(-?[0-9]{1,40}(?:\.[0-9]{1,40})?) ([A-Z]{3})")
_CURRENCY = re.compile(r"[A-Z]{3}")
_IS_NO_MONEY = "is not money: write an amount and a currency, '2.55 GBP'"
_SMALLEST = Decimal("0.000001")
_EXACTLY = Context(prec=24, traps=[Inexact, InvalidOperation])


@frozen
class Money:
    """A decimal amount in one currency, written ``"2.55 GBP"``. Never a float, never rounded.

    ``ValueError`` for more than 18 digits before the point or 6 after it, and for a currency that
    is not three capital letters. An order has a price in each of its lines, so this is no model of
    pydantic, but has a schema of its own: text there, a value here, each text read once.
    """

    amount: Decimal
    currency: Currency

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise ValueError("money is never a float: write '2.55 GBP'")
        try:
            exact = self.amount.quantize(_SMALLEST, context=_EXACTLY).is_finite()
        except DecimalException:
            exact = False
        if not exact:
            raise ValueError(
                f"{self.amount} has more than 18 digits before the point, or 6 after it"
            )
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"{self.currency!r} is not a currency: write its code, 'GBP'")

    @classmethod
    def parse(cls, text: str) -> "Money":
        """The money that ``"2.55 GBP"`` names; ``ValueError`` for anything else."""
        return _read(text)

    @classmethod
    def zero(cls, currency: Currency) -> "Money":
        """Nothing, in that currency."""
        return _parsed(f"0 {currency}")

    @property
    def can_be_paid(self) -> bool:
        """Whether it is a whole number of the smallest units of a currency that exists.

        A unit price need not be: a thousand at 0.001 GBP can be paid, one cannot.
        """
        decimals = DECIMALS.get(self.currency)
        return decimals is not None and self.amount == round(self.amount, decimals)

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> CoreSchema:
        made = core_schema.is_instance_schema(cls)  # by a validator that a field has before
        text = core_schema.custom_error_schema(
            core_schema.union_schema([core_schema.str_schema(), made], mode="left_to_right"),
            "no_money",
            custom_error_message=f"this {_IS_NO_MONEY}",
        )
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(_parsed, text),
            python_schema=core_schema.no_info_plain_validator_function(_read),
            serialization=core_schema.to_string_ser_schema(when_used="always"),
            ref=f"{cls.__module__}.{cls.__qualname__}",
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: Any) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^-?\d+(\.\d+)? [A-Z]{3}$",
            "examples": ["2.55 GBP"],
            "title": "Money",
            "description": "A decimal amount and its currency.",
        }

    def __str__(self) -> str:
        return self._text

    @once
    def _text(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=self.amount + self._same(other), currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=self.amount - self._same(other), currency=self.currency)

    def __mul__(self, units: int) -> "Money":
        return Money(amount=self.amount * units, currency=self.currency)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def _same(self, other: "Money") -> Decimal:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are in different currencies")
        return other.amount


def _read(value: object) -> Money:
    """For pydantic: money as it is, and the text of it."""
    if type(value) is str:
        return _parsed(value)
    if isinstance(value, Money):
        return value
    raise _no_money(value)


@lru_cache(maxsize=4096)
def _parsed(text: str | Money) -> Money:
    """Prices are repeated, and those who read the same text may share the value."""
    if isinstance(text, Money):
        return text
    if (written := _WRITTEN.fullmatch(text)) is None:
        raise _no_money(text)
    return Money(amount=Decimal(written[1]), currency=written[2])


def _no_money(value: object) -> ValueError:
    shown = f"{value!r:.80}"
    return ValueError(f"{shown} {_IS_NO_MONEY}")


class _AsObject:
    """How pydantic reads and writes a ``Map``: as an object of JSON, always in the same order."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        keys, values = map(handler.generate_schema, get_args(source))
        entries = core_schema.dict_schema(keys, values)
        return core_schema.no_info_after_validator_function(
            Map,
            entries,
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda map, write: write(dict(sorted(map.items()))), schema=entries
            ),
        )


K = TypeVar("K")
V = TypeVar("V")
Remembered = Annotated[Map[K, V], _AsObject()]
"""A mapping that grows as long as its stream does. Two that differ in one entry share the rest."""
