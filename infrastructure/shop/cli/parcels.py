"""The commands that ``headwater warehouse`` dispatches, and how the shop's commands do so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import ValidationError

from application.command_dispatch import CommandDispatch, CommandOutcome
from application.messages import Context
from application.ports import EventStore, ProviderUnavailable
from application.shop.warehouse import Warehouse
from domain.decider import DomainError
from domain.shipments import DeliverShipment, FailShipment
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError, caller
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS_AND_OUTSIDE
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


@dataclass(frozen=True)
class Work:
    """What a command works with."""

    store: EventStore
    dispatch: CommandDispatch
    warehouse: Warehouse


async def dispatch(deployment: Deployment, id: str, by: str | None) -> None:
    """Like the others, raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    await record(deployment, by, lambda work, context: work.warehouse.send(id, context))


async def hand_over(deployment: Deployment, id: str, code: str | None, by: str | None) -> None:
    await record(deployment, by, lambda work, context: work.warehouse.hand_over(id, code, context))


async def delivered(deployment: Deployment, id: str, code: str | None, by: str | None) -> None:
    await record(
        deployment,
        by,
        lambda work, context: work.dispatch(id, DeliverShipment(tracking_code=code), context),
    )


async def failed(
    deployment: Deployment, id: str, reason: str, code: str | None, by: str | None
) -> None:
    await record(
        deployment,
        by,
        lambda work, context: work.dispatch(
            id, FailShipment(reason=reason, tracking_code=code), context
        ),
    )


async def record(
    deployment: Deployment,
    by: str | None,
    act: Callable[[Work, Context], Awaitable[CommandOutcome]],
) -> None:
    """Run ``act`` and print its events. Raises :class:`CommandFailed` for a refusal."""
    who = caller().actor
    context = Context.start(f"{who} as {by}" if by else who, uuid4(), datetime.now(UTC))
    async with opened_for(deployment, EVENTS_AND_OUTSIDE) as container:
        dispatch = container.dispatch()
        warehouse = Warehouse(dispatch, container.outside().carrier)
        try:
            outcome = await act(Work(container.event_store(), dispatch, warehouse), context)
        except ValidationError as error:
            wrong = error.errors()[0]
            raise UsageError(f"{wrong['loc'][0]}: {wrong['msg'].lower()}") from error
        except (DomainError, ProviderUnavailable) as refused:
            raise CommandFailed(str(refused)) from refused
    what = ", ".join(type(event).__name__ for event in outcome.events)
    say(f"{outcome.stream}: {what or 'nothing to do: it was recorded before'}")
