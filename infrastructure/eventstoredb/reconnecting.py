"""The client, which connects anew once for all calls that need it.

As it comes, each call looks for the leader by itself, one after the other: while nobody leads, the
twentieth caller waits for twenty searches of a second.
"""

import asyncio

from esdbclient import AsyncEventStoreDBClient


class Reconnecting(AsyncEventStoreDBClient):
    """Whoever needs a new connection while one is looked for gets that one, or its failure."""

    _reconnection: asyncio.Task[None] | None = None

    async def reconnect(self, grpc_target: str | None = None) -> None:
        """As the client's. A caller that is cancelled leaves the search to the others."""
        if self._reconnection is None or self._reconnection.done():
            self._reconnection = asyncio.create_task(super().reconnect(grpc_target))
            self._reconnection.add_done_callback(_heard)
        await asyncio.shield(self._reconnection)

    async def close(self) -> None:
        """Close the connection, and end the search for another one."""
        if self._reconnection is not None:
            self._reconnection.cancel()
            await asyncio.wait([self._reconnection])
        await super().close()


def _heard(reconnection: asyncio.Task[None]) -> None:
    """Its failure is no news where all callers have gone."""
    if not reconnection.cancelled():
        reconnection.exception()
