"""``headwater doctor``: the streams that operators or server policies have damaged."""

from dataclasses import asdict

import typer

from application.damaged_streams import damaged
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import say
from infrastructure.cli.progress import shown
from infrastructure.processes.home import Home  # only: console
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def examine(deployment: Deployment, *, json: bool) -> None:
    """Print the damaged streams; exit code 1 for any. Raises ``CommandFailed``."""
    with shown() as report:
        async with opened_for(deployment, EVENTS) as container:
            log, store = container.subscriptions(), container.event_store()
            found = await damaged(log, store, container.catalogue(), report)
    if json:
        say_data(
            {"damaged": [asdict(one) for one in found]}, items="damaged", columns=("stream", "what")
        )
    for one in () if json else found:
        say(one.what)
    if not (found or json):
        say("No stream is damaged.")
    # only: console
    running = Home(deployment.settings).running()
    if running and deployment.settings.console and not json:
        say(f"All else that may be wrong is on the first page of {running.url}/console")
    # end: console
    if found:
        raise typer.Exit(1)
