"""A projection of a user's: its life, from definition to definition."""

from infrastructure.embedded.eventstoredb.projections.definitions import Definition, Faulted
from infrastructure.embedded.eventstoredb.projections.effects import forget, stored_state
from infrastructure.embedded.eventstoredb.projections.positions import described
from infrastructure.embedded.eventstoredb.projections.running_query import RunningQuery
from infrastructure.embedded.eventstoredb.projections.statistics import Phase, Statistics
from infrastructure.embedded.eventstoredb.storage import Storage, Transaction


class UserProjection:
    """One projection, from definition to definition: each begins with ``reload``."""

    def __init__(self, storage: Storage, definition: Definition) -> None:
        self.definition = definition
        self._storage = storage
        self._phase = Phase.STOPPED
        self._fault = ""
        self._run: RunningQuery | None = None

    @property
    def is_running(self) -> bool:
        return self._phase is Phase.RUNNING

    @property
    def can_be_deleted(self) -> bool:
        return self._phase in (Phase.STOPPED, Phase.FAULTED)

    @property
    def has_state(self) -> bool:
        """False once its query could not be understood: then it cannot be asked for its state."""
        return self._run is not None or self._phase is not Phase.FAULTED

    @property
    def status(self) -> str:
        """Two words where the query and its management differ, as on the server."""
        if self._run is None:
            return self._phase.value
        word = self._run.phase.value
        if word != self._phase.value:
            word = f"{self._phase.value}/{word}"
        at_rest = self._phase in (Phase.STOPPED, Phase.FAULTED)
        return f"{word} (Enabled)" if at_rest and self.definition.enabled else word

    def state(self, partition: str) -> tuple[str, str]:
        """State and result of a partition, as JSON texts; empty where there is none."""
        state, result = stored_state(self._storage, self.definition, partition)
        return state or "", result or ""

    async def halt(self, *, abort: bool = False) -> None:
        """Stop running, after the batch that is being written."""
        if self._run is not None:
            await self._run.stop()
        if not abort:
            self._phase = Phase.STOPPED
        elif self._phase is Phase.RUNNING:
            self._phase = Phase.ABORTED

    async def suspend(self) -> None:
        """Stop with the node or the subsystem."""
        await self.halt()

    async def reload(self, definition: Definition) -> None:
        """Understand the query, and run it if it is enabled. What is wrong with it is its fault."""
        self.definition, self._run, self._fault = definition, None, ""
        self._phase = Phase.STOPPED
        try:
            self._run = await RunningQuery.prepared(self._storage, definition)
        except Faulted as fault:
            self._phase, self._fault = Phase.FAULTED, str(fault)
            return
        if definition.enabled:
            self._phase = Phase.RUNNING
            self._run.start(self._end)
        else:
            self._phase = Phase.STOPPED
            await self._run.stop()

    def forget(self, transaction: Transaction) -> None:
        """Begin anew at the next ``reload``."""
        forget(transaction, self.definition)

    def statistics(self) -> Statistics:
        run, definition = self._run, self.definition
        reason = self._fault if self._phase is Phase.FAULTED else ""
        if run is None:
            return Statistics(definition.name, self.status, reason)
        return Statistics(
            definition.name,
            self.status,
            reason,
            version=definition.version,
            epoch=definition.epoch,
            position=described(run.position),
            last_checkpoint=described(run.checkpoint),
            progress=run.source.progress(self._storage, run.position),
            events_processed=run.processed,
            partitions_cached=1,
            working_time=run.working_time,
        )

    def _end(self, fault: str) -> None:
        self._phase, self._fault = Phase.FAULTED, fault
