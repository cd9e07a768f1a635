"""A wired service, connected: as a whole to serve, or as far as a command needs it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from application.projections.abilities import NotOffered
from application.projections.projection import Projection
from infrastructure.container import PARTS, Container
from infrastructure.settings import InvalidSettings


def require_consistency(container: Container) -> None:
    """Raises :class:`InvalidSettings` if this wiring cannot keep a read model inline."""
    settings = container.settings()
    setting = settings.name_of("inline_projections")
    try:
        declared: Sequence[Projection[Any]] = container.projections()
    except ValueError as error:
        raise InvalidSettings(f"{setting}: {error}") from error
    names = [projection.name for projection in declared]
    if unknown := sorted(set(settings.inline_projections) - set(names)):
        raise InvalidSettings(
            f"{setting}: there is no {', '.join(unknown)}, but {', '.join(names)}"
        )
    inline = sorted(one.name for one in declared if one.consistency == "inline")
    if inline and not settings.one_database:
        raise InvalidSettings(
            f"{setting}: {', '.join(inline)} cannot be written in the transaction of the "
            "append, since events and views are not in one PostgreSQL, and two stores share no "
            f"transaction: set {settings.name_of('event_store')}=postgres, or leave it out and "
            "send the Consistency-Token with questions that have to see a write"
        )


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
    """Open everything, ready for work: the event store prepared, the read models registered.

    Raises as ``opened``, and :class:`InvalidSettings` for what this wiring cannot do.
    """
    require_consistency(container)
    async with opened(container):
        await container.event_side().prepare()
        await container.builds().register(container.projections())
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
