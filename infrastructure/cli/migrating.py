"""``headwater migrate``: makes the tables, and brings them up to this release."""

from infrastructure.cli import tables  # only: dynamodb
from infrastructure.cli.printing import say
from infrastructure.connecting import migrate as bring_up_to_date
from infrastructure.container import wired
from infrastructure.processes.needs import VIEWS
from infrastructure.processes.servers import reached
from infrastructure.program import Deployment


async def migrate(deployment: Deployment) -> None:
    """Migrate, and print what was done.

    Raises ``CommandFailed``, ``InvalidSettings``, ``StoreUnavailable``.
    """
    needs, made = VIEWS, 0
    # only: dynamodb
    needs, made = tables.needs_of(deployment.settings), await tables.make(deployment)
    # end: dynamodb
    async with reached(deployment, needs) as servers:
        applied = await bring_up_to_date(wired(deployment.program, servers.settings))
    for name in applied:
        say(f"applied {name}")
    if not (made or applied):
        say("All migrations have been applied before.")
