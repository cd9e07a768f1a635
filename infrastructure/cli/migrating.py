"""``headwater migrate``: brings the tables up to this release."""

from infrastructure.cli.printing import say
from infrastructure.connecting import migrate as bring_up_to_date
from infrastructure.container import wired
from infrastructure.processes.needs import VIEWS
from infrastructure.processes.servers import reached
from infrastructure.program import Deployment


async def migrate(deployment: Deployment) -> None:
    """Migrate, and print what was applied. Raises ``CommandFailed``, ``StoreUnavailable``."""
    async with reached(deployment, VIEWS) as servers:
        applied = await bring_up_to_date(wired(deployment.program, servers.settings))
    for name in applied:
        say(f"applied {name}")
    if not applied:
        say("All migrations have been applied before.")
