"""What routes may use of their service."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from application.backpressure import Backpressure
from application.command_dispatch import CommandDispatch
from application.consistency import Consistency
from application.ports import EventStore
from application.projections.lag import Lags
from infrastructure.exposition import Exposition
from infrastructure.health import Health
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


def served(request: Request) -> Served:
    """The service that this request is for."""
    found: Served = request.app.state.served()
    return found


async def _served(request: Request) -> Served:
    return served(request)  # FastAPI would call a plain function in a thread


Serving = Annotated[Served, Depends(_served)]
