"""A wired service, connected: as a whole to serve, or as far as a command needs it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from application.projections.abilities import NotOffered
from application.projections.projection import Projection
from application.projections.searching import fill_again
from infrastructure.consistency import require_consistency
from infrastructure.container import PARTS, Container
from infrastructure.roles import CALLING_OUT
from infrastructure.settings import InvalidSettings


@asynccontextmanager
async def opened(container: Container, *parts: str, **options: Any) -> AsyncIterator[None]:
    """Open these parts (unless some are named: all), and close them in the end.

    The parts are ``read_side``, ``event_side`` and ``outside``. Raises ``StoreUnavailable``, and
    :class:`InvalidSettings` for what does not belong together.
    """
    async with AsyncExitStack() as stack:
        for part, open in PARTS.items():
            if part in (parts or PARTS):
                try:
                    context = getattr(container, open)(**(options if part == "outside" else {}))
                    there = await stack.enter_async_context(context)
                except NotOffered as error:  # a read model needs what its store cannot do
                    raise InvalidSettings(str(error)) from error
                getattr(container, part).override(there)
        yield


@asynccontextmanager
async def opened_to_serve(container: Container) -> AsyncIterator[None]:
    """Open what the roles of this process use, ready for work.

    The event store is prepared, the read models are registered.

    Raises as ``opened``, and :class:`InvalidSettings` for what this wiring cannot do.
    """
    require_consistency(container.settings(), container.projections)
    callers = not CALLING_OUT.isdisjoint(container.roles())
    if payloads := container.payloads():
        await payloads.check()
    async with opened(container, *(part for part in PARTS if callers or part != "outside")):
        await container.event_side().prepare()
        await container.builds().register(container.projections())
        here = [projection for projection in container.others() if projection.searched]
        await fill_again(here, container.builds(), container.read_models(), container.checkpoints())
        if log := await container.subscriptions().store_id():
            await container.payload_store().note_log(log)
        yield


async def migrate(container: Container) -> Sequence[str]:
    """Bring the tables up to date; the names of the migrations applied now.

    After that, the role of the service needs no right to make tables. Raises ``StoreUnavailable``.
    """
    async with opened(container, "read_side"):
        await container.builds().register(container.projections())
        declared: Sequence[Projection[Any]] = container.projections()
        for projection in declared:
            for standing in await container.builds().standings(projection.name):
                if standing.build.version == projection.version:
                    await container.read_models().of(projection, standing.build).prepare()
        return container.read_side().migrated
