"""The client, with one reconnection for all calls that need it.

Without this, each call searches for the leader, one after the other: while there is no leader, the
twentieth caller waits for twenty searches of a second.
"""

import asyncio

from esdbclient import AsyncEventStoreDBClient


class Reconnecting(AsyncEventStoreDBClient):
    """Callers that need a new connection during a search get its result, or its error."""

    _reconnection: asyncio.Task[None] | None = None

    def log_in(self, login: tuple[str, str] | None) -> None:
        """Be this user, with this password, for all calls; ``None``: a certificate alone."""
        self._call_credentials = self.construct_call_credentials(*login) if login else None

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
    """Its error is ignored if all callers were cancelled."""
    if not reconnection.cancelled():
        reconnection.exception()
