"""OpenSearch as the settings name it, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from application.ports import StoreUnavailable
from infrastructure.opensearch.engine import SearchEngine
from infrastructure.opensearch.server import AccessRefused, server
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.sides import SearchSide

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def search_side(settings: Settings, owner: int) -> AsyncIterator[SearchSide]:
    """Goes on without a server that does not answer: it is asked again with each batch and query.

    Raises :class:`InvalidSettings` for a user that the server refuses, and for certificates that
    cannot be read.
    """
    uri, setting = settings.opensearch_uri, settings.name_of("opensearch_uri")
    assert uri is not None  # checked with the settings
    try:
        async with server(uri, settings.opensearch_ca_file) as opened:
            try:
                await opened.check()
            except AccessRefused as error:
                raise InvalidSettings(f"{setting}: {error}: set a user that may use it") from error
            except StoreUnavailable as error:
                log.warning("the search server is away: views there are behind", reason=str(error))
            engine = SearchEngine(opened, settings.search_prefix, owner)
            yield SearchSide(engine, opened.check)
    except ValueError as error:
        raise InvalidSettings(f"{settings.name_of('opensearch_ca_file')}: {error}") from error
