"""The simulated providers that run where none is set."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import (
    asynccontextmanager,
    nullcontext,  # only: bus
)
from typing import Final

from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import Startable
from infrastructure.processes.supervising import kept_running
from infrastructure.settings import Settings
from infrastructure.shop.settings import ShopSettings


@asynccontextmanager
async def _simulated(settings: Settings) -> AsyncIterator[Mapping[str, str]]:
    from infrastructure.providers.simulated.process import SimulationFailed
    from infrastructure.shop.parcels_on_the_bus import carried  # only: bus
    from infrastructure.shop.simulated_providers import SimulatedProviders

    assert isinstance(settings, ShopSettings)  # the shop's program has declared it
    journal = settings.home.absolute() / SIMULATED_PROVIDERS.name / "books.sqlite3"
    try:
        async with (
            SimulatedProviders(journal) as providers,
            kept_running("the simulated providers", providers),
            nullcontext() if settings.carrier_uri else carried(settings),  # only: bus
        ):
            yield providers.uris
    except SimulationFailed as error:
        raise CommandFailed(str(error)) from error


_ADDRESSES: Final = tuple(
    name
    for name in ShopSettings.model_fields
    if name.endswith("_uri") and name not in Settings.model_fields
)
SIMULATED_PROVIDERS: Final = Startable("providers", _ADDRESSES, _simulated, outside=True)
"""One process for all of them. It keeps its journal in the home."""


def startable() -> Sequence[Startable]:
    """All that can be started in place of what is outside."""
    return (SIMULATED_PROVIDERS,)
