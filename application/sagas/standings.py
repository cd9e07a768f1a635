"""Every saga as an operator looks at it: where it stands, since when, and what it waits for.

Key: the saga's id. Whether one is overdue is a matter of the hour, so a view says when it is
``due``, and whoever asks compares.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final, cast

from pydantic import AwareDatetime

from application.category import split
from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from application.sagas.events import SagaEvent
from application.sagas.operating import saga_category
from application.sagas.saga import Saga, Step, nothing
from application.sagas.state import AT_WORK, SagaState, Status, evolve
from application.sagas.timeline import Entry, Kind, Outcome, extended

DETAIL: Final = ("timeline", "state")
Definitions = Mapping[tuple[str, int], Saga[Any]]
"""By name and version."""


class SagaStanding(View):
    saga_id: str
    saga: str
    definition: int  # its version
    status: Status
    open: bool  # at work, or failed
    stuck: bool  # at work, and has failed at one thing as often as should worry somebody
    step: str | None  # that it does or undoes now, or failed at
    attempts: int  # at that, all failed
    started_at: AwareDatetime
    changed_at: AwareDatetime
    due: AwareDatetime | None  # by then it moves, or no service runs it
    waits_for: str | None = None  # the event, while a step waits for one
    waits_until: AwareDatetime | None = None  # while a step waits: then it goes on, or back
    error: str | None  # of the last attempt
    reason: str | None  # why it goes back, or failed
    undone: tuple[str, ...]  # steps, in the order in which they were
    timeline: tuple[Entry, ...] = ()
    state: SagaState = SagaState()  # what is needed to go on from here


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(
    definitions: Definitions, standing: SagaStanding | None, recorded: RecordedEvent
) -> SagaStanding:
    event = cast("SagaEvent", recorded.event)  # the filter lets nothing else through
    at = recorded.metadata.occurred_at
    state = evolve(standing.state if standing else SagaState(), event)
    if state.status is None:
        raise LookupError(f"{recorded.type} of {recorded.stream}, which was never started")
    timeline = extended(standing.timeline if standing else (), event, state, at)
    saga, id = split(recorded.stream)
    doing = _doing(definitions.get((saga, state.version)), state)
    open = state.status in AT_WORK or state.status is Status.FAILED
    return SagaStanding(
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
        waits_for=_waits_for(doing, state),
        waits_until=state.deadline if state.waiting else None,
        error=timeline[-1].error if timeline and open else None,
        reason=state.reason or None,
        undone=tuple(
            entry.name
            for entry in timeline
            if entry.kind is Kind.UNDO and entry.outcome is Outcome.UNDONE
        ),
        timeline=timeline,
        state=replace(state, facts={}, done=frozenset()),
    )


def _step(state: SagaState) -> str | None:
    doing = state.failed_from if state.status is Status.FAILED else state.status
    if doing is Status.RUNNING:
        return state.under_way
    return state.to_undo[-1] if doing is Status.COMPENSATING and state.to_undo else None


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


def standings_of(sagas: Iterable[Saga[Any]]) -> Projection[SagaStanding]:
    """The read model of these sagas, each version of which is given."""
    definitions = {(saga.name, saga.version): saga for saga in sagas}
    names = dict.fromkeys(saga.name for saga in definitions.values())
    return Projection(
        name="sagas",
        version=1,
        view=SagaStanding,
        follows=tuple(map(saga_category, names)),
        keys=_keys,
        evolve=partial(_evolve, definitions),
        indexed=("saga", "status", "open", "stuck", "due", "started_at"),
        detail=DETAIL,
    )
