"""A read model: where each some subject stands. Key: its id."""

from collections.abc import Collection
from typing import assert_never, cast

from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from application.some_service.aggregates import (
    SOME_AGGREGATE,  # for each aggregate
)
# for each aggregate
from some_module import (
    SomeAggregateEvent,  # if union
    SomeEvent,  # for each event
)
# end for


class SomeView(View):
    id: str
    version: int = -1  # of the stream: what the next command may be based on
    status: str


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(
    _: SomeView | None,
    recorded: RecordedEvent,
) -> SomeView:
    status = _status(cast("SomeEvents", recorded.event))
    id, version = recorded.stream_id, recorded.version
    return SomeView(id=id, version=version, status=status)


def _status(event: SomeEvents) -> str:
    match event:
        # for each event
        case SomeEvent():
            return "some fact"
        # end for
        case _:
            assert_never(event)


some_read_model = Projection(
    name="some_read_model",
    version=1,
    view=SomeView,
    follows=(SOME_FOLLOWED),
    keys=_keys,
    evolve=_evolve,
    indexed=("status",),
)
