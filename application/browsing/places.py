"""Finding what a person names: an event, a stream, or an aggregate by its bare id."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.messages import RecordedEvent
from application.ports import (
    Builds,
    Bus,  # only: bus
    EventBrowser,
    PayloadStore,
    Reading,
)
from application.service import Service


@dataclass(frozen=True)
class Looking:
    """What is needed to look around in one service."""

    service: Service[Any]
    browser: EventBrowser
    payloads: PayloadStore | None
    builds: Callable[[], Builds | None]
    """``None`` where the read models are not opened."""
    bus: Bus | None = None  # only: bus


class NothingFound(Exception):
    """Nothing in the event store has that name. The message says what was looked for."""


async def event_named(browser: EventBrowser, name: str) -> RecordedEvent:
    """The event ``STREAM@VERSION``, or the one with that id. Raises :class:`NothingFound`."""
    stream, at, version = name.rpartition("@")
    if at and version.isascii() and version.isdigit():
        return await _event_at(browser, stream, int(version))
    id = as_id(name)
    if id is None:
        raise NothingFound(
            f"{name!r} names no event: write STREAM@VERSION, such as order-536365@3, or an event id"
        )
    found = await browser.event(id)
    for recorded in found.items:
        return recorded
    why = "; ".join(map(str, found.lacks))
    raise NothingFound(f"there is no event {id}" + (f". {why}" if why else ""))


async def _event_at(browser: EventBrowser, stream: str, version: int) -> RecordedEvent:
    after = str(version - 1) if version else None
    found = await browser.stream(stream, Reading(newest_first=False, after=after, limit=1))
    for recorded in found.items:
        if recorded.version == version or stream.startswith("$"):
            return recorded
    why = "; ".join(map(str, found.lacks))
    raise NothingFound(f"there is no event {stream}@{version}" + (f". {why}" if why else ""))


def as_id(text: str) -> UUID | None:
    """The id that a text is; ``None`` if it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def stream_named(looking: Looking, name: str) -> str | None:
    """The stream of that name, or of the aggregate with that id; ``None`` if there is none.

    Categories are looked through in the order in which the service declares them.
    """
    categories = looking.service.catalogue.categories
    known = any(name.startswith(f"{one.name}-") for one in categories)
    names = [name] if known else [name, *(one.stream(name) for one in categories)]
    for stream in names:
        if "-" in stream and (await looking.browser.stream(stream, Reading(limit=1))).items:
            return stream
    return None
