"""Bytes ↔ event: what cannot be read says why."""

import json

import pytest

from application.messages import UnreadableEvent
from application.shop.service import SHOP
from domain.orders import OrderPlaced
from domain.values import Money


def test_a_decimal_climbs_without_passing_through_a_float() -> None:
    """Old prices were bare numbers in JSON; their digits survive the upcaster exactly."""
    line = '{"sku":"1","quantity":1,"unit_price":1234567890123.000001}'

    event = SHOP.catalogue.decode("OrderPlaced", 1, f'{{"lines":[{line}]}}'.encode())

    assert isinstance(event, OrderPlaced)
    assert event.lines[0].unit_price == Money.parse("1234567890123.000001 GBP")


def test_fields_of_a_later_release_are_ignored() -> None:
    """An older process can read an event to which a later release has added a field."""
    event = SHOP.catalogue.decode("OrderCancelled", 1, b'{"reason":"too late","refund":"full"}')

    assert json.loads(event.model_dump_json()) == {"reason": "too late"}


@pytest.mark.parametrize(
    ("type", "version", "data", "why"),
    [
        ("OrderPlacedd", 1, b"{}", "no event type is named 'OrderPlacedd'"),
        ("OrderPlaced", 3, b"{}", "known up to version 2, this one is version 3"),
        ("OrderPlaced", 0, b"{}", "known up to version 2, this one is version 0"),
        ("OrderPlaced", 2, b"{}", "no OrderPlaced v2"),
        ("OrderPlaced", 1, b"{}", "no OrderPlaced v1"),
        ("OrderPlaced", 1, b'{"lines":[{"sku":1}]}', "no OrderPlaced v1"),
        ("OrderShipped", 1, b"not json", "no OrderShipped v1"),
        ("OrderShipped", 1, b"\xff\xfe", "no OrderShipped v1"),
    ],
)
def test_unreadable_bytes_say_why(type: str, version: int, data: bytes, why: str) -> None:
    """An unknown type, a version from the future and broken bytes are told apart in words."""
    with pytest.raises(UnreadableEvent, match=why):
        SHOP.catalogue.decode(type, version, data)
