"""What the actions of operators work with, each built when it is used."""

from collections.abc import (
    Awaitable,
    Callable,
)
from typing import Any

from application.command_dispatch import CommandDispatch
from application.operating.action import Tools
from application.parking_stream import ParkingStream, groups_that_parked
from application.personal.forgetting import Forgetting
from application.ports import (
    EventStore,
    NotOurs,  # only: search
    StoreUnavailable,  # only: search
    Subscriptions,
)
from application.projections.builds import Role
from application.projections.deploying import Deploy
from application.projections.hosting import ProjectionHost
from application.projections.operating import Operations
from application.service import Service


def operator_tools(
    service: Service[Any],
    operations: Callable[[], Operations],
    host: Callable[..., ProjectionHost],
    deploy: Callable[..., Deploy],
    follow: Callable[[], Awaitable[None]],  # only: search
    subscriptions: Callable[[], Subscriptions],
    parking: Callable[[str], ParkingStream],
    store: Callable[[], EventStore],
    dispatch: Callable[[], CommandDispatch],
    forgetting: Callable[[Callable[[str], Awaitable[Deploy]]], Forgetting],
) -> Tools:
    """Those of one service."""

    async def deploying(name: str) -> Deploy:
        newest = await operations().newest(name)
        return deploy(newest, host(projections=[newest], roles=(Role.BUILDING,)))

    # only: search
    async def following() -> str:
        try:
            await follow()
        except (NotOurs, StoreUnavailable) as error:
            return f"Other programs that search do not find it yet: {error}"
        return ""

    # end: search
    return Tools(
        read_models=operations,
        deploy=deploying,
        follow=following,  # only: search
        parking=parking,
        groups=lambda: groups_that_parked(subscriptions()),
        store=store,
        dispatch=dispatch,
        sagas=tuple(service.versions),
        forgetting=lambda: forgetting(deploying),
    )
