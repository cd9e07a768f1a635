"""What ``headwater warehouse`` records of a parcel."""

import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import ValidationError

from application.command_dispatch import CommandDispatch, Outcome
from application.messages import Context
from application.ports import ProviderUnavailable
from application.shop.warehouse import Warehouse
from domain.decider import DomainError
from domain.shipments import DeliverShipment, FailShipment
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS_AND_OUTSIDE
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_Record = Callable[[Warehouse, CommandDispatch, Context], Awaitable[Outcome]]


async def dispatch(deployment: Deployment, id: str, by: str | None) -> None:
    """As the others: raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    await _record(deployment, by, lambda house, _, context: house.send(id, context))


async def hand_over(deployment: Deployment, id: str, code: str | None, by: str | None) -> None:
    await _record(deployment, by, lambda house, _, context: house.hand_over(id, code, context))


async def delivered(deployment: Deployment, id: str, code: str | None, by: str | None) -> None:
    await _record(
        deployment,
        by,
        lambda _, ask, context: ask(id, DeliverShipment(tracking_code=code), context),
    )


async def failed(
    deployment: Deployment, id: str, reason: str, code: str | None, by: str | None
) -> None:
    await _record(
        deployment,
        by,
        lambda _, ask, context: ask(id, FailShipment(reason=reason, tracking_code=code), context),
    )


async def _record(deployment: Deployment, by: str | None, record: _Record) -> None:
    context = Context.start(by or getpass.getuser(), uuid4(), datetime.now(UTC))
    async with opened_for(deployment, EVENTS_AND_OUTSIDE) as container:
        dispatch = container.dispatch()
        warehouse = Warehouse(dispatch, container.outside().carrier)
        try:
            outcome = await record(warehouse, dispatch, context)
        except ValidationError as error:
            wrong = error.errors()[0]
            raise UsageError(f"{wrong['loc'][0]}: {wrong['msg'].lower()}") from error
        except (DomainError, ProviderUnavailable) as refused:
            raise CommandFailed(str(refused)) from refused
    what = ", ".join(type(event).__name__ for event in outcome.events)
    say(f"{outcome.stream}: {what or 'nothing to do, it was recorded before'}")
