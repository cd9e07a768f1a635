"""``headwater sagas retry``, ``compensate``, ``resolve``: a wish, recorded in the saga's stream."""

import getpass
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import ValidationError

from application.messages import Context
from application.sagas.operating import (
    CompensateSaga,
    ResolveSaga,
    RetrySaga,
    SagaCommand,
    UnknownSaga,
    saga_category,
)
from domain.decider import DomainError
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def retry(deployment: Deployment, id: str, by: str | None, reason: str) -> None:
    """As the others: raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    command = _wish(RetrySaga, by, reason)
    nothing = "no attempt has failed that could be made again"
    await _record(deployment, id, command, "is to try again at once", nothing)


async def compensate(deployment: Deployment, id: str, by: str | None, reason: str) -> None:
    command = _wish(CompensateSaga, by, reason)
    await _record(
        deployment,
        id,
        command,
        "is to undo all that it has done",
        "that is under way or done already",
    )


async def resolve(deployment: Deployment, id: str, by: str | None, reason: str) -> None:
    command = _wish(ResolveSaga, by, reason)
    await _record(deployment, id, command, "is closed", "it was closed before")


def unknown(id: str) -> CommandFailed:
    """What to say of a saga that there is not."""
    return CommandFailed(
        f"there is no saga {id}: it has the id of an order that was placed here (one from history "
        "needs no saga); `headwater sagas list --status all` shows them"
    )


def _wish(command: type[SagaCommand], by: str | None, reason: str) -> SagaCommand:
    if not reason.strip():
        raise UsageError("--reason: say why, for whoever asks later")
    try:
        return command(by=by or getpass.getuser(), reason=reason)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UsageError(f"--{wrong['loc'][0]}: {wrong['msg'].lower()}") from error


async def _record(
    deployment: Deployment, id: str, command: SagaCommand, done: str, nothing: str
) -> None:
    context = Context.start(command.by, uuid4(), datetime.now(UTC))
    try:
        async with opened_for(deployment, EVENTS) as container:
            (saga,) = container.service().versions
            outcome = await container.dispatch()(id, command, context, category=saga_category(saga))
    except UnknownSaga as error:
        raise unknown(id) from error
    except DomainError as refused:
        raise CommandFailed(f"saga {id}: {refused}") from refused
    if outcome.events:
        say(f"saga {id} {done} (recorded for {command.by}: {command.reason})")
    else:
        say(f"saga {id}: nothing was recorded: {nothing}")
