"""``headwater links repair``: what it does, said line by line."""

from infrastructure.cli.printing import say
from infrastructure.eventstoredb import BeyondRepair
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.settings import Settings


async def repair_links(settings: Settings) -> None:
    """Repair them. Raises :class:`CommandFailed` and ``StoreUnavailable``."""
    async with opened_for(settings, EVENTS) as container:
        if container.one_database():
            raise CommandFailed("events are in PostgreSQL, where consumer groups need no links")
        try:
            await container.category_links().repair(say)
        except BeyondRepair as error:
            raise CommandFailed(str(error)) from error
    say("$by_category runs: every event is linked to its category")
