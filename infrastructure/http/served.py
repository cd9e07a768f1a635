"""What routes may use of their service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from application.backpressure import Backpressure
from application.browsing.places import Looking
from application.command_dispatch import CommandDispatch
from application.consistency import Consistency
from application.operating.carrying_out import Operating
from application.parking_stream import ParkingStream
from application.ports import (
    Builds,
    Bus,  # only: bus
    ConsumerGroups,
    EventBrowser,
    EventStore,
    PayloadStore,
    ReadModels,
    StoreFacts,
)
from application.projections.lag import Lags
from application.projections.operating import Operations
from infrastructure.exposition import Exposition
from infrastructure.health import Health
from infrastructure.identity.callers import Callers
from infrastructure.program import Program
from infrastructure.settings import Settings


@dataclass(frozen=True)
class Served:
    """One service, opened, for its routes."""

    program: Program[Any]
    settings: Settings
    dispatch: CommandDispatch
    event_store: EventStore
    consistency: Consistency
    backpressure: Backpressure
    lags: Lags
    health: Health
    exposition: Exposition
    outside: Any
    """The service's own ports."""
    callers: Callers
    operating: Operating
    operations: Operations
    builds: Builds
    read_models: ReadModels
    facts: StoreFacts
    groups: ConsumerGroups
    browser: EventBrowser
    looking: Looking
    payloads: PayloadStore | None
    parking: Callable[[str], ParkingStream]
    """Of the consumer group that is named."""
    bus: Callable[[], Bus | None]  # only: bus


def served(request: Request) -> Served:
    """The service that this request is for."""
    found: Served = request.app.state.served()
    return found


async def _served(request: Request) -> Served:
    return served(request)  # FastAPI would call a plain function in a thread


Serving = Annotated[Served, Depends(_served)]
