"""What ``headwater projections`` does to builds, and what it prints."""

from collections.abc import Sequence
from datetime import UTC
from typing import Final
from uuid import UUID

from application.operating.read_models import OnReadModel
from application.projections.builds import Role
from application.projections.operating import What
from infrastructure.cli import acting
from infrastructure.cli.figures import age
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import say
from infrastructure.cli.table import Column, print_table, say_text
from infrastructure.processes.needs import READ_MODELS, VIEWS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def act(
    deployment: Deployment,
    what: What,
    name: str,
    by: str | None,
    reason: str | None,
    event_id: UUID | None = None,
) -> None:
    """Do that to a read model, and print what was done. Raises what operations raise."""
    async with opened_for(deployment, READ_MODELS) as container:
        action = OnReadModel(what, name, event_id)
        say((await acting.act(container, action, acting.operator(by, reason))).what)
        if what is What.ROLLBACK:
            for lag in await container.lags().all():
                if lag.build.name == name and lag.answers:
                    say(f"{lag.build.table} is {age(lag.seconds)}")


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
        say_data(documents, columns=("at", "by", "action", "build", "reason"))
        return
    if not actions:
        say_text(f"No actions on {name} are recorded.")
        return
    rows = [
        (
            action.note.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
            action.note.by,
            action.action,
            action.build.table,
            action.note.reason,
        )
        for action in actions
    ]
    print_table(_COLUMNS, rows)
    say()
    say_text(f"actions: {len(rows):,}")


_COLUMNS: Final = (
    Column("when"),
    Column("by", text=True),
    *map(Column, ("action", "build")),
    Column("reason", text=True),
)


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
