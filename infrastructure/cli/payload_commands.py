"""What ``headwater payloads`` does, and what it prints."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import typer

from application.operating.action import Done
from application.payloads import verifying
from application.payloads.sweeping import NotTheJudge, Plan, Sweep
from application.ports import StoredPayload
from infrastructure.cli.acting import operator
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import say
from infrastructure.cli.progress import shown
from infrastructure.container import Container
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


@dataclass(frozen=True)
class Spans:
    """How old a payload is that is set aside, and how long it stays so."""

    older_than: timedelta
    grace: timedelta


async def verify(deployment: Deployment, *, json: bool) -> None:
    """Exit code 1 for any fault. Raises :class:`CommandFailed`, ``StoreUnavailable``."""
    with shown() as report:
        async with opened_for(deployment, EVENTS) as container:
            log, payloads = container.subscriptions(), container.payloads()
            await payloads.check(writable=False)
            found = await verifying.verify(log, payloads, report)
    if json:
        say_data(asdict(found), items="faults", columns=("stream", "version", "what"))
    for fault in () if json else found.faults:
        say(f"{fault.stream}@{fault.version}: {fault.what}")
    if not json:
        say(
            f"events with a payload: {found.events:,}; different payloads: {found.payloads:,}; "
            f"events whose payload is missing or damaged: {len(found.faults):,}"
        )
    if found.faults:
        raise typer.Exit(1)


async def sweep(
    deployment: Deployment,
    spans: Spans,
    *,
    confirmed: str | None,
    dry_run: bool,
    json: bool,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Raises :class:`CommandFailed` if this log may not decide, and ``StoreUnavailable``."""
    with shown() as report:
        async with opened_for(deployment, EVENTS) as container:
            log, payloads = container.subscriptions(), container.payload_store()
            await payloads.check(writable=False)
            sweep = Sweep(log, container.writability(), payloads, clock, report)
            try:
                plan = await sweep.plan(
                    spans.older_than, spans.grace, confirmed=confirmed, probe=not dry_run
                )
            except NotTheJudge as error:
                raise CommandFailed(_refused(error)) from error
            if not dry_run:
                plan = await _carried_out(container, sweep, plan)
    if json:
        say_data({"dry_run": dry_run, **_document(plan)})
    else:
        _print(plan, dry_run=dry_run)


async def _carried_out(container: Container, sweep: Sweep, plan: Plan) -> Plan:
    """Recorded, unless there is nothing to do."""
    if not (plan.put_back or plan.remove or plan.set_aside):
        return await sweep.carry_out(plan)
    recorded = container.operating().recorded("payloads sweep", plan.log, operator(None, None))
    async with recorded as under_way:
        done = await sweep.carry_out(plan)
        under_way.done = Done("; ".join(_counts(done)))
        return done


def _refused(error: NotTheJudge) -> str:
    if error.log is None:
        return f"{error}: nothing was done"
    return (
        f"{error}: nothing was done. Is this the right event store? If so, and no event of another "
        f"one needs the payloads, repeat the command with --log {error.log}"
    )


def _print(plan: Plan, *, dry_run: bool) -> None:
    done = {
        "put back": ("is put back", plan.put_back),
        "remove": ("is removed", plan.remove),
        "set aside": ("is set aside", plan.set_aside),
    }
    for intended, (did, payloads) in done.items():
        what = f"to {intended}" if dry_run else did
        for one in payloads:
            say(f"{one.digest}  {one.size:,} bytes  {one.since:%Y-%m-%d %H:%M:%SZ}  {what}")
    say("; ".join(_counts(plan)))
    if dry_run:
        say("Nothing was changed: leave out --dry-run to do it.")


def _counts(plan: Plan) -> Iterator[str]:
    yield f"payloads of events: {plan.referred:,}"
    yield f"set aside: {_amount(plan.set_aside)}"
    yield f"removed: {_amount(plan.remove)}"
    yield f"put back: {_amount(plan.put_back)}"
    yield f"within the grace: {_amount(plan.waiting)}"


def _amount(payloads: Sequence[StoredPayload]) -> str:
    size = sum(one.size for one in payloads)
    return f"{len(payloads):,} ({size:,} bytes)" if payloads else "0"


def _document(plan: Plan) -> dict[str, object]:
    def listed(payloads: Sequence[StoredPayload]) -> list[dict[str, object]]:
        return [
            {"digest": one.digest, "size": one.size, "since": one.since.isoformat()}
            for one in payloads
        ]

    return {
        "log": plan.log,
        "referred": plan.referred,
        "put_back": listed(plan.put_back),
        "set_aside": listed(plan.set_aside),
        "removed": listed(plan.remove),
        "waiting": listed(plan.waiting),
    }
