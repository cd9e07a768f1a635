"""``headwater migrate``: the tables of this release, and what of them was missing."""

from infrastructure.cli.printing import say
from infrastructure.container import migrate as bring_up_to_date
from infrastructure.processes.needs import TABLES
from infrastructure.processes.servers import reached
from infrastructure.settings import Settings


async def migrate(settings: Settings) -> None:
    """Migrate and tell. Raises ``CommandFailed``, ``StoreUnavailable``."""
    async with reached(settings, TABLES) as servers:
        applied = await bring_up_to_date(servers.settings)
    for name in applied:
        say(f"applied {name}")
    if not applied:
        say("nothing to do: all migrations have been applied before")
