"""What ``headwater forget`` does and prints."""

import sys
from collections.abc import Collection

import typer

from application.operating.action import Done, Preview
from application.operating.forgetting import ForgetSubject
from application.personal.forgetting import Known
from application.personal.traces import NotSearched, Searched, Trace
from application.whole_log import Report
from infrastructure.cli.acting import act, operator, previewed
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError, typed
from infrastructure.cli.progress import shown
from infrastructure.container import Container
from infrastructure.processes.needs import EVERY_PLACE, READ_MODELS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_SHORTEST = 3  # characters of a text that is searched for


async def show(deployment: Deployment, subject: str) -> None:
    """Print what forgetting would do."""
    with shown() as report:
        async with opened_for(deployment, READ_MODELS) as container:
            _say(await previewed(container, ForgetSubject(subject, report)))
    say("Nothing was changed: leave out --dry-run to do it.")


async def forget(
    deployment: Deployment, subject: str, reason: str, by: str | None, *, confirmed: bool
) -> None:
    """Exit code 1 when something can still be read, or a place could not be searched."""
    if not reason.strip():
        raise UsageError("--reason is missing: give a reason, which is recorded")
    if not confirmed and not sys.stdin.isatty():
        raise UsageError(
            "this cannot be undone, and nobody can be asked here: look at what it "
            "does with --dry-run, then repeat it with --yes"
        )
    async with opened_for(deployment, EVERY_PLACE) as container:
        with shown() as report:
            _say(await previewed(container, ForgetSubject(subject, report)))
        if not confirmed:
            typer.confirm("Forget it for good?", abort=True)
        with shown() as report:
            done = await act(container, ForgetSubject(subject, report), operator(by, reason))
            say(f"{done.what}.")
            known = done.result
            texts = known.texts if isinstance(known, Known) else ()
            await _search(container, subject, texts, report)


async def verify(deployment: Deployment, subject: str, texts: Collection[str]) -> None:
    """Exit code 1 when something can be read, or a place could not be searched."""
    if short := [text for text in texts if len(text.strip()) < _SHORTEST]:
        raise UsageError(f"--text {short[0]!r} is too short: give {_SHORTEST} characters or more")
    with shown() as report:
        async with opened_for(deployment, EVERY_PLACE) as container:
            await _search(container, subject, texts, report)


async def again(deployment: Deployment, reason: str, by: str | None) -> None:
    """Put right what a backup has brought back."""
    if not reason.strip():
        raise UsageError("--reason is missing: give a reason, which is recorded")
    who = operator(by, reason)
    async with opened_for(deployment, READ_MODELS) as container:
        recorded = container.operating().recorded("personal-data forget again", "all", who)
        async with recorded as under_way:
            keys, records = await container.forgetting().again(who.name)
            what = f"keys destroyed again: {len(keys):,}; recorded again: {len(records):,}"
            under_way.done = Done(what)
    say(f"{what}.")
    for subject in keys:
        say(f"  {subject}: `{typed(f'forget {subject}')}` rebuilds the views that had its data")


def _say(preview: Preview) -> None:
    say(preview.does)
    say(f"events with personal data of it: {preview.number:,} ({preview.before})")
    for stream in preview.examples:
        say(f"  {stream}")
    for warning in preview.warnings:
        say(warning)


async def _search(
    container: Container, subject: str, texts: Collection[str], report: Report
) -> None:
    found = missed = 0
    async for one in container.traces().of(subject, texts, report):
        match one:
            case Trace():
                say(f"{one.place} {one.what}")
                found += 1
            case Searched():
                say(f"searched: {one.place}: {one.number:,} {one.unit}")
                for beyond in one.beyond:
                    say(f"  cannot be searched: {beyond}")
            case NotSearched():
                hint = ": give --text" if one.left_out else ""
                say(f"not searched: {one.place}: {one.reason}{hint}")
                missed += not one.left_out
    say(f"readable traces: {found:,} (texts searched for: {len(texts):,})")
    if missed:
        say(f"places that could not be searched: {missed}. Run it again when they can be: --verify")
    if found or missed:
        raise typer.Exit(1)
