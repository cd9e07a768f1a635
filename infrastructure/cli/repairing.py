"""``headwater links repair``: prints each step that it takes."""

from infrastructure.cli.acting import operator
from infrastructure.cli.printing import say
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment
from infrastructure.settings import STORES
from infrastructure.sides import BeyondRepair


async def repair_links(deployment: Deployment) -> None:
    """Repair the links. Raises :class:`CommandFailed`, ``StoreUnavailable``."""
    async with opened_for(deployment, EVENTS) as container:
        if (repair := container.event_side().repair_links) is None:
            store = STORES[container.settings().event_store].name
            raise CommandFailed(f"events are in {store}: its consumer groups need no links")
        who, operating = operator(None, None), container.operating()
        async with operating.recorded("links repair", "$by_category", who):
            try:
                await repair(say)
            except BeyondRepair as error:
                raise CommandFailed(str(error)) from error
    say("$by_category runs, so every event is linked to its category")
