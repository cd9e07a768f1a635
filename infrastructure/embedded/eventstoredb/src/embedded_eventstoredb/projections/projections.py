"""All projections of a node, system and user-defined: created, updated, queried, deleted."""

import asyncio
from dataclasses import replace
from typing import Final

import grpc

from embedded_eventstoredb.errors import Refusal
from embedded_eventstoredb.projections.definitions import (
    Definition,
    create_registry,
    forget_transient,
    register,
    registered,
    save,
    unregister,
)
from embedded_eventstoredb.projections.effects import delete_emitted
from embedded_eventstoredb.projections.script import (
    JAVASCRIPT_MISSING,
    engine_is_installed,
)
from embedded_eventstoredb.projections.standard import STANDARD
from embedded_eventstoredb.projections.system_projection import SystemProjection
from embedded_eventstoredb.projections.system_projections import SystemProjections
from embedded_eventstoredb.projections.user_projection import UserProjection
from embedded_eventstoredb.storage import Storage, Transaction

Projection = SystemProjection | UserProjection

_LEAVING: Final = 0.015  # seconds
_RESTARTING: Final = 0.1  # seconds; about as long as it takes the server


class Projections:
    """To be started, used and stopped on the event loop's thread. Management is one at a time.

    Refusals are the server's: each names the message that the server's manager answers with.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._engine = SystemProjections(storage)
        self._projections: dict[str, Projection] = {}
        self._management = asyncio.Lock()
        self._starting: asyncio.Task[None] | None = None
        self._restarting = False

    async def start(self, *, standard: bool = True) -> None:
        """Start from the checkpoints; ``standard`` enables the system projections, as each server
        start does.
        """
        await self._storage.write(lambda t: _prepare(t, standard))
        users = []
        for definition in registered(self._storage):
            if definition.is_system:
                self._projections[definition.name] = await self._engine.add(definition)
            else:
                users.append(UserProjection(self._storage, definition))
                self._projections[definition.name] = users[-1]
        self._engine.start()
        await self._management.acquire()
        self._starting = asyncio.create_task(self._start_all(users))

    async def stop(self) -> None:
        """Stop all work; what is not committed is done after the next start."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await asyncio.gather(*(projection.suspend() for projection in self._projections.values()))
        await self._engine.stop()

    def all(self) -> list[Projection]:
        """In the order of their creation."""
        return [found for found in self._projections.values() if not found.is_leaving]

    def find(self, name: str) -> Projection:
        try:
            return self._projections[name]
        except KeyError:
            text = f"Projection '{name}' not found"
            raise Refusal(grpc.StatusCode.NOT_FOUND, text) from None

    def _managed(self, name: str) -> Projection:
        """A projection that can be changed. Raises a Refusal if it is missing or being deleted."""
        projection = self.find(name)
        if projection.is_leaving:
            raise _received("OperationFailed")
        return projection

    async def create(self, definition: Definition) -> None:
        """Store it and run it.

        A query that cannot be compiled is not refused: the projection is Faulted.
        """
        async with self._management:
            if not definition.name:
                raise _received("OperationFailed")
            if definition.name in self._projections:
                raise _received("Conflict")
            _require_engine()
            definition = await self._storage.write(lambda t: register(t, definition))
            projection = UserProjection(self._storage, definition)
            self._projections[definition.name] = projection
            await projection.reload(definition)

    async def update(self, name: str, query: str, emit_enabled: bool | None) -> None:
        """Continue with another query from the same position. ``emit_enabled`` None: unchanged."""
        async with self._management:
            projection = self._managed(name)
            definition = projection.definition
            if not definition.is_system:
                _require_engine()
            if emit_enabled is None:
                emit_enabled = definition.emit_enabled
            changed = replace(definition, query=query, emit_enabled=emit_enabled)
            await self._reload(projection, changed, anew=projection.is_completed)

    async def enable(self, name: str) -> None:
        """Run it, if it does not run; a faulted projection tries again."""
        async with self._management:
            projection = self._managed(name)
            if not (projection.is_running and projection.definition.enabled):
                await self._reload(projection, replace(projection.definition, enabled=True))

    async def disable(self, name: str, *, abort: bool = False) -> None:
        """Stop it, also for later starts of the node."""
        async with self._management:
            projection = self._managed(name)
            await projection.halt(abort=abort)
            stopped = replace(projection.definition, enabled=False)
            projection.definition = await self._storage.write(lambda t: save(t, stopped))

    async def reset(self, name: str) -> None:
        """Restart it from the beginning: what it wrote is truncated when it writes to that stream
        again.
        """
        async with self._management:
            projection = self._managed(name)
            await self._reload(projection, projection.definition, anew=True)

    async def delete(self, name: str, *, emitted_streams: bool = False) -> None:
        """Only a stopped or faulted projection that is not a system projection can be deleted."""
        async with self._management:
            projection = self._managed(name)
            if not projection.can_be_deleted:
                raise _received("OperationFailed")
            await projection.halt()
            definition = projection.definition

            def delete(transaction: Transaction) -> None:
                if emitted_streams and definition.emit_enabled:
                    delete_emitted(transaction, definition)
                projection.forget(transaction)
                unregister(transaction, definition)

            await self._storage.write(delete)
            self._leave(projection)

    def _leave(self, projection: Projection) -> None:
        """Its name is free 15 ms after its deletion was answered."""
        assert isinstance(projection, UserProjection)  # the server's own cannot be deleted
        projection.leave()
        loop = asyncio.get_running_loop()
        loop.call_later(_LEAVING, self._projections.pop, projection.definition.name, None)

    async def restart(self) -> None:
        """Begin to stop and start all enabled projections; faulted ones try again.

        Raises a Refusal while they stop. Management calls wait until then.
        """
        if self._restarting:
            raise _cannot_restart("Restarting")
        self._restarting = True
        self._starting = asyncio.create_task(self._restart_all())

    async def _reload(
        self, projection: Projection, definition: Definition, *, anew: bool = False
    ) -> None:
        await projection.halt()

        def write(transaction: Transaction) -> Definition:
            if anew:
                projection.forget(transaction)
            return save(transaction, definition, anew=anew)

        await projection.reload(await self._storage.write(write))

    async def _start_all(self, users: list[UserProjection]) -> None:
        """Runs under the lock that ``start`` took: management waits until all have begun."""
        try:
            await asyncio.gather(*(user.reload(user.definition) for user in users))
        finally:
            self._management.release()

    async def _restart_all(self) -> None:
        async with self._management:
            projections = self.all()
            await asyncio.gather(*(projection.suspend() for projection in projections))
            await asyncio.sleep(_RESTARTING)
            self._restarting = False
            kept = {p.definition.name: p for p in projections if p.definition.is_kept}
            self._projections = kept
            await asyncio.gather(*(found.reload(found.definition) for found in kept.values()))


def _prepare(transaction: Transaction, standard: bool) -> None:
    """Before each start: create the registry if missing, and enable the system projections if
    wanted.
    """
    create_registry(transaction, STANDARD)
    forget_transient(transaction)
    for definition in registered(transaction):
        if standard and definition.is_system and not definition.enabled:
            save(transaction, replace(definition, enabled=True))


def _cannot_restart(state: str) -> Refusal:
    text = f"Projection Subsystem cannot be restarted as it is in the wrong state: {state}"
    return Refusal(grpc.StatusCode.FAILED_PRECONDITION, text)


def _received(message: str) -> Refusal:
    text = f"Envelope callback expected Updated, received {message} instead"
    return Refusal(grpc.StatusCode.UNKNOWN, text)


def _require_engine() -> None:
    if not engine_is_installed():
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, JAVASCRIPT_MISSING)
