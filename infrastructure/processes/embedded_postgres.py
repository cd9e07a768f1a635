"""The embedded PostgreSQL, from a wheel that may not be installed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import Startable
from infrastructure.processes.supervising import kept_running
from infrastructure.settings import Settings


@asynccontextmanager
async def _postgres(settings: Settings) -> AsyncIterator[Mapping[str, str]]:
    from infrastructure.embedded.postgres import EmbeddedPostgres, PostgresFailed

    try:
        async with (
            EmbeddedPostgres(settings.home.absolute() / POSTGRES.name) as server,
            kept_running("the embedded PostgreSQL", server),
        ):
            yield {"postgres_uri": server.uri}
    except PostgresFailed as error:
        raise CommandFailed(str(error)) from error


POSTGRES: Final = Startable("postgres", ("postgres_uri",), _postgres)
"""Started where no PostgreSQL is set, and started again when it ends."""
