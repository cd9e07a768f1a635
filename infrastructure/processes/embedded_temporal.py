"""Temporal's development server, from a wheel that may not be installed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Final

from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import Startable
from infrastructure.processes.supervising import kept_running
from infrastructure.settings import Settings


@asynccontextmanager
async def _temporal(settings: Settings) -> AsyncIterator[Mapping[str, str]]:
    if find_spec("temporalio") is None:
        raise CommandFailed("sagas cannot run on Temporal: install the extra 'temporal'")
    from infrastructure.embedded.temporal import DevelopmentServer, TemporalFailed

    try:
        async with (
            DevelopmentServer(
                settings.home.absolute() / TEMPORAL.name, settings.temporal_namespace
            ) as server,
            kept_running("the embedded Temporal", server),
        ):
            yield {"temporal_address": server.address, "temporal_ui_uri": server.ui}
    except TemporalFailed as error:
        raise CommandFailed(str(error)) from error


TEMPORAL: Final = Startable("temporal", ("temporal_address",), _temporal)
"""Started where Temporal drives sagas and none is set, and started again when it ends."""
