"""The event side of a service on EventStoreDB, opened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from infrastructure.eventstoredb.category_links import CategoryLinks
from infrastructure.eventstoredb.client import Client
from infrastructure.eventstoredb.connecting import connect
from infrastructure.eventstoredb.consumer_groups import ConsumerGroups
from infrastructure.eventstoredb.event_browser import EventBrowser
from infrastructure.eventstoredb.event_store import EventStore
from infrastructure.eventstoredb.subscriptions import Subscriptions
from infrastructure.eventstoredb.system_projections import enable_system_projections
from infrastructure.settings import InvalidSettings
from infrastructure.sides import EventSide, Given

_SWITCHED_ON_WITHIN: Final = 10.0  # seconds: a server whose projections just start may not answer

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def event_side(given: Given) -> AsyncIterator[EventSide]:
    """Raises ``StoreUnavailable``, and :class:`InvalidSettings` for an address of no server."""
    settings, catalogue = given.settings, given.catalogue
    assert settings.eventstoredb_uri is not None  # resolving the settings has set it
    try:
        client = await connect(settings.eventstoredb_uri)
    except ValueError as error:
        raise InvalidSettings(f"{settings.name_of('eventstoredb_uri')}: {error}") from None
    try:
        yield EventSide(
            EventStore(client, catalogue, moment=given.append_moment),
            Subscriptions(client, catalogue),
            ConsumerGroups(client, catalogue, report=given.metrics.groups.gone),
            EventBrowser(client, catalogue),
            prepare=lambda: _switch_on_system_projections(client),
            repair_links=CategoryLinks(client).repair,
        )
    finally:
        await client.close()


async def _switch_on_system_projections(client: Client) -> None:
    """Enable the projections. Consumer groups also enable the one that they need, with retries."""
    try:
        async with asyncio.timeout(_SWITCHED_ON_WITHIN):
            await enable_system_projections(client)
    except Exception as error:  # whatever it is: the service starts, and readiness reports it
        log.warning("system projections cannot be switched on", reason=repr(error))
