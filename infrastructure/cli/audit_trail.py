"""``headwater audit-trail``: what operators have done to the service, and what came of it."""

from collections.abc import Sequence
from datetime import UTC
from typing import Final

from application.access import issuer_and_subject
from application.operating.trail import Recorded, WantedActions, trail
from application.ports import Reading
from application.time_range import TimeRange
from infrastructure.cli.event_list import ending, say_ending
from infrastructure.cli.forms import say_data
from infrastructure.cli.process import UsageError
from infrastructure.cli.table import Column, print_table
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_COLUMNS: Final = (
    Column("began"),
    Column("by"),
    Column("issuer"),
    Column("subject"),
    Column("action"),
    Column("outcome"),
    Column("target", text=True),
    Column("reason", text=True),
)
_FIELDS: Final = (
    *("id", "began_at", "by", "issuer", "subject", "action", "target", "reason", "through"),
    *("outcome", "detail", "before", "after", "ended_at"),
)


def wanted(began: TimeRange, outcome: str | None, by: str | None) -> WantedActions:
    """Raises :class:`UsageError`."""
    try:
        return WantedActions(began, outcome, by)
    except ValueError as error:
        raise UsageError(str(error)) from error


async def print_trail(
    deployment: Deployment, wanted: WantedActions, reading: Reading, *, json: bool
) -> None:
    """Print a page. Raises :class:`UsageError`, ``CommandFailed``, ``StoreUnavailable``."""
    async with opened_for(deployment, EVENTS) as container:
        try:
            browser, store = container.event_browser(), container.event_store()
            found = await trail(browser, store, reading, wanted)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if json:
        documents = [one.document for one in found.items]
        say_data({"actions": documents, **ending(found)}, items="actions", columns=_FIELDS)
        return
    print_table(_COLUMNS, [_cells(one) for one in found.items])
    say_ending(found, "action", "actions")


def _cells(one: Recorded) -> Sequence[str]:
    at = f"{one.began_at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    begun = one.begun
    issuer, subject = issuer_and_subject(one.actor)
    who = (begun.by, issuer or "this service", subject)
    return (at, *who, begun.action, one.outcome, begun.target, begun.reason)
