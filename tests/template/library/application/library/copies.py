"""A read model: where every copy is. Key: the copy."""

from collections.abc import Collection

from application.library.aggregates import LOAN
from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from domain.loans import Lent
from domain.values import Id


class Copy(View):
    copy_id: Id
    reader: Id | None = None
    loans: int = 0  # so far


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(known: Copy | None, recorded: RecordedEvent) -> Copy:
    copy, event = known or Copy(copy_id=recorded.stream_id), recorded.event
    if isinstance(event, Lent):
        return Copy(copy_id=copy.copy_id, reader=event.reader, loans=copy.loans + 1)
    return Copy(copy_id=copy.copy_id, loans=copy.loans)


copies = Projection(
    name="copies", version=1, view=Copy, follows=(LOAN,), keys=_keys, evolve=_evolve
)
