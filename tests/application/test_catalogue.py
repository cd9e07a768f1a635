"""Bytes ↔ event: what cannot be read says why."""

import json

import pytest

from application.messages import UnreadableEvent
from domain.values import Money
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferRequested


def test_a_decimal_climbs_without_passing_through_a_float() -> None:
    """Old fees were bare numbers in JSON; their digits survive the upcaster exactly."""
    data = b'{"source":"a","target":"b","amount":1,"fee":1234567890123.000001}'

    event = SAMPLE.catalogue.decode("TransferRequested", 1, data)

    assert isinstance(event, TransferRequested)
    assert event.fee == Money.parse("1234567890123.000001 EUR")


def test_fields_of_a_later_release_are_ignored() -> None:
    """An older process can read an event to which a later release has added a field."""
    event = SAMPLE.catalogue.decode(
        "TransferCancelled", 1, b'{"reason":"too late","refund":"full"}'
    )

    assert json.loads(event.model_dump_json()) == {"reason": "too late"}


@pytest.mark.parametrize(
    ("type", "version", "data", "why"),
    [
        ("TransferRequestedd", 1, b"{}", "no event type is named 'TransferRequestedd'"),
        ("TransferRequested", 3, b"{}", "known up to version 2, this one is version 3"),
        ("TransferRequested", 0, b"{}", "known up to version 2, this one is version 0"),
        ("TransferRequested", 2, b"{}", "no TransferRequested v2"),
        ("TransferRequested", 1, b"{}", "no TransferRequested v1"),
        ("TransferRequested", 1, b'{"fee":[1]}', "no TransferRequested v1"),
        ("TransferCompleted", 1, b"not json", "no TransferCompleted v1"),
        ("TransferCompleted", 1, b"\xff\xfe", "no TransferCompleted v1"),
    ],
)
def test_unreadable_bytes_say_why(type: str, version: int, data: bytes, why: str) -> None:
    """An unknown type, a version from the future and broken bytes are told apart in words."""
    with pytest.raises(UnreadableEvent, match=why):
        SAMPLE.catalogue.decode(type, version, data)
