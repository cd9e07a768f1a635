"""A small saga that acts, waits and checks, in memory and by a clock that is set by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.sagas.actions import Action, Dispatch
from application.sagas.deadlines import Deadlines
from application.sagas.engine import SagaEngine
from application.sagas.outcomes import StepOutcome, Succeeded
from application.sagas.saga import Check, Facts, Saga, Step, Wait, within
from application.sagas.state import SagaState
from application.sagas.stream import SagaStream
from domain.decider import Command, DomainError
from infrastructure import memory
from tests.sample import transfers
from tests.sample.service import SAMPLE

NAME = "money_transfer"  # a category whose events every store here can read
DAY = timedelta(days=1)


class Ask(Command):
    """What a step asks for."""

    what: str


class Asked(Facts):
    id: str


class NotCompleted(DomainError):
    """The transfer is not completed."""


def asks(*whats: str) -> Callable[..., Sequence[Action]]:
    """What acts by these commands, or undoes by them."""
    return lambda *_: [Dispatch(what, Ask(what=what)) for what in whats]


def started_by(recorded: RecordedEvent) -> Asked | None:
    return Asked(id=recorded.stream_id)


def completed(transfer: transfers.Transfer) -> None:
    if transfer.status is not transfers.TransferStatus.COMPLETED:
        raise NotCompleted(f"it is {transfer.status}")


def is_completed(asked: Asked) -> Sequence[Check]:
    return [Check(f"transfer-{asked.id}", transfers.decider, completed)]


OPEN = Step[Asked]("open", asks("open"), asks("close"))
APPROVED = Step[Asked](
    "await approval",
    undo=asks("call back"),
    waits=Wait(within(3 * DAY), transfers.TransferApproved),
)
PAUSE = Step[Asked]("pause", waits=Wait(within(DAY)))
CHECK = Step[Asked]("check", checks=is_completed)
GO = Step[Asked]("go", asks("go"), asks("come back"))


def saga(*steps: Step[Asked], no_return: str | None = None) -> Saga[Asked]:
    """A saga about a transfer; its last step is the point of no return unless another is named."""
    return Saga(
        name=NAME,
        version=1,
        facts=Asked,
        steps=steps,
        no_return=no_return or steps[-1].name,
        started_by=started_by,
        starts=transfers.TransferRequested,
        cancels=transfers.TransferCancelled,
    )


@dataclass
class Small:
    """One transfer, and one saga about it."""

    definition: Saga[Asked]
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    performed: list[Sequence[str]] = field(default_factory=list)  # by call of the performer
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)  # of what is not to succeed
    ages: list[timedelta] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = memory.EventStore(SAMPLE.catalogue, lambda: self.now)
        self.engine = SagaEngine(
            [self.definition],
            SAMPLE.catalogue.own,
            self.store,
            self._perform,
            now=lambda: self.now,
            chance=lambda: 0.5,
            observe=lambda *heard: self.ages.append(heard[-1]),
        )
        subscriptions = memory.Subscriptions(self.store)
        self.deadlines = Deadlines(NAME, self.store, subscriptions, now=lambda: self.now)
        self._learnt = self._handled = -1

    async def _perform(self, actions: Sequence[Action], _: Context) -> StepOutcome:
        asked = [action.id for action in actions if isinstance(action, Dispatch)]
        self.performed.append(asked)
        refused = (self.outcomes[one] for one in asked if one in self.outcomes)
        return next(refused, Succeeded())

    async def dispatch(self, *commands: Command, id: str = "1") -> None:
        for command in commands:
            context = Context.start("a test", uuid4(), self.now)
            await CommandDispatch(self.store, SAMPLE.catalogue)(id, command, context)

    async def request(self) -> None:
        await self.dispatch(transfers.RequestTransfer(source="a", target="b", amount=1))

    async def approve(self) -> None:
        await self.dispatch(transfers.ApproveTransfer())

    async def run(self, days: float = 0) -> None:
        """Let so much time pass, and hand out what is new; every event is handed out twice."""
        self.now += days * DAY
        for recorded in self.store.after(self._learnt, 1000):
            self._learnt = recorded.position
            if recorded in self.deadlines.events:
                self.deadlines.learn(recorded)
        await self.deadlines.wake()
        while events := self.store.after(self._handled, 1000):
            self._handled = events[-1].position
            for recorded in [*events, *events]:
                if recorded in self.engine.events:
                    await self.engine.handle(recorded)

    def handed_out(self) -> None:
        """What there is so far is not handed out (again)."""
        self._handled = self.store.last_position

    async def state(self) -> SagaState:
        return (await SagaStream(self.store, NAME, "1").read()).state

    def history(self) -> Sequence[str]:
        """The saga's events, by type and step."""
        return [_short(event) for event in self.recorded(f"{NAME}-1")]

    def recorded(self, stream: str) -> Sequence[RecordedEvent]:
        return [of for of in self.store.after(-1, 1000) if of.stream == stream]


def _short(recorded: RecordedEvent) -> str:
    event: Any = recorded.event
    return f"{recorded.type} {getattr(event, 'step', '')}".strip()
