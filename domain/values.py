"""Values for amounts and names. Immutable, compared by value, validated when they are made."""

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar, get_args

from immutables import Map
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from domain.currencies import DECIMALS

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~-]*$", max_length=64)]


def normal(text: str) -> str:
    """The text in its composed form (NFC), in which all input is stored.

    ``ValueError`` for what stores cannot hold: U+0000, which PostgreSQL refuses, and lone
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
"""A name that others gave (a carrier, a tracking code): not empty, no space at either end."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""A currency that a stored event may have. Those for payments: :mod:`domain.currencies`."""

_WRITTEN = re.compile(r"(?P<amount>-?[0-9]+(?:\.[0-9]+)?) (?P<currency>[A-Z]{3})")


class Money(BaseModel):
    """A decimal amount in one currency, written ``"2.55 GBP"``. Never a float, never rounded."""

    model_config = ConfigDict(frozen=True)

    amount: Annotated[Decimal, Field(max_digits=24, decimal_places=6)]
    currency: Currency

    @classmethod
    def parse(cls, text: str) -> Self:
        """The money that ``"2.55 GBP"`` names; ``ValueError`` for anything else."""
        return cls.model_validate(text)

    @classmethod
    def zero(cls, currency: Currency) -> Self:
        """Nothing, in that currency."""
        return cls(amount=Decimal(0), currency=currency)

    @property
    def can_be_paid(self) -> bool:
        """Whether it is a whole number of the smallest units of a currency that exists.

        A unit price need not be: a thousand at 0.001 GBP can be paid, one cannot.
        """
        decimals = DECIMALS.get(self.currency)
        return decimals is not None and self.amount == round(self.amount, decimals)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, str) and (written := _WRITTEN.fullmatch(value)):
            return written.groupdict()
        if isinstance(value, (str, int, float)):
            raise ValueError(f"{value!r} is not money: write an amount and a currency, '2.55 GBP'")
        if isinstance(value, dict) and isinstance(value.get("amount"), float):
            raise ValueError("money is never a float: write '2.55 GBP'")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: Any) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^-?\d+(\.\d+)? [A-Z]{3}$",
            "examples": ["2.55 GBP"],
            "title": "Money",
            "description": "A decimal amount and its currency.",
        }

    @model_serializer
    def _write(self) -> str:
        return str(self)

    def __str__(self) -> str:
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
