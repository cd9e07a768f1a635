"""Tables that have to be there before a service starts: made by ``migrate``, or printed."""

from dataclasses import replace
from typing import Literal

from infrastructure.cli.printing import say, say_json
from infrastructure.cli.process import UsageError
from infrastructure.container import wired
from infrastructure.processes.needs import VIEWS, Needs, Starts
from infrastructure.program import Deployment
from infrastructure.settings import Settings

Print = Literal["cloudformation", "policy"]


async def make(deployment: Deployment) -> int:
    """Make those that are missing, and print their names; how many there were.

    Raises ``InvalidSettings``, ``StoreUnavailable``.
    """
    made = await wired(deployment.program, deployment.settings).event_tables().make()
    for name in made:
        say(f"made the table {name}")
    return len(made)


def show(deployment: Deployment, what: Print) -> None:
    """Print what makes the tables, or what their service may do, as JSON.

    Raises :class:`UsageError` where the stores have no tables that can be made so.
    """
    tables = wired(deployment.program, deployment.settings).event_tables()
    printed = {"cloudformation": tables.template, "policy": tables.policy}[what]
    if printed is None:
        store = deployment.settings.name_of("event_store")
        raise UsageError(f"--print {what} is for DynamoDB: set {store}=dynamodb")
    say_json(printed)


def needs_of(settings: Settings) -> Needs:
    """Where tables come before any service, read models may begin in an empty home."""
    return replace(VIEWS, starts=Starts.ANYTHING) if settings.tables_in == "dynamodb" else VIEWS
