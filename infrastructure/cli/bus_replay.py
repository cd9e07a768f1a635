"""``headwater bus replay``: publish events again, from a place in the log on."""

from datetime import UTC, datetime

from application.operating.action import Done
from application.ports import Fenced, PositionLost
from application.publishing_behind import ForwardingFailed
from application.replaying import Point, Replay, planned
from application.time_range import moment
from application.whole_log import EventLog
from infrastructure.cli.acting import operator
from infrastructure.cli.bus_topics import bus_of
from infrastructure.cli.figures import count
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.cli.progress import shown
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def move(deployment: Deployment, start: str, by: str | None, *, dry_run: bool) -> None:
    """Print what is published then, and move the position unless it is a ``dry_run``.

    Raises ``CommandFailed``, ``UsageError``, ``StoreUnavailable``.
    """
    bus = bus_of(deployment)
    try:
        before = await bus.standing()
    except PositionLost:
        before = None  # this sets one
    async with opened_for(deployment, EVENTS) as container:
        log, contract = container.subscriptions(), container.service().contract
        point = await _point(log, start)
        try:
            with shown() as report:
                plan = await planned(log, contract, container.payloads(), before, point, report)
        except ForwardingFailed as error:
            raise CommandFailed(str(error)) from error
        _show(plan)
        if dry_run:
            say("Nothing was changed.")
            return
        who, at = operator(by, None), before.position if before else "lost"
        async with container.operating().recorded(
            "bus replay", f"from {start}", who, f"position {at}"
        ) as under_way:
            try:
                await bus.move(plan.standing(before, who.name, datetime.now(UTC)))
            except Fenced as error:
                raise CommandFailed(f"{error}: try again") from error
            total = sum(plan.records.values())
            what = f"{total:,} records are published, {plan.again:,} of them again"
            under_way.done = Done(what, f"position {plan.position}")
    say("The position was moved: a forwarder that runs goes on from there in some seconds.")


async def _point(log: EventLog, start: str) -> Point:
    """Raises :class:`UsageError` for what is no place in this log."""
    head = await log.head()
    if start == "start":
        return lambda _: True
    if start == "end":
        return lambda recorded: recorded.position > head
    if start.isdecimal():
        if (position := int(start)) > head:
            raise UsageError(f"--from {start}: the log ends at position {head}")
        return lambda recorded: recorded.position >= position
    time = _time(start)
    return lambda recorded: recorded.recorded_at >= time


def _time(text: str) -> datetime:
    try:
        return moment(text, datetime.now(UTC), "--from")
    except ValueError as error:
        raise UsageError(f"{error}; or write a position, start, or end") from None


def _show(plan: Replay) -> None:
    for topic, records in plan.records.items():
        say(f"{topic:30} {count(records):>12} records")
    total = sum(plan.records.values())
    say(f"{count(total)} records are published then, {count(plan.again)} of them again.")
    if plan.again:
        say("They have the same ids as before: receivers have to ignore what they know.")
    if plan.skipped:
        say(f"{count(plan.skipped)} events that are not on the bus are skipped.")
