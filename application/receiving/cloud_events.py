"""Reads a CloudEvent 1.0 from a record of a bus, in binary or in structured mode.

- binary: each attribute is a header ``ce_…``, and the value of the record is the data;
- structured: the header ``content-type`` is ``application/cloudevents+json``, and the value is one
  JSON object with the attributes and the data.

The data is JSON. Extensions that are not understood are ignored. A correlation id, causation id,
actor or ``traceparent`` that is not valid is treated as missing, as the standard of traces demands.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NoReturn

from application.integration_events import CloudEvent
from application.ports import BusRecord

LARGEST: Final = 1_000_000
"""Bytes of a record's value that are read, as brokers limit a record by default."""

_LONGEST: Final = 1024  # characters of an attribute
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_IDENTIFIER: Final = re.compile(r"[\x21-\x7e]{1,128}")
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_ACTOR: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,512}")
_STRUCTURED: Final = "application/cloudevents+json"
_PREFIX: Final = "ce_"


class NotACloudEvent(ValueError):
    """A record that cannot be read as a CloudEvent. The message names what is wrong with it."""


def is_tombstone(record: BusRecord) -> bool:
    """Whether it only says that its key is gone: compacted topics have such records."""
    return record.value is None and not any(_is_attribute(name) for name, _ in record.headers)


def read(record: BusRecord) -> CloudEvent:
    """The event of a record. Raises :class:`NotACloudEvent`."""
    if (size := len(record.value or b"")) > LARGEST:
        raise NotACloudEvent(f"its value has {size:,} bytes: at most {LARGEST:,} are read")
    headers = _headers(record)
    media_type = _media_type(headers.get("content-type"))
    if not media_type.startswith("application/cloudevents"):
        return _event(_binary(headers), _data(record.value, media_type))
    if media_type != _STRUCTURED:
        raise NotACloudEvent(f"its content-type is {media_type}: {_STRUCTURED} is understood")
    return _structured(record.value)


def _is_attribute(name: str) -> bool:
    return name.lower().startswith(_PREFIX)


def _headers(record: BusRecord) -> Mapping[str, str]:
    """Those that matter, by name. Raises for one that stands twice or is not UTF-8."""
    found: dict[str, str] = {}
    for name, value in record.headers:
        lower = name.lower()
        if lower != "content-type" and not _is_attribute(lower):
            continue
        if lower in found:
            raise NotACloudEvent(f"the header {lower} stands there twice: it has to be there once")
        try:
            found[lower] = (value or b"").decode()
        except UnicodeDecodeError as error:
            raise NotACloudEvent(f"the header {lower} is not UTF-8") from error
    return found


def _media_type(content_type: str | None) -> str:
    return (content_type or "application/json").partition(";")[0].strip().lower()


def _binary(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """The attributes, without the prefix of their headers."""
    return {
        name.removeprefix(_PREFIX): value
        for name, value in headers.items()
        if name.startswith(_PREFIX)
    }


def _data(value: bytes | None, media_type: str) -> bytes:
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise NotACloudEvent(f"its data is {media_type}: application/json is understood")
    return value or b""


def _structured(value: bytes | None) -> CloudEvent:
    try:
        document = json.loads(value or b"", parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise NotACloudEvent(f"its value is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise NotACloudEvent("its value is not a JSON object")
    return _event(document, _data_within(document))


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _data_within(document: Mapping[str, Any]) -> bytes:
    media_type = _media_type(_optional(document, "datacontenttype"))
    if "data_base64" not in document:
        _data(None, media_type)
        return json.dumps(document["data"]).encode() if "data" in document else b""
    if "data" in document:
        raise NotACloudEvent("it has both data and data_base64: it may have one")
    try:
        return _data(base64.b64decode(document["data_base64"], validate=True), media_type)
    except (binascii.Error, TypeError, ValueError) as error:
        raise NotACloudEvent(f"its data_base64 cannot be decoded: {error}") from error


def _event(attributes: Mapping[str, Any], data: bytes) -> CloudEvent:
    if (spec := _required(attributes, "specversion")) != "1.0":
        raise NotACloudEvent(f"its specversion is {spec}: 1.0 is understood")
    return CloudEvent(
        id=_required(attributes, "id"),
        type=_required(attributes, "type"),
        source=_required(attributes, "source"),
        subject=_optional(attributes, "subject"),
        time=_time(_optional(attributes, "time")),
        data=data,
        dataschema=_optional(attributes, "dataschema"),
        correlation_id=_matching(_IDENTIFIER, attributes.get("correlationid")),
        causation_id=_matching(_IDENTIFIER, attributes.get("causationid")),
        traceparent=_matching(_TRACEPARENT, attributes.get("traceparent")),
        actor=_matching(_ACTOR, attributes.get("actor")),
        on_behalf_of=_matching(_ACTOR, attributes.get("onbehalfof")),
    )


def _required(attributes: Mapping[str, Any], name: str) -> str:
    if value := _optional(attributes, name):
        return value
    raise NotACloudEvent(f"it has no {name}: each CloudEvent has one")


def _optional(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise NotACloudEvent(f"its {name} is not text without control characters")
    if len(value) > _LONGEST:
        raise NotACloudEvent(f"its {name} has {len(value):,} characters: at most {_LONGEST:,}")
    return value


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _time(text: str | None) -> datetime | None:
    """Raises :class:`NotACloudEvent` unless it is a timestamp as RFC 3339 has it."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotACloudEvent(f"its time is {text!r}: write it 2026-01-31T12:30:00Z") from error
    if moment.tzinfo is None:
        raise NotACloudEvent(f"its time, {text}, has no time zone: write it 2026-01-31T12:30:00Z")
    return moment
