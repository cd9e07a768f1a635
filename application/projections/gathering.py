"""What changes of parts make of the views that they belong to.

A view is gathered from many parts, and holds their sum, not the parts. So a part's change must
reach it exactly once, which is easy where views, parts and checkpoint are written together. Where
they are written one after the other, events may be repeated when some views and parts have seen
them and others have not. Three rules then make every repetition harmless:

1. A view takes a part's changes in with the positions of their events, and those at or before its
   own position not at all.
2. Views are written before parts, parts before the checkpoint. So what a part has seen, all its
   views have: an event that the part skips is missing nowhere.
3. Parts are loaded before views, and both anew for each batch. So this also holds when another
   runner, which should have stopped, is still writing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from application.ports import Changed, Removed, Seen, V
from application.projections.projection import Change, Parts

Step = tuple[str, Any, Seen[Any] | Removed]
"""The key of what takes an event in, as it was before (``None``: not there), and as it is then."""


@dataclass(frozen=True)
class PartChange:
    """A part before and after one event, or several."""

    key: str
    before: Any  # ``None``: not there
    after: Seen[Any] | Removed


def part_changes(steps: Iterable[Step], *, merged: bool) -> Sequence[PartChange]:
    """One change for each step, in their order; or, ``merged``, one for each part.

    Merged is faster, and right only where no event is repeated.
    """
    changes: dict[object, PartChange] = {}
    for key, before, after in steps:
        place = key if merged else (key, after.position)
        if (known := changes.get(place)) is not None:
            changes[place] = replace(known, after=after)
        else:
            changes[place] = PartChange(key, before, after)
    return list(changes.values())


def views_of(parts: Parts[Any, V], changes: Iterable[PartChange]) -> Collection[str]:
    """The keys of the views that these parts belong to, or did."""
    return {key for change in changes for key, _ in _belongs(parts, change)}


def gather(parts: Parts[Any, V], changes: Iterable[PartChange], seen: Changed[V]) -> Changed[V]:
    """What these changes make of the views as they are, in their order."""
    found: dict[str, list[Change[Any]]] = defaultdict(list)
    last: dict[str, int] = {}
    for change in changes:
        position = change.after.position
        for key, moved in _belongs(parts, change):
            stored = seen.get(key)
            if stored is not None and position <= stored.position:
                continue  # it has seen this change
            found[key].append(moved)
            last[key] = max(position, last.get(key, position))
    changed: dict[str, Seen[V] | Removed] = {}
    for key, moves in found.items():
        stored = seen.get(key)
        was = stored.view if isinstance(stored, Seen) else None
        view = parts.gather(key, was, moves)
        if view is None:  # even if nothing was there: it may have come and gone among these
            changed[key] = Removed(last[key])
        elif view is not was:  # else they were not about this one
            changed[key] = Seen(view, last[key])
    return changed


def _belongs(parts: Parts[Any, V], change: PartChange) -> Iterator[tuple[str, Change[Any]]]:
    """For each view: the part as it was there, and as it is there; ``None`` where it is not."""
    before, after = change.before, change.after.view if isinstance(change.after, Seen) else None
    was = () if before is None else parts.views(before)
    is_ = () if after is None else parts.views(after)
    for key in dict.fromkeys((*was, *is_)):
        yield key, Change(before if key in was else None, after if key in is_ else None)
