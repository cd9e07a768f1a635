"""Algolia as the settings name it, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from application.ports import StoreUnavailable
from infrastructure.algolia.application import Application, application
from infrastructure.algolia.engine import SearchEngine
from infrastructure.algolia.failures import AccessRefused, NotAlgolia
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.sides import SearchSide

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def search_side(settings: Settings, owner: int) -> AsyncIterator[SearchSide]:
    """Goes on without an Algolia that does not answer: it is asked again with each batch and query.

    Raises :class:`InvalidSettings` for what waiting does not mend: a key that is refused, and an
    address where something else answers.
    """
    name, key = settings.algolia_application_id, settings.algolia_api_key
    assert name is not None  # checked with the settings
    assert key is not None  # as above
    async with application(name, key, settings.algolia_hosts) as opened:
        await _check(opened, settings)
        engine = SearchEngine(opened, settings.search_prefix, owner)
        yield SearchSide(engine, opened.check)


async def _check(opened: Application, settings: Settings) -> None:
    try:
        await opened.check()
    except AccessRefused as error:
        raise InvalidSettings(
            f"{settings.name_of('algolia_api_key')}: {error}: set a key of "
            f"{settings.name_of('algolia_application_id')} with the rights search, browse, "
            "addObject, deleteIndex, settings, editSettings and listIndexes"
        ) from error
    except NotAlgolia as error:
        raise InvalidSettings(
            f"{settings.name_of('algolia_hosts')}: {error}: unset it, or name hosts of Algolia"
        ) from error
    except StoreUnavailable as error:
        log.warning("Algolia is away: views there are behind", reason=str(error))
