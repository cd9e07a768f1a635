"""A wired service, connected: as a whole to serve, or as far as a command needs it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import (
    Any,
    get_args,  # only: search
)

from application.ports import StoreUnavailable
from application.projections.abilities import (
    Ability,  # only: search
    NotOffered,
)
from application.projections.filling_elsewhere import fill_again, remove_dropped  # only: search
from application.projections.projection import Projection
from infrastructure.consistency import require_consistency
from infrastructure.container import PARTS, Container
from infrastructure.keys import require_protection
from infrastructure.roles import (
    CALLING_OUT,
    Role,  # only: temporal
)
from infrastructure.settings import (
    InvalidSettings,
    Settings,  # only: search
)
from infrastructure.settings.searching import Search  # only: search


@asynccontextmanager
async def opened(container: Container, *parts: str, **options: Any) -> AsyncIterator[None]:
    """Open these parts (unless some are named: all), and close them in the end.

    The parts are the keys of ``PARTS``; with the events come the keys of what they hold of persons.
    Raises ``StoreUnavailable``, and :class:`InvalidSettings`
    for what does not belong together.
    """
    wanted = {*parts, "key_side"} if "event_side" in parts else {*(parts or PARTS)}
    async with AsyncExitStack() as stack:
        for part, open in PARTS.items():
            if part in wanted:
                try:
                    context = getattr(container, open)(**(options if part == "outside" else {}))
                    there = await stack.enter_async_context(context)
                except NotOffered as error:  # a read model needs what its store cannot do
                    reason = str(error)
                    reason += _helps(container.settings(), error)  # only: search
                    raise InvalidSettings(reason) from error
                getattr(container, part).override(there)
        yield


# only: search
def _helps(settings: Settings, error: NotOffered) -> str:
    """The setting by which the read model comes to a store that can do it."""
    if error.ability is not Ability.SEARCH or settings.search != "database":
        return ""
    engines = [one for one in get_args(Search) if one != "database"]
    return f" ({settings.name_of('search')}={' or '.join(engines)})"


# end: search
@asynccontextmanager
async def opened_to_serve(container: Container) -> AsyncIterator[None]:
    """Open what the roles of this process use, ready for work.

    The event store is prepared, the read models are registered.

    Raises as ``opened``, and :class:`InvalidSettings` for what this wiring cannot do.
    """
    require_consistency(container.settings(), container.projections)
    container.elsewhere()  # only: temporal
    await container.bus_admission()  # only: bus
    callers = not CALLING_OUT.isdisjoint(container.roles())
    if payloads := container.payloads():
        await payloads.check()
    unused = {
        *(() if callers else ["outside"]),
        *(() if Role.SAGAS in container.roles() else ["saga_side"]),  # only: temporal
    }
    async with opened(container, *(part for part in PARTS if part not in unused)):
        await container.event_side().prepare()
        await require_protection(container.service(), container.settings(), container.key_side())
        if container.service().personal:  # also where the key table was restored
            await container.forgetting().destroy_restored()
        await container.builds().register(container.projections())
        # only: search
        here = [projection for projection in container.others() if projection.searched]
        kept = container.builds(), container.read_models(), container.checkpoints()
        await fill_again(here, *kept)
        with suppress(StoreUnavailable):  # a later start does it
            await remove_dropped(container.apart(), *kept)
        # end: search
        noted = await _noted(container)
        try:
            yield
        finally:
            if not noted:  # it was the first run, and the log was empty
                with suppress(StoreUnavailable):
                    await _noted(container)


async def _noted(container: Container) -> bool:
    """Note in the payload store which log refers to its payloads, if that is known yet."""
    if log := await container.subscriptions().store_id():
        await container.payload_store().note_log(log)
    return log is not None


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
