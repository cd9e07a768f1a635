"""Bytes ↔ event. Type names, schema versions, and the upcasters by which old bytes climb.

An event type is at version 1 until its form changes. A change appends one pure upcaster to the
type's chain, from the version before to the next, so a version without an upcaster cannot be
written down. ``tests/contracts/events/`` keeps real bytes of every type and version.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from application.categories import EVENTS
from domain.decider import Event

Json = dict[str, Any]
Upcaster = Callable[[Json], Json]


def _prices_carry_their_currency(data: Json) -> Json:
    """OrderPlaced 1 → 2: the shop sold in pounds only, so a price was a bare number."""
    lines = [{**line, "unit_price": f"{line['unit_price']} GBP"} for line in data["lines"]]
    return {**data, "lines": lines}


UPCASTERS: Mapping[str, Sequence[Upcaster]] = MappingProxyType(
    {
        "OrderPlaced": (_prices_carry_their_currency,),
    }
)


class UnreadableEvent(Exception):
    """Stored bytes that this release cannot turn into an event; the message says why."""


def type_name(event: type[Event]) -> str:
    """The name under which events of this class are stored."""
    return event.__name__


def current_version(type: str) -> int:
    """The schema version that is written today for events of that type."""
    return 1 + len(UPCASTERS.get(type, ()))


def encode(event: Event) -> bytes:
    """The event in its current version, as JSON; what is at its default is written too."""
    return event.model_dump_json().encode()


def decode(type: str, schema_version: int, data: bytes) -> Event:
    """The event that these bytes hold, lifted to today's version.

    Raises :class:`UnreadableEvent` for an unknown type, a version from the future, or bytes that
    are not such an event.
    """
    if type not in EVENTS:
        raise UnreadableEvent(f"no event type is named {type!r}")
    if not 1 <= schema_version <= current_version(type):
        raise UnreadableEvent(
            f"{type} is known up to version {current_version(type)}, "
            f"this one is version {schema_version}: a newer release wrote it"
        )
    try:
        if schema_version == current_version(type):
            return EVENTS[type].model_validate_json(data)
        return EVENTS[type].model_validate_json(_climb(type, schema_version, data))
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise UnreadableEvent(f"these bytes are no {type} v{schema_version}: {error}") from error


def _climb(type: str, schema_version: int, data: bytes) -> bytes:
    document = json.loads(data, parse_float=str)  # a decimal must not pass through a float
    for upcast in UPCASTERS[type][schema_version - 1 :]:
        document = upcast(document)
    return json.dumps(document).encode()
