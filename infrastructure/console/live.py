"""Keeps an open page up to date: its figures, as server-sent events.

``figures``: those that have changed, by key. ``rows``: the keys of all, whenever there are others:
the page then says that it shows old rows, and a person loads it again. ``lost``: why the service
cannot be looked at now.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import Request, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from infrastructure.console.routing import explained, status_of

if TYPE_CHECKING:
    from infrastructure.console.visit import Look, Visit

RETRY: Final = 3000  # milliseconds until a browser that lost its stream asks again


@dataclass(frozen=True)
class Pace:
    """How much one process does for open pages."""

    every: float = 1.0
    """Seconds between two looks."""
    most: int = 50
    """Pages that are kept up to date."""


async def stream(visit: "Visit", template: str, look: "Look") -> Response:
    """Until the client goes or the server ends: what has changed since the event before.

    503 while as many as ``Site.pace`` says are open: another page stays as it is.
    """
    if visit.site.open_streams >= visit.site.pace.most:
        return Response("too many pages are kept up to date", 503, {"Retry-After": "30"})
    return EventSourceResponse(
        _changes(visit, template, look), headers={"Cache-Control": "no-store"}
    )


async def _changes(visit: "Visit", template: str, look: "Look") -> AsyncIterator[bytes]:
    site, shown = visit.site, dict[str, tuple[str, str]]()
    site.open_streams += 1
    try:
        yield format_sse_event(retry=RETRY)
        while not await _ends_within(visit.request, site.pace.every):
            try:
                figures = (await visit.rendered(template, look)).figures
            except Exception as error:
                status_of(error)
                yield _event("lost", explained(error))
                continue
            changed = {key: of for key, of in figures.items() if shown.get(key) != of}
            if shown.keys() != figures.keys():
                yield _event("rows", [*figures])
            if changed:
                yield _event("figures", changed)
            shown = {**figures}
    finally:
        site.open_streams -= 1


async def _ends_within(request: Request, seconds: float) -> bool:
    """Wait so long, or until the server is to end; whether it is."""
    ending: asyncio.Event | None = request.scope.get("state", {}).get("ending")
    if ending is None:
        await asyncio.sleep(seconds)
        return False
    try:
        await asyncio.wait_for(ending.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _event(name: str, data: Mapping[str, tuple[str, str]] | list[str] | str) -> bytes:
    return format_sse_event(event=name, data_str=json.dumps(data))
