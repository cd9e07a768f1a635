"""EventStoreDB's own projections: they sort links to events into streams by what events share."""

from contextlib import suppress

from esdbclient.exceptions import NotFound

from infrastructure.eventstoredb.client import DEADLINE, Client, unavailable

SYSTEM_PROJECTIONS = (
    "$by_category",
    "$by_correlation_id",
    "$by_event_type",
    "$stream_by_category",
    "$streams",
)


async def enable_system_projections(client: Client) -> None:
    """Switch on those that the server has: it keeps them off until told.

    Doing it twice is doing it once. Raises :class:`~application.ports.StoreUnavailable`.
    """
    for name in SYSTEM_PROJECTIONS:
        with suppress(NotFound), unavailable():  # the embedded node has only two of them
            await client.enable_projection(name, timeout=DEADLINE)
