"""A consumer group as one item: how far it has come, and what its consumers hold.

The item is replaced as a whole, under the condition that it is still the one that was read. So the
consumers of a group take turns, and everything that one does with the group is a function of it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from infrastructure.dynamodb.values import Item, many, number, record, text, to_number, to_text

Events = Mapping[int, int]
"""Events by position, each with how many times it was handed out before."""

FULL: Final = 20_000
"""Events that a group holds at most, in flight and waiting: an item ends at 400 KB."""


@dataclass(frozen=True)
class Claim:
    """Events in flight that one consumer took together."""

    consumer: str
    number: int
    """That of the revision with which they were taken."""
    events: Events


@dataclass(frozen=True)
class Group:
    """A group at one revision."""

    name: str
    id: str
    """Of this group and none that has had the name before."""
    timeout: float
    revision: int = 0
    after: int = -1
    """All events up to this position have been handed out, or no consumer wanted them."""
    claims: Sequence[Claim] = ()
    waiting: Events = field(default_factory=dict)
    """Events that were handed back."""

    @property
    def in_flight(self) -> int:
        return sum(len(claim.events) for claim in self.claims)

    @property
    def room(self) -> int:
        """How many more events it can hold."""
        return max(0, FULL - self.in_flight - len(self.waiting))

    def done(self, positions: Collection[int]) -> "Group":
        """These do not come back, wherever they are."""
        gone = frozenset(positions)
        if not gone:
            return self
        return self._with(
            [replace(claim, events=_without(claim.events, gone)) for claim in self.claims],
            _without(self.waiting, gone),
        )

    def returned(self, consumer: str, positions: Collection[int], *, seen: bool = True) -> "Group":
        """Those of these that the consumer holds wait for anyone; counted, if it has seen them."""
        back = {
            position: retries + seen
            for claim in self.claims
            if claim.consumer == consumer
            for position, retries in claim.events.items()
            if position in positions
        }
        kept = [
            replace(claim, events=_without(claim.events, back))
            if claim.consumer == consumer
            else claim
            for claim in self.claims
        ]
        return self._with(kept, {**self.waiting, **back})

    def expired(self, numbers: Collection[int]) -> "Group":
        """What was taken with these numbers waits for anyone."""
        back = {
            position: retries + 1
            for claim in self.claims
            if claim.number in numbers
            for position, retries in claim.events.items()
        }
        kept = [claim for claim in self.claims if claim.number not in numbers]
        return self._with(kept, {**self.waiting, **back}) if back else self

    def left_by(self, consumer: str, unseen: Collection[int]) -> "Group":
        """All that the consumer holds waits for anyone."""
        held = {position for one in self.of(consumer) for position in one.events}
        again = self.returned(consumer, held & set(unseen), seen=False)
        return again.returned(consumer, held - set(unseen))

    def taken(self, consumer: str, room: int, new: Sequence[int], after: int) -> "Group":
        """The consumer takes what waits, the first positions first, then the ``new`` ones that it
        has room for; ``after`` is how far the log was read for them."""
        again = dict(sorted(self.waiting.items())[:room])
        fresh = new[: min(room - len(again), self.room)]
        reached = after if len(fresh) == len(new) else (fresh[-1] if fresh else self.after)
        events = {**again, **dict.fromkeys(fresh, 0)}
        claims = [*self.claims, Claim(consumer, self.revision + 1, events)]
        moved = replace(self, after=max(self.after, reached))
        return moved._with(claims, _without(self.waiting, again))

    def of(self, consumer: str) -> Sequence[Claim]:
        """What that consumer holds."""
        return [claim for claim in self.claims if claim.consumer == consumer]

    def item(self) -> Item:
        return {
            "name": text(self.name),
            "id": text(self.id),
            "timeout": text(str(self.timeout)),
            "revision": number(self.revision),
            "after": number(self.after),
            "claims": many(
                record(
                    {
                        "consumer": text(claim.consumer),
                        "number": number(claim.number),
                        "events": text(_written(claim.events)),
                    }
                )
                for claim in self.claims
            ),
            "waiting": text(_written(self.waiting)),
        }

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> "Group":
        return cls(
            to_text(item["name"]),
            to_text(item["id"]),
            float(to_text(item["timeout"])),
            to_number(item["revision"]),
            to_number(item["after"]),
            [
                Claim(
                    to_text(claim["M"]["consumer"]),
                    to_number(claim["M"]["number"]),
                    dict(_read(to_text(claim["M"]["events"]))),
                )
                for claim in item["claims"]["L"]
            ],
            dict(_read(to_text(item["waiting"]))),
        )

    def _with(self, claims: Sequence[Claim], waiting: Events) -> "Group":
        kept = [claim for claim in claims if claim.events]
        return replace(self, claims=kept, waiting=waiting)


def _without(events: Events, gone: Collection[int]) -> Events:
    return {position: retries for position, retries in events.items() if position not in gone}


def _written(events: Events) -> str:
    """``100 101*2``: two events, of which the second was handed out twice before."""
    return " ".join(
        f"{position}*{retries}" if retries else str(position)
        for position, retries in events.items()
    )


def _read(written: str) -> Iterator[tuple[int, int]]:
    for one in written.split():
        position, _, retries = one.partition("*")
        yield int(position), int(retries or 0)
