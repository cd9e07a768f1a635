"""``headwater links repair``: prints each step that it takes."""

from infrastructure.cli.printing import say
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment
from infrastructure.sides import BeyondRepair


async def repair_links(deployment: Deployment) -> None:
    """Repair the links. Raises :class:`CommandFailed`, ``StoreUnavailable``."""
    async with opened_for(deployment, EVENTS) as container:
        if (repair := container.event_side().repair_links) is None:
            raise CommandFailed("events are in PostgreSQL: its consumer groups need no links")
        try:
            await repair(say)
        except BeyondRepair as error:
            raise CommandFailed(str(error)) from error
    say("$by_category runs, so every event is linked to its category")
