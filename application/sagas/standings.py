"""Every saga for operators: its status, since when, and what it waits for.

Key: the saga and its id (``money_transfer-536365``), as its stream is called. Whether one is
overdue depends on the time, so a view holds when it is ``due``, and a query compares. Its size is
bounded by the steps of its definition, and by the latest 100 entries of its timeline.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, cast

from pydantic import AwareDatetime, field_serializer

from application.category import split
from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from application.sagas.events import SagaEvent, StepUndone
from application.sagas.operating import saga_category
from application.sagas.saga import Saga, Step, nothing
from application.sagas.state import AT_WORK, SagaState, SagaStatus, evolve
from application.sagas.timeline import EntryKind, TimelineEntry, extended
from domain.speed import replace

DETAIL: Final = ("timeline", "state")
_INDEXED: Final = ("saga", "status", "open", "stuck", "due", "started_at")
Definitions = Mapping[tuple[str, int], Saga[Any]]
"""By name and version."""


class SagaStanding(View):
    saga_id: str
    saga: str
    definition: int  # its version
    status: SagaStatus
    open: bool  # at work, or failed
    stuck: bool  # at work, and its step has failed ``alert_after`` times or more
    step: str | None  # that it does or undoes now, or failed at
    attempts: int  # at that, all failed
    started_at: AwareDatetime
    changed_at: AwareDatetime
    due: AwareDatetime | None  # by then it moves, or no service runs it
    waiting: bool = False  # its step waits: it is at work, and nothing is wrong
    waits_for: str | None = None  # the event, while a step waits for one
    waits_until: AwareDatetime | None = None  # while a step waits: then it goes on, or back
    error: str | None  # of the last attempt
    reason: str | None  # why it goes back, or failed
    undone: tuple[str, ...]  # steps, in the order in which they were
    timeline: tuple[TimelineEntry, ...] = ()
    state: SagaState = SagaState()  # what is needed to go on from here

    @property
    def key(self) -> str:
        """What it is called among all sagas."""
        return saga_category(self.saga).stream(self.saga_id)


class _StandingBefore(SagaStanding):
    """As the release before this one reads and writes it."""

    @field_serializer("timeline")
    def _as_before(self, timeline: tuple[TimelineEntry, ...]) -> Sequence[Mapping[str, Any]]:
        """In an earlier release, the kind of a command was ``"wish"``."""
        documents = [entry.model_dump(mode="json") for entry in timeline]
        return [
            {**document, "kind": "wish" if entry.kind is EntryKind.COMMAND else document["kind"]}
            for entry, document in zip(timeline, documents, strict=True)
        ]


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream,)


def _keys_before(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(
    definitions: Definitions,
    view: type[SagaStanding],
    standing: SagaStanding | None,
    recorded: RecordedEvent,
) -> SagaStanding:
    event = cast("SagaEvent", recorded.event)  # the filter lets nothing else through
    at = recorded.occurred_at
    state = evolve(standing.state if standing else SagaState(), event)
    if state.status is None:
        raise LookupError(f"{recorded.type} of {recorded.stream}, which was never started")
    timeline = extended(standing.timeline if standing else (), event, state, at)
    saga, id = split(recorded.stream)
    doing = _doing(definitions.get((saga, state.version)), state)
    open = state.status in AT_WORK or state.status is SagaStatus.FAILED
    return view(
        saga_id=id,
        saga=saga,
        definition=state.version,
        status=state.status,
        open=open,
        stuck=state.status in AT_WORK and state.attempts >= doing.alert_after,
        step=_step(state),
        attempts=state.attempts,
        started_at=standing.started_at if standing else at,
        changed_at=at,
        due=_due(doing, state, at),
        waiting=state.waiting and state.status in AT_WORK,
        waits_for=_waits_for(doing, state),
        waits_until=state.deadline if state.waiting else None,
        error=timeline[-1].error if timeline and open else None,
        reason=state.reason or None,
        undone=_undone(standing.undone if standing else (), event),
        timeline=timeline,
        state=replace(state, facts={}, done=frozenset()),
    )


def _undone(before: tuple[str, ...], event: SagaEvent) -> tuple[str, ...]:
    return (*before, event.step) if isinstance(event, StepUndone) else before


def _step(state: SagaState) -> str | None:
    doing = state.failed_from if state.status is SagaStatus.FAILED else state.status
    if doing is SagaStatus.RUNNING:
        return state.under_way
    return state.to_undo[-1] if doing is SagaStatus.COMPENSATING and state.to_undo else None


def _due(doing: Step[Any], state: SagaState, at: datetime) -> datetime | None:
    """Until when it waits, when it tries again or, if it is at it, when that attempt is over."""
    if state.status not in AT_WORK:
        return None
    if state.waiting:
        return state.deadline
    return state.again_at or at + doing.timeout


def _waits_for(doing: Step[Any], state: SagaState) -> str | None:
    wait = doing.waits if state.waiting else None
    return wait.event.__name__ if wait and wait.event else None


def _doing(definition: Saga[Any] | None, state: SagaState) -> Step[Any]:
    """The step that it does or undoes now, as declared; one with our defaults if none is."""
    step = _step(state)
    return definition.step(step) if definition and step else Step("", nothing)


def standings_of(
    sagas: Iterable[Saga[Any]],
) -> tuple[Projection[SagaStanding], Projection[SagaStanding]]:
    """The read model of these sagas, each version of which is given; the newest version first.

    Version 1 answers where version 2 has not been deployed yet. It was keyed by the id alone, when
    there was one saga, and shows that one only.
    """
    definitions = {(saga.name, saga.version): saga for saga in sagas}
    names = dict.fromkeys(saga.name for saga in definitions.values())
    newest = Projection(
        name="sagas",
        version=2,  # keyed by saga and id
        view=SagaStanding,
        follows=tuple(map(saga_category, names)),
        keys=_keys,
        evolve=partial(_evolve, definitions, SagaStanding),
        indexed=(*_INDEXED, "waiting"),
        detail=DETAIL,
    )
    before: Projection[SagaStanding] = Projection(
        name=newest.name,
        version=1,
        view=_StandingBefore,
        follows=newest.follows[:1],
        keys=_keys_before,
        evolve=partial(_evolve, definitions, _StandingBefore),
        indexed=_INDEXED,
        detail=newest.detail,
    )
    return newest, before


def shown_by(version: int, sagas: Iterable[str]) -> Sequence[str]:
    """Of these sagas, those that a build of that version shows."""
    return tuple(sagas)[: None if version > 1 else 1]
