"""Opens Temporal as what drives sagas."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from application.event_filter import EventFilter
from application.ports import EventStore, KeyStore, PayloadStore, ProviderUnavailable
from application.ports.keys import HISTORIES
from application.sagas.attempting import Perform
from application.sagas.driving import Observer
from application.sagas.saga import Saga
from application.service import Service
from infrastructure.settings import Settings
from infrastructure.sides import SagaSide
from infrastructure.temporal.connecting import connected
from infrastructure.temporal.copies import Copies
from infrastructure.temporal.relay import TemporalEngine
from infrastructure.temporal.search_attributes import made_searchable
from infrastructure.temporal.worker import worker


@asynccontextmanager
async def saga_side(
    settings: Settings, service: Service[Any], payloads: PayloadStore | None, keys: KeyStore
) -> AsyncIterator[SagaSide]:
    """Sagas as workflows. Where the service has personal data, values in histories are encrypted.

    Raises ``StoreUnavailable``, ``InvalidSettings``.
    """
    key = partial(keys.key, HISTORIES) if service.encrypted else None
    client = await connected(settings, payloads, key)
    searchable = await made_searchable(client)
    queue = _queue(settings, service)

    def driver(
        versions: Sequence[Saga[Any]], own: EventFilter, store: EventStore
    ) -> TemporalEngine:
        return TemporalEngine(versions, own, store, client, queue, searchable=searchable)

    async def work(
        sagas: Sequence[Saga[Any]], store: EventStore, perform: Perform, observe: Observer
    ) -> None:
        await worker(client, queue, sagas, store, perform, observe).run()

    yield SagaSide(driver, work, partial(_check, client))


def copies(settings: Settings, service: Service[Any]) -> Copies:
    """What its histories keep. Connects when something is asked."""
    return Copies(partial(connected, settings, None), _queue(settings, service))


def _queue(settings: Settings, service: Service[Any]) -> str:
    return settings.temporal_task_queue or service.name


async def _check(client: Client) -> None:
    try:
        serves = await client.service_client.check_health()
    except RPCError as error:
        raise ProviderUnavailable(f"Temporal does not answer: {error}") from error
    if not serves:
        raise ProviderUnavailable("Temporal does not serve")
