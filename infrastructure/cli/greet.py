"""The first lines of ``headwater run``: the import of its first start, and the welcome."""

from collections.abc import Collection
from itertools import count
from typing import Final

import structlog

from application.backoff import Backoff
from application.ports import StoreUnavailable
from infrastructure.cli.printing import Console
from infrastructure.cli.run import log_to_home
from infrastructure.connecting import opened
from infrastructure.container import wired
from infrastructure.processes.catching_up import caught_up
from infrastructure.processes.watching import watch_read_models
from infrastructure.program import Deployment

log = structlog.stdlib.get_logger(__name__)

_AGAIN: Final = Backoff(0.2, most=2.0)


async def greet(deployment: Deployment, url: str, given: Collection[str]) -> None:
    """Fill an event store that was started empty, wait for the read models, and welcome.

    ``given``: the fields of the settings with addresses that the user has set; all others are of
    servers started here, which are restarted when they end: meanwhile it waits. Raises
    ``CommandFailed``.
    """
    log_to_home(deployment, "run")
    for attempt in count():
        try:
            await _greet(deployment, url, given)
            break
        except StoreUnavailable as error:
            log.warning("cannot greet yet", reason=str(error))
            await _AGAIN(attempt)


async def _greet(deployment: Deployment, url: str, given: Collection[str]) -> None:
    program, settings, console = deployment.program, deployment.settings, Console()
    started = {field: None for field in settings.addresses() if field not in given}
    container = wired(program, settings)
    async with opened(container, "read_side", "event_side", "outside"):
        if settings.events_in in started:
            watch = {"watch read models": lambda: watch_read_models(container)}
            async with container.working().at_work(**watch):
                await program.first_start(container, settings.home.absolute(), console)
        with console.status("The read models are catching up …"):
            await caught_up(container)
        users = settings.model_copy(update=started)
        await program.welcome(container, users, url, console)
