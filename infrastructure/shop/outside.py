"""What stands in for the shop's payment provider and carrier where none is set."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from infrastructure.processes import CommandFailed
from infrastructure.processes.embedded_node import require_node
from infrastructure.processes.needs import Embedded
from infrastructure.processes.supervising import kept_running
from infrastructure.settings import Settings


@asynccontextmanager
async def _simulated(settings: Settings) -> AsyncIterator[Mapping[str, str]]:
    require_node("the simulated providers")
    from infrastructure.providers.simulated.process import SimulationFailed
    from infrastructure.shop.simulated_providers import SimulatedProviders

    journal = settings.home.absolute() / SIMULATED_PROVIDERS.name / "books.sqlite3"
    try:
        async with (
            SimulatedProviders(journal) as providers,
            kept_running("the simulated providers", providers),
        ):
            yield {
                "payment_provider_uri": providers.payment_provider_uri,
                "carrier_uri": providers.carrier_uri,
            }
    except SimulationFailed as error:
        raise CommandFailed(str(error)) from error


SIMULATED_PROVIDERS: Final = Embedded(
    "providers", ("payment_provider_uri", "carrier_uri"), _simulated, outside=True
)
"""One process for both. It keeps its journal in the home."""


def embedded() -> Sequence[Embedded]:
    """All that can be started in place of what is outside."""
    return (SIMULATED_PROVIDERS,)
