"""OpenSearch as the settings name it, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from application.ports import StoreUnavailable
from infrastructure.certificates import trusted
from infrastructure.opensearch.engine import SearchEngine
from infrastructure.opensearch.failures import AccessRefused, NotOpenSearch, Untrusted
from infrastructure.opensearch.server import Server, server
from infrastructure.settings import InvalidSettings, Settings, named
from infrastructure.sides import SearchSide

APART: Final = 0.1
"""Seconds between two writes that queries see. One that waits for an event waits so much longer."""

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def search_side(settings: Settings, owner: int) -> AsyncIterator[SearchSide]:
    """Goes on without a server that does not answer: it is asked again with each batch and query.

    Raises :class:`InvalidSettings` for what waiting does not mend: a user that is refused, an
    address where something else answers, certificates that cannot be read or do not fit.
    """
    assert settings.opensearch_uri is not None  # checked with the settings
    with named(settings.name_of("opensearch_ca_file")):
        trust = trusted(settings.opensearch_ca_file)
    async with server(settings.opensearch_uri, trust) as opened:
        await _check(opened, settings)
        engine = SearchEngine(opened, settings.search_prefix, owner, apart=APART)
        yield SearchSide(engine, engine.check)


async def _check(opened: Server, settings: Settings) -> None:
    uri, ca_file = settings.name_of("opensearch_uri"), settings.name_of("opensearch_ca_file")
    try:
        await opened.check()
    except AccessRefused as error:
        raise InvalidSettings(f"{uri}: {error}: set a user that may use it") from error
    except NotOpenSearch as error:
        raise InvalidSettings(f"{uri}: {error}: set the address of an OpenSearch") from error
    except Untrusted as error:
        raise InvalidSettings(
            f"{ca_file}: {error}: set it to the certificate that signs it, and {uri} to a host "
            "that it names"
        ) from error
    except StoreUnavailable as error:
        log.info("the search server is away: views there are behind", reason=str(error))
