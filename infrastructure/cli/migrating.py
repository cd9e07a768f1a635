"""``headwater migrate``: the tables of this release, and what of them was missing."""

from infrastructure.cli.printing import say
from infrastructure.container import migrate as bring_up_to_date
from infrastructure.processes.embedded_servers import database_at_hand
from infrastructure.settings import Settings


async def migrate(settings: Settings) -> None:
    """Migrate and tell. Raises ``Hindrance``, ``StoreUnavailable``."""
    async with database_at_hand(settings) as reachable:
        applied = await bring_up_to_date(reachable)
    for name in applied:
        say(f"applied {name}")
    if not applied:
        say("nothing to do: all migrations have been applied before")
