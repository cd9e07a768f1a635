"""What ``headwater export`` does and prints."""

import json
import os
from pathlib import Path

from application.operating.action import Done, Refused
from application.personal.exporting import NothingToExport
from infrastructure.cli.acting import operator
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.cli.progress import shown
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def export(
    deployment: Deployment, subject: str, output: Path, reason: str, by: str | None
) -> None:
    """Raises :class:`CommandFailed` where nothing can be exported; then no file is written."""
    if not reason.strip():
        raise UsageError("--reason is empty: give a reason, which is recorded")
    with shown() as report:
        async with opened_for(deployment, EVENTS) as container:
            by_whom = operator(by, reason)
            recorded = container.operating().recorded("personal-data export", subject, by_whom)
            try:
                async with recorded as under_way:
                    try:
                        document = await container.exporting().export(subject, report=report)
                    except (NothingToExport, ValueError) as error:
                        raise Refused(str(error)) from error
                    _write(output, json.dumps(document, ensure_ascii=False, indent=2))
                    number = len(document["events"])
                    under_way.done = Done(f"{number:,} events exported")
            except Refused as refused:
                raise CommandFailed(str(refused)) from refused
    say(f"events of {subject} in {output}: {number:,}")


def _write(path: Path, text: str) -> None:
    """The whole file, or none. Its owner alone can read it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(f"{text}\n")
        os.link(beside, path)  # fails if it is there by now
    finally:
        beside.unlink(missing_ok=True)
