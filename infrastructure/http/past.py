"""Events with their metadata, and the status of a saga, as answers show them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from application.messages import Metadata, RecordedEvent
from application.sagas.state import SagaStatus
from application.sagas.timeline import TimelineEntry


class PastEvent(BaseModel):
    """One event."""

    id: str
    version: int = Field(description="its place in its stream, from 0")
    position: int = Field(description="its place among all events; with gaps")
    type: str
    recorded_at: datetime
    data: dict[str, Any]
    metadata: Metadata

    @classmethod
    def of(cls, recorded: RecordedEvent) -> "PastEvent":
        return cls(
            id=str(recorded.id),
            version=recorded.version,
            position=recorded.position,
            type=recorded.type,
            recorded_at=recorded.recorded_at,
            data=recorded.event.model_dump(mode="json"),
            metadata=recorded.metadata,
        )


async def past_events(history: AsyncIterator[RecordedEvent]) -> Sequence[PastEvent]:
    """A history as an answer shows it, in its order."""
    return [PastEvent.of(recorded) async for recorded in history]


class SagaProgress(BaseModel):
    """The status of a saga, and each of its steps. Made of a ``SagaStanding``, by attributes."""

    saga_id: str
    definition: int = Field(description="the version that it goes by")
    status: str = Field(examples=list(SagaStatus))
    stuck: bool = Field(description="what it does now has failed several times")
    step: str | None = Field(description="that it does or undoes now, or failed at")
    attempts: int = Field(description="at that, all failed")
    started_at: datetime
    changed_at: datetime
    due: datetime | None = Field(description="by then it will have moved")
    waits_for: str | None = Field(description="the event, while its step waits for one")
    waits_until: datetime | None = Field(
        description="while its step waits: then it goes on, or back"
    )
    error: str | None = Field(description="of the last attempt")
    reason: str | None = Field(description="why it goes back, or failed")
    undone: Sequence[str] = Field(description="steps, in the order in which they were")
    timeline: Sequence[TimelineEntry]
