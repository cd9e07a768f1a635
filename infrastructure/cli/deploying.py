"""``headwater projections deploy``: a progress bar, and the comparison of both builds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from rich.text import Text

from application.operating.read_models import DeployReadModel
from application.projections.comparing import Comparison
from application.projections.deploying import (
    Comparing,
    Deployed,
    DeployRefused,
    Differs,
    Filling,
    Report,
)
from infrastructure.cli.acting import act, operator
from infrastructure.cli.printing import Console, say
from infrastructure.cli.process import typed
from infrastructure.cli.progress import bar
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import READ_MODELS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def deploy(
    deployment: Deployment, name: str, by: str | None, reason: str | None, *, accept: bool
) -> None:
    """Deploy it, and print the result. Raises :class:`CommandFailed`, and what operations raise."""
    console = Console(soft_wrap=True)
    async with opened_for(deployment, READ_MODELS) as container:
        try:
            with _progress(console) as report:
                action = DeployReadModel(name, accept, report)
                done = await act(container, action, operator(by, reason))
        except DeployRefused as refused:
            raise CommandFailed(str(refused)) from refused
        except Differs as differs:
            _show(differs.comparison, console)
            build = differs.build.table
            raise CommandFailed(
                f"{build} differs from the live build, so nothing was swapped. If the difference "
                "is intended, deploy again with --accept-differences; if not, run "
                f"`{typed('projections drop')} {build}`"
            ) from differs
    deployed = cast("Deployed", done.result)
    _show(deployed.comparison, console)
    _print_next_steps(deployed, console)


def _show(comparison: Comparison, console: Console) -> None:
    console.print(f"Compared with the live build: {comparison}.")
    for title, fields in (
        ("Fields that are new, so not compared", comparison.added),
        ("Fields that are gone, so not compared", comparison.gone),
    ):
        if fields:
            console.print(f"{title}: {', '.join(fields)}")
    for example in comparison.examples:
        console.print(f"  {example}")
    shown, differing = len(comparison.examples), comparison.differing
    if differing > shown:
        console.print(f"  … and {differing - shown:,} more")


def _print_next_steps(done: Deployed, console: Console) -> None:
    name, new, before = done.build.name, done.build.table, done.before.table
    kept = f" {before} is kept, and fed, for a rollback:"
    console.print(Text.assemble((f"{new} answers queries.", "green"), kept))
    console.print(f'  wrong after all?  {typed("projections rollback")} {name} --reason "…"')
    console.print(f"  right?            {typed('projections drop')} {before}")


@contextmanager
def _progress(console: Console) -> Iterator[Report]:
    """A progress bar of events, on a terminal; elsewhere a line for each reason to wait."""
    said = set[str | None]([None])
    with bar(console) as line:
        task = line.add_task("looking", total=None, numbers="")

        def report(step: Filling | Comparing) -> None:
            if isinstance(step, Comparing):
                line.update(task, description=f"comparing {step.build.table} with the live build")
                return
            # events are appended while it fills: the total is never below what is done
            of = None if step.count is None else max(step.count, step.events)
            if not console.is_terminal and step.trouble not in said:
                say(f"{step.build.table} waits: {step.trouble}", err=True)
                said.add(step.trouble)
            trouble = f": {step.trouble}" if step.trouble else ""
            line.update(
                task,
                description=f"filling {step.build.table}{trouble}",
                completed=step.events,
                total=of,
                numbers=f"{step.events:,} of {'?' if of is None else f'{of:,}'} events",
            )

        yield report
