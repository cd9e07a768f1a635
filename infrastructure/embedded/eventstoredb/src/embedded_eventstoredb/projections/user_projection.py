"""A user-defined projection, from definition to definition."""

from embedded_eventstoredb.projections.definitions import Definition, Faulted
from embedded_eventstoredb.projections.effects import forget, stored_state
from embedded_eventstoredb.projections.positions import described
from embedded_eventstoredb.projections.running_query import RunningQuery
from embedded_eventstoredb.projections.statistics import (
    Phase,
    Report,
    Statistics,
    status,
)
from embedded_eventstoredb.storage import Storage, Transaction


class UserProjection:
    """One projection, from definition to definition: each begins with ``reload``."""

    def __init__(self, storage: Storage, definition: Definition) -> None:
        self.definition = definition
        self._storage = storage
        self._phase = Phase.STOPPED
        self._fault = ""
        self._run: RunningQuery | None = None
        self._report = Report(self._statistics)

    @property
    def is_running(self) -> bool:
        return self._phase is Phase.RUNNING

    @property
    def is_completed(self) -> bool:
        """Whether it is a query that has read everything."""
        return self._phase is Phase.COMPLETED

    @property
    def is_leaving(self) -> bool:
        """Whether it is deleted, but its name is not free yet."""
        return self._phase is Phase.DELETING

    @property
    def can_be_deleted(self) -> bool:
        at_rest = self._phase in (Phase.STOPPED, Phase.FAULTED)
        return at_rest or not (self.definition.is_kept or self.is_leaving)

    @property
    def has_state(self) -> bool:
        """False if its query could not be compiled: then its state cannot be read."""
        return self._run is not None or self._phase is not Phase.FAULTED

    def state(self, partition: str) -> tuple[str, str]:
        """State and result of a partition, as JSON texts; empty texts if there is none."""
        if self._run is not None:
            state, result = self._run.state(partition)
        else:
            state, result = stored_state(self._storage, self.definition, partition)
        return state or "", result or ""

    async def halt(self, *, abort: bool = False) -> None:
        """Stop running, after the batch that is being written."""
        if self._run is not None:
            await self._run.stop()
        if not abort:
            self._phase = Phase.STOPPED
        elif self.is_running:
            self._phase = Phase.ABORTED
        self._report.now()

    async def suspend(self) -> None:
        """Stop with the node or the subsystem."""
        await self.halt()
        self._report.stop()

    async def reload(self, definition: Definition) -> None:
        """Compile the query, and run it if it is enabled.

        A query that cannot be compiled is Faulted.
        """
        self.definition, self._run, self._fault = definition, None, ""
        self._phase = Phase.STOPPED
        if definition.ends:
            await self._storage.write_in_time(self.forget)
        try:
            self._run = await RunningQuery.prepared(self._storage, definition)
        except Faulted as fault:
            self.failed(str(fault))
            return
        if definition.enabled:
            self._phase = Phase.RUNNING
            self._run.start(self)
        else:
            await self._run.stop()
        self._report.now()
        self._report.soon()

    def leave(self) -> None:
        """Mark it as deleted; its name will be free."""
        self._phase = Phase.DELETING

    def forget(self, transaction: Transaction) -> None:
        """Begin from the start at the next ``reload``."""
        forget(transaction, self.definition)

    def statistics(self) -> Statistics:
        """As last reported, with the current status."""
        reason = self._fault if self._phase is Phase.FAULTED else ""
        enabled = self.definition.enabled
        word = self._phase.value
        if self._run is not None:
            over = "/Writing results" if self._run.is_over else ""
            word = status(self._phase, f"{self._run.phase.value}{over}", enabled=enabled)
        return self._report.current(word, reason)

    def worked(self) -> None:
        self._report.soon()

    def completed(self) -> None:
        self._phase = Phase.COMPLETED
        self._report.now()

    def failed(self, reason: str) -> None:
        self._phase, self._fault = Phase.FAULTED, reason
        self._report.now()

    def _statistics(self) -> Statistics:
        run, definition = self._run, self.definition
        if run is None:
            return Statistics(definition.name, "", mode=definition.mode)
        return Statistics(
            definition.name,
            "",
            mode=definition.mode,
            version=definition.version,
            epoch=definition.epoch,
            position=described(run.position),
            last_checkpoint=described(run.checkpoint),
            progress=run.progress,
            events_processed=run.processed,
            partitions_cached=1,
            working_time=run.working_time,
        )
