"""``headwater import FILE``, and the sample that the first ``headwater run`` imports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from application.ending import end
from application.shop import importing
from application.shop.importing import ImportStopped, Report
from infrastructure.cli.printing import Console
from infrastructure.cli.progress import bar
from infrastructure.container import Container
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import NEW_EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.processes.watching import watch_read_models
from infrastructure.program import Deployment
from infrastructure.shop.first_start import FirstStart
from infrastructure.shop.online_retail import SAMPLE, Dates, Encoding, History, NotAHistory


async def import_file(
    deployment: Deployment,
    file: Path,
    report_file: Path | None,
    *,
    encoding: str | None = None,
    dates: str | None = None,
) -> None:
    """Import it and print the report. Raises :class:`CommandFailed`, ``StoreUnavailable``.

    :class:`CommandFailed` also when no line of it could be used.
    """
    console = Console()
    history = _checked(file, report_file, encoding, dates)
    if not history.is_canonical:
        found = f"{file} is read as {history.form} (--encoding and --dates override this)"
        console.print(found, soft_wrap=True)
    async with opened_for(deployment, NEW_EVENTS) as container, _minding_others(container):
        report = await _imported(history, container, console)
    for line in report.render().split("\n"):
        console.print(line, soft_wrap=True)
    if report_file is not None:
        _write(report, report_file)
        console.print(f"The whole report is in {report_file}", soft_wrap=True)
    if not report.imported + report.matched:
        raise CommandFailed(f"no line of {file} could be used")


@asynccontextmanager
async def _minding_others(container: Container) -> AsyncIterator[None]:
    """Apply the backpressure of a running service, if there is one."""
    if not container.read_side.overridden:
        yield
        return
    watching = asyncio.create_task(watch_read_models(container), name="watch read models")
    try:
        yield
    finally:
        await end([watching])


def _checked(
    file: Path, report_file: Path | None, encoding: str | None, dates: str | None
) -> History:
    """Raises :class:`CommandFailed` for a wrong file before anything is done."""
    try:
        history = History(
            file, Encoding(encoding) if encoding else None, Dates(dates) if dates else None
        )
        if report_file is not None:
            report_file.touch()
        return history
    except NotAHistory as error:
        raise CommandFailed(str(error)) from error
    except OSError as error:
        raise CommandFailed(f"{error.filename}: {error.strerror}") from error


def _write(report: Report, file: Path) -> None:
    file.write_text(report.model_dump_json(indent=2) + "\n")


async def bring_in_sample(container: Container, home: Path, console: Console) -> None:
    """On the first start, import the bundled sample. Raises :class:`CommandFailed`."""
    first_start = FirstStart(home, container.subscriptions())
    if await first_start.is_due():
        async with first_start.remembered():
            await _imported(History(SAMPLE), container, console)


async def _imported(history: History, container: Container, console: Console) -> Report:
    with _progress(console) as report:
        try:
            return await importing.import_history(
                history, container.dispatch(), report, admitted=container.backpressure().wait
            )
        except ImportStopped as stopped:
            raise CommandFailed(str(stopped)) from stopped


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[importing.ImportProgress], None]]:
    """A progress bar of the lines of the file, on a terminal."""
    with bar(console) as line:
        task = line.add_task("reading the order history", total=None, numbers="")

        def report(progress: importing.ImportProgress) -> None:
            line.update(
                task,
                description="importing order history",
                completed=progress.settled,
                total=progress.lines,
                numbers=f"{progress.settled:,}/{progress.lines:,}",
            )

        yield report
