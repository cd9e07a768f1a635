"""``headwater parked replay`` and ``discard``: commands on parked events."""

from uuid import UUID

from application.operating.action import Preview
from application.operating.parked import Chosen, DiscardParked, ReplayParked, Selection
from infrastructure.cli.acting import act, operator, previewed
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def replay(
    deployment: Deployment,
    which: Selection,
    by: str | None,
    reason: str | None,
    *,
    rate: float,
    dry_run: bool,
) -> None:
    """Raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    if not which.is_one:
        raise UsageError("give one of EVENT_ID, --stream NAME and --all")
    action = ReplayParked(which, rate, _show)
    async with opened_for(deployment, EVENTS) as container:
        preview = await previewed(container, action)
        say(preview.before)
        if dry_run:
            _show_preview(preview)
        elif preview.number:
            await act(container, action, operator(by, reason))


async def discard(deployment: Deployment, event_id: UUID, by: str | None, reason: str) -> None:
    """Raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    if not reason.strip():
        raise UsageError("--reason is empty: give a reason, which is recorded")
    who = operator(by, reason)
    async with opened_for(deployment, EVENTS) as container:
        done = await act(container, DiscardParked(event_id), who)
    say(f"{done.what} (recorded for {who.name}: {who.reason})")


def _show(chosen: Chosen) -> None:
    parked = chosen[1].parked
    say(f"  {parked.event_id}  {parked.stream}@{parked.version}  {parked.error}")


def _show_preview(preview: Preview) -> None:
    for example in preview.examples:
        say(f"  {example}")
    if (more := preview.number - len(preview.examples)) > 0:
        say(f"  … and {more:,} more")
    say("Nothing was recorded: leave out --dry-run to do it.")
