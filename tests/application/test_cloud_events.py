"""Reading CloudEvents: both modes, and what cannot be read."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.integration_events import CloudEvent
from application.ports import BusRecord
from application.receiving.cloud_events import LARGEST, NotACloudEvent, read
from tests.histories import law

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "n-1",
    "source": "/clearing/payments",
    "type": "clearing.payment.received.v1",
    "subject": "o-1",
    "time": "2026-01-31T12:30:00Z",
    "dataschema": "urn:clearing:payment.received:1",
    "correlationid": "c-1",
    "causationid": "x-1",
    "traceparent": TRACE,
    "actor": "transfers",
    "onbehalfof": "https://id.example.org|alice",
}
EVENT = CloudEvent(
    id="n-1",
    type="clearing.payment.received.v1",
    source="/clearing/payments",
    subject="o-1",
    time=datetime(2026, 1, 31, 12, 30, tzinfo=UTC),
    data=b'{"a": 1}',
    dataschema="urn:clearing:payment.received:1",
    correlation_id="c-1",
    causation_id="x-1",
    traceparent=TRACE,
    actor="transfers",
    on_behalf_of="https://id.example.org|alice",
)
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]


def record(value: bytes | None, headers: Any) -> BusRecord:
    return BusRecord("clearing.payments", 0, 0, b"o-1", value, headers)


DATA: Final = b'{"a": 1}'


def binary(value: bytes | None = DATA, **changed: Any) -> BusRecord:
    """In binary mode; ``None`` leaves an attribute out."""
    found = {name: one for name, one in {**ATTRIBUTES, **changed}.items() if one is not None}
    return record(value, [(f"ce_{name}", one.encode()) for name, one in found.items()])


def structured(**changed: Any) -> BusRecord:
    document = {**ATTRIBUTES, "data": {"a": 1}, **changed}
    found = {name: one for name, one in document.items() if one is not None}
    return record(json.dumps(found).encode(), STRUCTURED)


def test_both_modes_are_the_same_event() -> None:
    """Attributes in headers, or all in one JSON object, whose data may also be base64."""
    assert read(binary()) == EVENT
    assert read(structured()) == EVENT
    encoded = base64.b64encode(EVENT.data).decode()
    assert read(structured(data=None, data_base64=encoded)) == EVENT
    headers = [(name.upper(), value) for name, value in binary().headers]
    assert read(record(EVENT.data, headers)) == EVENT


def test_what_is_optional_may_be_missing() -> None:
    """Four attributes make a CloudEvent; unknown extensions are ignored."""
    optional = dict.fromkeys(ATTRIBUTES.keys() - {"specversion", "id", "source", "type"})
    for event in (
        read(binary(None, **optional, region="eu")),
        read(structured(**optional, data=None, region={"a": 1})),
    ):
        assert (event.id, event.subject, event.time, event.data) == ("n-1", None, None, b"")
        assert (event.correlation_id, event.causation_id, event.traceparent) == (None, None, None)


def test_what_others_put_into_tracing_does_no_harm() -> None:
    """What is not valid counts as missing, as the standard of traces demands."""
    names = {"actor": "two\nlines", "onbehalfof": "x" * 600, "traceparent": "00-0-0-0"}
    event = read(binary(DATA, correlationid="a b", causationid="x" * 129, **names))

    assert (event.correlation_id, event.causation_id, event.traceparent) == (None, None, None)
    assert (event.actor, event.on_behalf_of) == (None, None)


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (binary(specversion=None), "it has no specversion"),
        (binary(id=""), "it has no id"),
        (binary(specversion="0.3"), "its specversion is 0.3: 1.0 is understood"),
        (binary(id="a\x00b"), "its id is not text without control characters"),
        (binary(type="t" * 1025), "its type has 1,025 characters: at most 1,024"),
        (binary(time="yesterday"), "its time is 'yesterday'"),
        (binary(time="2026-01-31T12:30:00"), "has no time zone"),
        (record(b"{}", [*binary().headers, ("ce_id", b"n-2")]), "ce_id stands there twice"),
        (record(b"{}", [*binary().headers, ("CE_ID", b"n-2")]), "ce_id stands there twice"),
        (record(b"{}", [("ce_id", b"\xff")]), "ce_id is not UTF-8"),
        (record(b"{}", [*binary().headers, ("content-type", b"text/xml")]), "data is text/xml"),
        (record(b"{}", [("content-type", b"application/cloudevents-batch+json")]), "batch"),
        (record(b"\xff", STRUCTURED), "its value is not JSON"),
        (record(b"[" * 100_000, STRUCTURED), "its value is not JSON"),
        (record(b"NaN", STRUCTURED), "NaN is not a number"),
        (record(b"[]", STRUCTURED), "not a JSON object"),
        (record(None, STRUCTURED), "its value is not JSON"),
        (structured(id=7), "its id is not text"),
        (structured(data_base64="e30="), "both data and data_base64"),
        (structured(data=None, data_base64="*"), "cannot be decoded"),
        (structured(data=None, data_base64=[]), "cannot be decoded"),
        (structured(datacontenttype="text/plain"), "its data is text/plain"),
        (record(b" " * (LARGEST + 1), STRUCTURED), "1,000,001 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused(found: BusRecord, error: str) -> None:
    """With one sentence about what is wrong with it."""
    with pytest.raises(NotACloudEvent, match=error):
        read(found)


_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "Other"])
        | st.just("content-type"),
        st.none() | st.binary(max_size=12) | st.sampled_from([b"1.0", b"a", STRUCTURED[0][1]]),
    ),
    max_size=6,
)


@law(200)
@given(value=st.none() | st.binary(max_size=30), headers=_HEADERS)
def test_no_record_breaks_the_reader(value: bytes | None, headers: Any) -> None:
    """Whatever others write: it is an event, or it is refused."""
    with suppress(NotACloudEvent):
        assert read(record(value, headers)).id
