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
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


Moves = Mapping[str, Sequence[tuple[int, Change[Any]]]]
"""By view: what became of its parts, each with the position of its event, in their order."""


def moves_by_view(parts: Parts[Any, V], changes: Iterable[PartChange]) -> Moves:
    """These changes, for each view that the part belongs to, or did."""
    moves: dict[str, list[tuple[int, Change[Any]]]] = defaultdict(list)
    for change in changes:
        before, last = change.before, change.after
        after = last.view if isinstance(last, Seen) else None
        was = () if before is None else parts.views(before)
        is_ = () if after is None else parts.views(after)
        stays, gone, new = (
            (last.position, Change(*known))
            for known in ((before, after), (before, None), (None, after))
        )
        for key in was:
            moves[key].append(stays if key in is_ else gone)
        for key in is_:
            if key not in was:
                moves[key].append(new)
    return moves


def gather(
    parts: Parts[Any, V], moves: Moves, seen: Changed[V]
) -> Iterator[tuple[str, Seen[V] | Removed]]:
    """What these changes make of the views as they are, one after the other."""
    for key, of_view in moves.items():
        stored = seen.get(key)
        position = -1 if stored is None else stored.position
        new = [(at, move) for at, move in of_view if at > position]  # others it has seen
        if not new:
            continue
        position = max(at for at, _ in new)
        was = stored.view if isinstance(stored, Seen) else None
        view = parts.gather(key, was, [move for _, move in new])
        if view is None:  # even if nothing was there: it may have come and gone among these
            yield key, Removed(position)
        elif view is not was:  # else they were not about this one
            yield key, Seen(view, position, was)
