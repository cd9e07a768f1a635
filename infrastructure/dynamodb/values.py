"""Attribute values as DynamoDB's API writes them: ``{"S": "text"}``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infrastructure.dynamodb.client import AttributeValueTypeDef

Value = AttributeValueTypeDef
Item = dict[str, AttributeValueTypeDef]


def text(value: str) -> Value:
    """Text, as ``S``. As a key it must not be empty."""
    return {"S": value}


def number(value: int) -> Value:
    """An exact number, as ``N``: up to 38 digits."""
    return {"N": str(value)}


def many(values: Iterable[Value]) -> Value:
    """A list, as ``L``."""
    return {"L": list(values)}


def record(fields: Mapping[str, Value]) -> Value:
    """A map, as ``M``."""
    return {"M": fields}


def to_text(value: Any) -> str:
    """Of an ``S``."""
    return str(value["S"])


def to_number(value: Any) -> int:
    """Of an ``N`` that is whole."""
    return int(value["N"])


def to_many(value: Any) -> Sequence[Any]:
    """Of an ``L``."""
    return list(value["L"])
