"""Where the views of all builds are, in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from application.ports import NotBuilt, Seen, V, Views
from application.projections.abilities import Ability, require_offered
from application.projections.builds import WHOLE, Build, Shard, readable, unreadable
from application.projections.comparing import (
    EXAMPLES,
    Comparison,
    Difference,
    Document,
    alike,
)
from application.projections.projection import Projection, View
from infrastructure.memory import views
from infrastructure.memory.builds import Builds


class ReadModels:
    """The :class:`~application.ports.ReadModels` of these builds. Raises ``NotOffered``."""

    offers: Collection[Ability] = tuple(Ability)

    def __init__(self, declared: Sequence[Projection[Any]], builds: Builds) -> None:
        require_offered(declared, self.offers, "memory")
        self._declared, self._builds = declared, builds

    async def live(self, projection: Projection[V]) -> Views[V]:
        standings = await self._builds.standings(projection.name)
        found = readable(projection.name, standings, self._declared)
        if found is None:
            raise NotBuilt(unreadable(projection.name, standings))
        declared, standing = found
        shards = [shard.shard for shard in standing.shards]
        return views.Views(declared, self._builds.kept(standing.build), shards)

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> views.Views[V]:
        return views.Views(projection, self._builds.kept(build), (shard,))

    async def compare(self, live: Build, build: Build) -> Comparison:
        standings = await self._builds.standings(live.name)
        places = [
            -1 if standing.position is None else standing.position
            for standing in standings
            if standing.build in (live, build)
        ]
        old, new = self._builds.kept(live).views, self._builds.kept(build).views
        differences: list[Difference] = []
        counts: Counter[str] = Counter()
        for key in sorted(old.keys() | new.keys()):
            verdict, difference = _judged(key, old.get(key), new.get(key), min(places, default=-1))
            counts[verdict] += 1
            differences += [difference] if verdict not in ("equal", "changing") else []
        gone, added = _fields(old, new), _fields(new, old)
        return Comparison(
            equal=counts["equal"],
            different=counts["different"],
            only_live=counts["only_live"],
            only_new=counts["only_new"],
            changing=counts["changing"],
            examples=differences[:EXAMPLES],
            gone=gone,
            added=added,
        )

    async def discard(self, build: Build) -> None:
        self._builds.discard(build)


def _judged(
    key: str, old: Seen[View] | None, new: Seen[View] | None, place: int
) -> tuple[str, Difference]:
    difference = Difference(key, _document(old), _document(new))
    if max(seen.position for seen in (old, new) if seen) > place:
        return "changing", difference
    if difference.new is None:
        return "only_live", difference
    if difference.live is None:
        return "only_new", difference
    same = alike(difference.live, difference.new)
    return "equal" if same else "different", difference


def _document(seen: Seen[View] | None) -> Document | None:
    return None if seen is None else seen.view.model_dump(mode="json")


def _fields(these: Mapping[str, Seen[Any]], others: Mapping[str, Seen[Any]]) -> Sequence[str]:
    """Fields that these views have and the others have not, judged by one of each."""
    one, other = (next(iter(views.values()), None) for views in (these, others))
    if one is None or other is None:
        return ()
    return sorted(type(one.view).model_fields.keys() - type(other.view).model_fields.keys())
