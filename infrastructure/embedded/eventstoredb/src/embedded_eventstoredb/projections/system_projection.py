"""A system projection: its rule, its position, whether it runs."""

from typing import Final, Protocol

from embedded_eventstoredb.projections.definitions import Definition
from embedded_eventstoredb.projections.link_rules import Rule, rule_of
from embedded_eventstoredb.projections.linking import End, Run, Step
from embedded_eventstoredb.projections.positions import described
from embedded_eventstoredb.projections.statistics import (
    Phase,
    Report,
    Statistics,
    status,
)
from embedded_eventstoredb.storage import Transaction

_STREAMS: Final = 8_192  # streams whose ends are remembered; of others, the newest record is read


class Engine(Protocol):
    """Does the work of all system projections."""

    def wake(self) -> None:
        """Look for records to link."""
        ...

    def progress(self, position: int) -> float:
        """How much of the log is behind that position, in per cent."""
        ...

    def stored_checkpoint(self, key: str) -> int:
        """The position from which a projection continues."""
        ...

    async def pause(self, projection: "SystemProjection", *, checkpoint: bool) -> None:
        """Exclude it from further batches, after the one that is being written."""
        ...


class SystemProjection:
    """One projection, from definition to definition: each begins with ``reload``.

    It links each event once: it skips those before its checkpoint and those that a stream already
    has.
    """

    has_state = True
    can_be_deleted = False
    is_completed = False
    is_leaving = False

    def __init__(self, engine: Engine, definition: Definition) -> None:
        self.definition = definition
        self.working_time = 0.0
        self._engine = engine
        self._phase = Phase.STOPPED
        self._run_phase = Phase.STOPPED
        self._fault = ""
        self._rule: Rule
        self._position = -1
        self._checkpoint = -1
        self._handled = 0
        self._since_checkpoint = 0
        self._progress = -1.0
        self._ends: dict[str, End] = {}
        self._report = Report(self._statistics)

    @property
    def is_running(self) -> bool:
        return self._phase is Phase.RUNNING

    @property
    def position(self) -> int:
        """The position up to which the log is linked."""
        return self._position

    @property
    def checkpoint_key(self) -> str:
        return f"projection {self.definition.name} checkpoint"

    @property
    def run(self) -> Run:
        """The projection as a batch needs to know it."""
        return Run(
            self.definition,
            self._rule,
            self._position,
            self._handled,
            self._since_checkpoint,
            self._ends,
        )

    def state(self, _: str) -> tuple[str, str]:
        """A system projection has no state."""
        return "", ""

    async def halt(self, *, abort: bool = False) -> None:
        """Stop, after the batch that is being written; ``abort``: without a checkpoint."""
        await self._engine.pause(self, checkpoint=not abort)
        if self.is_running:
            self._run_phase = Phase.STOPPED
            self._phase = Phase.ABORTED if abort else Phase.STOPPED
        elif not abort:
            self._phase = Phase.STOPPED
        self._report.now()

    async def suspend(self) -> None:
        """Stop with the node or the subsystem, without a checkpoint."""
        await self._engine.pause(self, checkpoint=False)
        self._phase = self._run_phase = Phase.STOPPED
        self._report.stop()

    async def reload(self, definition: Definition) -> None:
        """Continue from the checkpoint with this definition, if it is enabled."""
        self.definition, self._fault, self._handled = definition, "", 0
        self._begin_at_checkpoint()
        self._progress = -1.0
        try:
            self._rule = rule_of(definition.name, definition.query)
        except ValueError as error:
            self.fail(str(error))
            return
        self._phase = Phase.RUNNING if definition.enabled else Phase.STOPPED
        self._run_phase = self._phase
        self._report.now()
        self._report.soon()
        self._engine.wake()

    def forget(self, transaction: Transaction) -> None:
        """Begin from the start at the next ``reload``."""
        transaction.delete_state(self.checkpoint_key)

    def take(self, step: Step) -> None:
        """Take over the outcome of a committed batch."""
        self._position = step.position
        self._handled += step.handled
        self._since_checkpoint += step.handled
        if step.checkpointed:
            self.checkpointed()
        for name, end in step.ends.items():
            self._ends.pop(name, None)
            self._ends[name] = end
        while len(self._ends) > _STREAMS:
            del self._ends[next(iter(self._ends))]
        self._advanced()
        if step.interfered:
            self._begin_at_checkpoint()
        elif step.fault:
            self.fail(step.fault)

    def checkpointed(self) -> None:
        """Record that a checkpoint was written: records before it are not linked again."""
        self._checkpoint, self._since_checkpoint = self._position, 0

    def skip_to(self, position: int) -> None:
        """Skip to that position: there is nothing to link before it."""
        self._position = max(self._position, position)
        self._advanced()

    def fail(self, reason: str) -> None:
        """Link nothing until an operator acts."""
        self._phase = self._run_phase = Phase.FAULTED
        self._fault = reason
        self._report.now()

    def statistics(self) -> Statistics:
        """As last reported, with the current status."""
        return self._report.current(
            status(self._phase, self._run_phase.value, enabled=self.definition.enabled),
            self._fault if self._phase is Phase.FAULTED else "",
        )

    def _begin_at_checkpoint(self) -> None:
        self._position = self._checkpoint = self._engine.stored_checkpoint(self.checkpoint_key)
        self._since_checkpoint = 0
        self._ends = {}

    def _advanced(self) -> None:
        self._progress = self._engine.progress(self._position)
        self._report.soon()

    def _statistics(self) -> Statistics:
        definition = self.definition
        return Statistics(
            definition.name,
            "",
            version=definition.version,
            epoch=definition.epoch,
            position=described(self._position),
            last_checkpoint=described(self._checkpoint),
            progress=self._progress,
            events_processed=self._handled,
            working_time=self.working_time,
        )
