"""What events make of views: blind to duplicates, and pure but for loading what is there."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from application.messages import RecordedEvent
from application.ports import Changed, Promise, Removed, Seen, V
from application.projections.builds import WHOLE, Shard
from application.projections.gathering import Step, gather, moves_by_view, part_changes
from application.projections.projection import Keys, Projection

AT_A_TIME: Final = 50
"""Steps, or views, between two turns of others: some milliseconds. A batch of 1,000 events takes up
to a quarter of a second, in which no answer is given, and no statement sent that is half sent."""

T = TypeVar("T")
Evolve = Callable[[Any, RecordedEvent], Any]


def fold(
    projection: Projection[V],
    events: Iterable[RecordedEvent],
    seen: Changed[V],
    shard: Shard = WHOLE,
) -> Changed[V]:
    """What these events make of the views they go to, where they shape them themselves."""
    return _changed(_steps(projection, events, seen, shard), seen)


def _steps(
    projection: Projection[V],
    events: Iterable[RecordedEvent],
    seen: Changed[V],
    shard: Shard,
) -> Iterator[Step]:
    assert projection.keys  # of one without parts
    assert projection.evolve
    return taken_in(projection.keys, projection.evolve, events, seen, shard)


def _changed(steps: Iterable[Step], seen: Changed[V]) -> Changed[V]:
    """By key what it is after its last step, with the view that is stored."""
    changed = {key: after for key, _, after in steps}
    return {
        key: Seen(after.view, after.position, stored.view)
        if isinstance(after, Seen) and isinstance(stored := seen.get(key), Seen)
        else after
        for key, after in changed.items()
    }


class Known(Protocol[V]):
    """Where views and parts are loaded from: a part of ``WritableViews``."""

    @property
    def promise(self) -> Promise: ...

    async def load(self, keys: Collection[str]) -> Changed[V]: ...

    async def load_parts(self, keys: Collection[str]) -> Changed[Any]: ...


async def projected(
    projection: Projection[V],
    events: Sequence[RecordedEvent],
    views: Known[V],
    shard: Shard = WHOLE,
) -> tuple[Changed[V], Changed[Any]]:
    """What these events, whole ones, make of the views and of the parts that there are.

    Raises what ``evolve`` raises, and ``StoreUnavailable``.
    """
    parts = projection.parts
    if parts is None:
        assert projection.keys  # of one without parts
        seen = await views.load(_keys(projection.keys, events, shard))
        taken = await _in_portions(_steps(projection, events, seen, shard))
        return _changed(taken, seen), {}
    known = await views.load_parts(_keys(parts.keys, events, shard))  # before the views: gathering
    steps = taken_in(parts.keys, parts.evolve, events, known, WHOLE)
    merged = views.promise is Promise.TOGETHER
    changes = part_changes(await _in_portions(steps), merged=merged)
    moves = moves_by_view(parts, changes)
    gathered = gather(parts, moves, await views.load(moves.keys()))
    made = dict(await _in_portions(gathered))
    return made, {change.key: change.after for change in changes}


async def _in_portions(work: Iterator[T]) -> Sequence[T]:
    """All of it. Others have their turn meanwhile: answers, and what sends the batch before."""
    done: list[T] = []
    while some := list(islice(work, AT_A_TIME)):
        done += some
        if len(some) == AT_A_TIME:
            await asyncio.sleep(0)
    return done


def _keys(keys: Keys, events: Iterable[RecordedEvent], shard: Shard) -> Collection[str]:
    return {key for recorded in events for key in keys(recorded) if shard.holds(key)}


def taken_in(
    keys: Keys,
    evolve: Evolve,
    events: Iterable[RecordedEvent],
    seen: Changed[Any],
    shard: Shard = WHOLE,
) -> Iterator[Step]:
    """Each event that changes something, once: what has seen it already is left as it is."""
    now: dict[str, Seen[Any] | Removed] = {}
    for recorded in events:
        position = recorded.position
        for key in keys(recorded):
            if not shard.holds(key):
                continue
            known = now[key] if key in now else seen.get(key)
            if known is not None and position <= known.position:
                continue  # it has seen this event
            before = known.view if isinstance(known, Seen) else None
            after = evolve(before, recorded)
            if before is after:
                continue  # it was not about this one; so repeating it changes nothing, either
            now[key] = Removed(position) if after is None else Seen(after, position)
            yield key, before, now[key]
