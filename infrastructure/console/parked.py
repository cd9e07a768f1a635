"""Parked events: which wait for a person, what waits behind them, and one in full."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import Response

from application.operating.parked_list import FIRST, WHICH, listed
from application.parking import PARKING
from application.parking_stream import ParkingStream
from application.ports import Reading
from infrastructure.console.listing import within
from infrastructure.console.routing import BadAddress, NotFound
from infrastructure.console.section import Section
from infrastructure.console.visit import Visit, Visiting
from infrastructure.http.served import Served

SECTION: Final = Section("Parked", "/parked", "p")
SHOWN: Final = 100
"""Events on the page, at most; the filters reach all."""


@SECTION.get()
async def parked(
    visit: Visiting,
    which: str = FIRST,
    group: str = "",
    words: str = "",
    since: str = "",
    until: str = "",
) -> Response:
    if which not in WHICH:
        raise BadAddress(f"which is one of {', '.join(WHICH)}")
    within(since, until)
    asked = {"which": which, "group": group, "words": words.strip(), "since": since, "until": until}
    return await visit.page("parked.html", partial(_look, visit.service, asked))


@SECTION.get("/{group}/{event_id}")
async def parked_event(visit: Visiting, group: str, event_id: str, shown: str = "") -> Response:
    return await visit.page("parked_event.html", partial(_one, visit, group, event_id, shown))


async def streams(service: Served) -> Sequence[ParkingStream]:
    """The parking stream of each group that has ever parked an event, and of each declared one."""
    found = await service.browser.streams(PARKING.name, reading=Reading(limit=500))
    known = {one.name.partition("-")[2] for one in found.items}
    names = [*service.program.service.groups, *sorted(known)]
    parking = [service.parking(name) for name in dict.fromkeys(names)]
    await asyncio.gather(*(one.look() for one in parking))
    return parking


async def _look(service: Served, asked: Mapping[str, str]) -> Mapping[str, Any]:
    parking = await streams(service)
    found = listed(
        [of for of in parking if asked["group"] in ("", of.group)],
        asked["which"],
        parked=within(asked["since"], asked["until"]),
        words=asked["words"],
    )
    return {
        "groups": [(of.group, len(of.parked.held), len(of.parked.streams)) for of in parking],
        "found": found[:SHOWN],
        "total": len(found),
        "choices": WHICH,
        **asked,
    }


async def _one(visit: Visit, group: str, event_id: str, shown: str) -> Mapping[str, Any]:
    of = visit.service.parking(group)
    held = (await of.look()).held.get(_uuid(event_id))
    if held is None:
        raise NotFound(f"{group} has not parked the event {event_id}. Others may have replayed it.")
    queue = of.parked.streams[held.parked.stream]
    place = f"{held.parked.stream}@{held.parked.version}"
    return {
        "of": place,
        "unmasked": await visit.sees(place, shown),
        "group": group,
        "held": held,
        "status": of.parked.status(held),
        "first": queue[0],
        "since": of.since(held),
        "behind": [of.parked.held[id] for id in queue[queue.index(held.parked.event_id) + 1 :]],
        "recorded": await of.event(held),
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"{text} is not the id of an event.") from None
