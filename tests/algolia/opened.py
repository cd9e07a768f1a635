"""An Algolia for tests: the recorded one, or the application that the environment names."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from pydantic import SecretStr

from infrastructure import algolia
from tests.algolia.server import KEY, NAME, Recorded

_REAL: Final = "ALGOLIA_APPLICATION_ID", "ALGOLIA_API_KEY"
ALGOLIA: Final = f"algolia ({'real' if all(map(os.environ.get, _REAL)) else 'recorded'})"


@asynccontextmanager
async def on_algolia() -> AsyncIterator[algolia.SearchEngine]:
    """With names of its own; on the real one, what has been made is removed in the end."""
    prefix = f"test-{uuid4().hex}"
    if ALGOLIA.endswith("(real)"):
        name, key = (os.environ[variable] for variable in _REAL)
        async with algolia.application(name, SecretStr(key)) as application:
            try:
                yield algolia.SearchEngine(application, prefix, owner=7)
            finally:
                await _remove_all(application, prefix)
        return
    async with Recorded.started() as server, opened(server) as application:
        server.held.lag = 1  # no change is there at once
        yield algolia.SearchEngine(application, prefix, owner=7)


@asynccontextmanager
async def opened(
    server: Recorded, *, key: str = KEY, patience: float = algolia.PATIENCE
) -> AsyncIterator[algolia.Application]:
    """The recorded one, by its hosts."""
    async with algolia.application(
        NAME, SecretStr(key), server.addresses, patience=patience
    ) as application:
        yield application


async def _remove_all(application: algolia.Application, prefix: str) -> None:
    """Replicas last, when their primary indexes have gone."""
    answer = await application.ask(lambda client: client.list_indices_with_http_info())
    found = [one for one in answer["items"] if one["name"].startswith(prefix)]
    for one in sorted(found, key=lambda one: bool(one.get("primary"))):
        await _remove(application, one["name"])


async def _remove(application: algolia.Application, name: str) -> None:
    await application.change(name, lambda client: client.delete_index_with_http_info(name))
