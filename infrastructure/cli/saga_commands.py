"""``headwater sagas retry``, ``compensate``, ``resolve``: recorded in the saga's own stream."""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import ValidationError

from application.messages import Context
from application.sagas.lookup import NoSuchSaga, SagaName, SeveralSagas, find_saga
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
from infrastructure.cli.process import UsageError, typed
from infrastructure.container import Container
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


@dataclass(frozen=True)
class Which:
    """A saga as the user named it."""

    id: str  # or its whole name: ``order_fulfilment-536365``
    saga: str | None = None


async def retry(deployment: Deployment, which: Which, by: str | None, reason: str) -> None:
    """Like the others, raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    command = _command(RetrySaga, by, reason)
    nothing = "no attempt has failed that could be made again"
    await _record(deployment, which, command, "is to try again at once", nothing)


async def compensate(deployment: Deployment, which: Which, by: str | None, reason: str) -> None:
    command = _command(CompensateSaga, by, reason)
    done, nothing = "is to undo all that it has done", "that is under way or done already"
    await _record(deployment, which, command, done, nothing)


async def resolve(deployment: Deployment, which: Which, by: str | None, reason: str) -> None:
    command = _command(ResolveSaga, by, reason)
    await _record(deployment, which, command, "is closed", "it was closed before")


async def found(container: Container, which: Which) -> SagaName:
    """The saga of that name. Raises :class:`CommandFailed`, :class:`UsageError`."""
    try:
        sagas = container.service().versions
        return await find_saga(container.event_store(), sagas, which.id, which.saga)
    except UnknownSaga as error:
        raise CommandFailed(f"{error}: `{typed('sagas list')} --status all` shows them") from error
    except (SeveralSagas, NoSuchSaga) as error:
        raise UsageError(str(error)) from error


def _command(command: type[SagaCommand], by: str | None, reason: str) -> SagaCommand:
    if not reason.strip():
        raise UsageError("--reason is empty: give a reason, which is shown with the saga")
    try:
        return command(by=by or getpass.getuser(), reason=reason)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UsageError(f"--{wrong['loc'][0]}: {wrong['msg'].lower()}") from error


async def _record(
    deployment: Deployment, which: Which, command: SagaCommand, done: str, nothing: str
) -> None:
    context = Context.start(command.by, uuid4(), datetime.now(UTC))
    async with opened_for(deployment, EVENTS) as container:
        name = await found(container, which)
        category = saga_category(name.saga)
        try:
            outcome = await container.dispatch()(name.id, command, context, category=category)
        except DomainError as refused:
            raise CommandFailed(f"saga {name}: {refused}") from refused
    if outcome.events:
        say(f"saga {name} {done} (recorded for {command.by}: {command.reason})")
    else:
        say(f"saga {name}: nothing was recorded: {nothing}")
