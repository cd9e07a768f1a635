"""Bytes ↔ event. Type names, schema versions, and the upcasters by which old bytes climb.

An event type is at version 1 until its form changes. A change appends one pure upcaster to the
type's chain, from the version before to the next, so a version without an upcaster cannot be
written down. ``tests/contracts/events/`` keeps real bytes of every type and version.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

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
    """An event is stored that this release cannot read; the message says which, where and why."""


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
    read = _READERS.get((type, schema_version))
    if read is None:
        raise UnreadableEvent(_unknown(type, schema_version))
    try:
        return read(data)
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise UnreadableEvent(f"these bytes are no {type} v{schema_version}: {error}") from error


def _readers(event: type[Event]) -> Iterator[tuple[tuple[str, int], Callable[[bytes], Event]]]:
    """What reads each version of a type."""
    type, read = type_name(event), TypeAdapter(event).validator.validate_json
    upcasters = UPCASTERS.get(type, ())
    for old in range(len(upcasters)):
        yield (type, 1 + old), partial(_climb, read, upcasters[old:])
    yield (type, current_version(type)), read


def _climb(read: Callable[[bytes], Event], upcasters: Sequence[Upcaster], data: bytes) -> Event:
    document = json.loads(data, parse_float=str)  # a decimal must not pass through a float
    for upcast in upcasters:
        document = upcast(document)
    return read(json.dumps(document).encode())


def _unknown(type: str, schema_version: int) -> str:
    if type not in EVENTS:
        return f"no event type is named {type!r}"
    return (
        f"{type} is known up to version {current_version(type)}, "
        f"this one is version {schema_version}: a newer release wrote it"
    )


_READERS: Final = dict(chain.from_iterable(map(_readers, EVENTS.values())))
