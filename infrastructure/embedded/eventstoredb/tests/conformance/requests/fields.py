"""Fields that requests have in common, as JSON has them."""

import base64
from collections.abc import Mapping
from typing import TypeAlias, TypeVar

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

Fields: TypeAlias = Mapping[str, object]


def filled(message: M, fields: Fields) -> M:
    """The message, with these fields."""
    return ParseDict(dict(fields), message)


def encoded(value: str | bytes) -> str:
    """Bytes, as JSON has them."""
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def stream(name: str) -> Fields:
    """The identifier of a stream."""
    return {"streamName": encoded(name)}
