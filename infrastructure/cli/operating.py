"""What ``headwater projections`` does to builds, and what it prints."""

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from application.projections.builds import Build, Note, Role
from infrastructure.cli.figures import age
from infrastructure.cli.printing import Console, Table, say, say_json
from infrastructure.processes.needs import READ_MODELS, VIEWS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


def note(by: str | None, reason: str | None) -> Note:
    """A note with the time now, by ``by`` or the user of this process."""
    return Note(by or getpass.getuser(), reason or "no reason given", datetime.now(UTC))


async def pause(deployment: Deployment, name: str, note: Note) -> None:
    async with opened_for(deployment, VIEWS) as container:
        _print("is paused", await container.operations().pause(name, note))


async def resume(deployment: Deployment, name: str, note: Note) -> None:
    async with opened_for(deployment, VIEWS) as container:
        _print("is resumed", await container.operations().resume(name, note))


async def retry(deployment: Deployment, name: str, note: Note) -> None:
    async with opened_for(deployment, VIEWS) as container:
        _print("tries again", await container.operations().retry(name, note))


async def skip(deployment: Deployment, name: str, event_id: UUID, note: Note) -> None:
    async with opened_for(deployment, VIEWS) as container:
        done = await container.operations().skip(name, event_id, note)
        _print(f"skips the event {event_id}", done)


async def rollback(deployment: Deployment, name: str, note: Note) -> None:
    async with opened_for(deployment, VIEWS) as container:
        build = await container.operations().rollback(name, note)
        lags = {lag.build: lag for lag in await container.lags().all()}
        _print(f"answers queries again, {age(lags[build].seconds)}", [build])


async def drop(deployment: Deployment, name: str, note: Note) -> None:
    async with opened_for(deployment, VIEWS) as container:
        _print("is deleted, with its views", [await container.operations().drop(name, note)])


async def print_actions(deployment: Deployment, name: str, *, json: bool) -> None:
    async with opened_for(deployment, VIEWS) as container:
        actions = await container.operations().actions(name)
    if json:
        documents = [
            {
                "at": action.note.at.isoformat(),
                "by": action.note.by,
                "action": action.action,
                "build": action.build.table,
                "reason": action.note.reason,
            }
            for action in actions
        ]
        say_json(documents)
        return
    if not actions:
        say(f"No actions on {name} are recorded.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("when", "by", "action", "build", "reason"):
        table.add_column(column, overflow="fold")
    for action in actions:
        when = action.note.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        table.add_row(when, action.note.by, action.action, action.build.table, action.note.reason)
    Console().print(table)


async def run(deployment: Deployment, names: Sequence[str]) -> None:
    """Fill builds in any role until cancelled."""
    async with opened_for(deployment, READ_MODELS) as container:
        for name in names:
            await container.operations().newest(name)
        declared = [of for of in container.projections() if of.name in names]
        await container.builds().register(declared)
        host = container.host(projections=declared, roles=tuple(Role))
        say(f"Filling {', '.join(names)} as {host.holder}. Ctrl-C stops it.")
        await host.run()


def _print(what: str, builds: Sequence[Build]) -> None:
    for build in builds:
        say(f"{build.table} {what}")
