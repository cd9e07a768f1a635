"""What passes between the relay, the workflow and its activities. It is JSON in histories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from application.messages import Context, NewEvent
from application.sagas.events import SagaStarted
from application.sagas.state import SagaState


class _Message(BaseModel):
    """Fields that a later release added are ignored: a workflow may outlive its worker."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# ── signals ──────────────────────────────────────────────────────────────────────────────────────


class Cancelled(_Message):
    """An event came that cancels sagas, of this type."""

    kind: Literal["cancelled"] = "cancelled"
    type: str | None  # None: the workflow was cancelled in Temporal
    by: str
    reason: str


class Arrived(_Message):
    """An event came that these steps wait for, over all versions of the saga."""

    kind: Literal["arrived"] = "arrived"
    event_id: str
    steps: Sequence[str]


class Changed(_Message):
    """Another has appended to the saga's stream: an operator, or the watch over deadlines."""

    kind: Literal["changed"] = "changed"
    version: int


News = Cancelled | Arrived | Changed

# ── workflows and activities ─────────────────────────────────────────────────────────────────────


class Begun(_Message):
    """The input of a workflow; its type is the saga's name."""

    id: str
    started: SagaStarted | None = None  # by the event below; None: its stream says where it is
    cause: str = ""
    correlation_id: str = ""
    traceparent: str | None = None
    on_behalf_of: str | None = None
    searchable: bool = False  # whether the server has the search attributes
    news: tuple[News, ...] = ()  # that came to the run before


@dataclass(frozen=True)
class Decision:
    """Events to append to a saga's stream, if it is at that version."""

    saga: str
    id: str
    expected: int
    events: Sequence[NewEvent]
    before: SagaState  # without its facts: for the metrics
    age: timedelta


@dataclass(frozen=True)
class Attempt:
    """One attempt at a step, or at undoing it."""

    saga: str
    version: int
    step: str
    does: Literal["Do", "Undo"]
    facts: Mapping[str, Any]
    reason: str
    context: Context
    patience: timedelta
