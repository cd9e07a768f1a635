"""What events make of views: blind to duplicates, and pure but for loading what is there."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from application.messages import RecordedEvent
from application.ports import Seen, V
from application.projections.builds import WHOLE, Shard
from application.projections.projection import Keys, Parts, Projection

Changed = Mapping[str, Seen[V] | None]
"""Views by key as they are now; ``None`` is one to be removed."""


def fold(
    projection: Projection[V],
    events: Iterable[RecordedEvent],
    seen: Mapping[str, Seen[V]],
    shard: Shard = WHOLE,
) -> Changed[V]:
    """What these events make of the views they go to, where they shape them themselves."""
    assert projection.keys  # of one without parts
    assert projection.evolve
    steps = _steps(projection.keys, projection.evolve, events, seen, shard)
    return {key: after for key, after, _ in steps}


class Known(Protocol[V]):
    """Where views and parts are loaded from: part of :class:`~application.ports.Views`."""

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]: ...

    async def load_parts(self, keys: Collection[str]) -> Mapping[str, Seen[Any]]: ...


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
        return fold(projection, events, seen, shard), {}
    changes = fold_parts(parts, events, await views.load_parts(_keys(parts.keys, events, shard)))
    gathered = gather(parts, changes, await views.load(views_of(parts, changes)))
    return gathered, {key: change.after for key, change in changes.items()}


def _keys(keys: Keys, events: Iterable[RecordedEvent], shard: Shard) -> Collection[str]:
    return {key for recorded in events for key in keys(recorded) if shard.holds(key)}


@dataclass(frozen=True)
class PartChange:
    """A part as it was and as it is, and the positions of the events that it took in."""

    before: Any
    after: Seen[Any] | None
    first: int
    position: int  # of the last


def fold_parts(
    parts: Parts[Any, V],
    events: Iterable[RecordedEvent],
    seen: Mapping[str, Seen[Any]],
) -> Mapping[str, PartChange]:
    """What these events make of the parts; only of those that take one in."""
    changes: dict[str, PartChange] = {}
    for key, after, position in _steps(parts.keys, parts.evolve, events, seen, WHOLE):
        if key in changes:
            changes[key] = replace(changes[key], after=after, position=position)
        else:
            before = seen[key].view if key in seen else None
            changes[key] = PartChange(before, after, position, position)
    return changes


def views_of(parts: Parts[Any, V], changes: Mapping[str, PartChange]) -> Collection[str]:
    """The keys of the views that these parts belong to, or did."""
    return {key for change in changes.values() for key in _belongs(parts, change)}


def gather(
    parts: Parts[Any, V], changes: Mapping[str, PartChange], seen: Mapping[str, Seen[V]]
) -> Changed[V]:
    """What the changes of parts make of the views that they belong to."""
    changed: dict[str, Seen[V] | None] = {}
    for change in sorted(changes.values(), key=lambda change: change.first):  # as they came
        for key, (before, after) in _belongs(parts, change).items():
            known = changed[key] if key in changed else seen.get(key)
            was = known.view if known else None
            view = parts.gather(key, was, before, after)
            if view is was:
                continue  # it was not about this one
            position = max(change.position, known.position if known else change.position)
            changed[key] = None if view is None else Seen(view, position)
    return changed


def _belongs(parts: Parts[Any, V], change: PartChange) -> Mapping[str, tuple[Any, Any]]:
    """For each view: the part as it was there, and as it is there; ``None`` where it is not."""
    before, after = change.before, change.after.view if change.after else None
    was = set() if before is None else set(parts.views(before))
    is_ = set() if after is None else set(parts.views(after))
    return {
        key: (before if key in was else None, after if key in is_ else None)
        for key in sorted(was | is_)
    }


def _steps(
    keys: Callable[[RecordedEvent], Collection[str]],
    evolve: Callable[[Any, RecordedEvent], Any],
    events: Iterable[RecordedEvent],
    seen: Mapping[str, Seen[Any]],
    shard: Shard,
) -> Iterator[tuple[str, Seen[Any] | None, int]]:
    """Whatever takes an event in, as it is then, and the position of that event."""
    now: dict[str, Seen[Any] | None] = {}
    for recorded in events:
        position = recorded.position
        for key in keys(recorded):
            if not shard.holds(key):
                continue
            known = now[key] if key in now else seen.get(key)
            if known is not None and position <= known.position:
                continue  # it has seen this event
            after = evolve(known.view if known else None, recorded)
            now[key] = None if after is None else Seen(after, position)
            yield key, now[key], position
