"""``headwater sagas retry``, ``compensate``, ``resolve``: recorded in the saga's own stream."""

from dataclasses import dataclass

from application.operating.sagas import DONE, OnSaga, SagaAction
from application.sagas.lookup import NoSuchSaga, SagaName, SeveralSagas, find_saga
from application.sagas.operating import UnknownSaga
from infrastructure.cli.acting import act, operator
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

    id: str  # or its whole name: ``money_transfer-536365``
    saga: str | None = None


async def retry(deployment: Deployment, which: Which, by: str | None, reason: str) -> None:
    """Like the others, raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    await _act(deployment, which, SagaAction.RETRY, by, reason)


async def compensate(deployment: Deployment, which: Which, by: str | None, reason: str) -> None:
    await _act(deployment, which, SagaAction.COMPENSATE, by, reason)


async def resolve(deployment: Deployment, which: Which, by: str | None, reason: str) -> None:
    await _act(deployment, which, SagaAction.RESOLVE, by, reason)


async def found(container: Container, which: Which) -> SagaName:
    """The saga of that name. Raises :class:`CommandFailed`, :class:`UsageError`."""
    try:
        sagas = container.service().versions
        return await find_saga(container.event_store(), sagas, which.id, which.saga)
    except UnknownSaga as error:
        raise CommandFailed(f"{error}: `{typed('sagas list')} --status all` shows them") from error
    except (SeveralSagas, NoSuchSaga) as error:
        raise UsageError(str(error)) from error


async def _act(
    deployment: Deployment, which: Which, what: SagaAction, by: str | None, reason: str
) -> None:
    if not reason.strip():
        raise UsageError("--reason is empty: give a reason, which is shown with the saga")
    who = operator(by, reason)
    async with opened_for(deployment, EVENTS) as container:
        done = await act(container, OnSaga(what, await found(container, which)), who)
    recorded = f" (recorded for {who.name}: {who.reason})" if DONE[what] in done.what else ""
    say(f"{done.what}{recorded}")
