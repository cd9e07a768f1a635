"""What a projection is: a decider without ``decide``. Pure; the runner does the rest.

An event goes to the views that ``keys`` names; ``evolve`` takes such a view (``None`` when there is
none yet) to the next (``None`` to remove it). If it returns the view that it was given, nothing is
written. Duplicates are the runner's business: ``evolve`` sees each change once per view.

Some views no single event can shape: a return names the line of an order, not the product, the
price or the customer. Then events shape ``parts`` (one for each order, say), and a part that has
changed is gathered into the views that it belongs to.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from application.category import Category
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.projections.words import words
from domain.speed import once


class View(BaseModel):
    """What a query answers with. Immutable; a change of form is a new version of the projection."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)


V = TypeVar("V", bound=View)
P = TypeVar("P", bound=View)

Keys = Callable[[RecordedEvent], Collection[str]]


class Change(NamedTuple, Generic[P]):
    """A part before and after an event, or several.

    ``before`` is ``None`` for a new part, or one that did not belong to the view; ``after`` is
    ``None`` for one that does not belong to it any more.
    """

    before: P | None
    after: P | None


@dataclass(frozen=True)
class Parts(Generic[P, V]):
    """What views are made of, where one event does not have enough. Kept beside the views."""

    part: type[P]
    keys: Keys
    evolve: Callable[[P | None, RecordedEvent], P | None]
    views: Callable[[P], Collection[str]]  # the keys of the views that it belongs to
    gather: Callable[[str, V | None, Sequence[Change[P]]], V | None]
    """``gather(key, view, changes)``: the view of that key, after parts of it were changed.

    They come in the order of their events: all of a batch, so that a view is made once and not for
    each of its parts. How many come together makes no difference to the view. It is returned as it
    is if none of them is about it, and only then.
    """


@dataclass(frozen=True)
class Projection(Generic[V]):
    """One read model, declared. It takes in all events of the categories it follows.

    ``ValueError`` for fields that its views do not have, and unless it has either ``keys`` and
    ``evolve`` or ``parts``.
    """

    name: str
    version: int
    view: type[V]
    follows: tuple[Category, ...]
    keys: Keys | None = None
    evolve: Callable[[V | None, RecordedEvent], V | None] | None = None
    parts: Parts[Any, V] | None = None
    indexed: Collection[str] = ()  # fields of the view by which it can be found
    detail: Collection[str] = ()  # fields too large for a list: there they are at their default
    searched: Collection[str] = ()  # fields whose words it can be found by
    ranked: str | None = None  # the number by which what was found is ordered, largest first
    summed: Collection[str] = ()  # numbers, or money, that can be added up over all views
    listed: bool = True  # whether queries ask for pages of views, in the order of their keys
    shards: int = 1  # by how many runners at a time a build of it is filled
    max_staleness: timedelta = timedelta(seconds=5)
    consistency: Literal["eventual", "inline"] = "eventual"
    """Inline: written in the transaction of the append, where events and views share a database."""

    def __post_init__(self) -> None:
        ranked = () if self.ranked is None else (self.ranked,)
        self.require_fields({*self.indexed, *self.detail, *self.searched, *ranked, *self.summed})
        for field in self.detail:
            if self.view.model_fields[field].is_required():
                raise ValueError(f"{self.view.__name__}.{field} is detail, so it needs a default")
        if (self.keys is None or self.evolve is None) is (self.parts is None):
            raise ValueError(f"{self.name} needs either keys and evolve, or parts")
        if self.consistency == "inline" and self.shards > 1:
            raise ValueError(f"{self.name} is inline: an append writes it whole, not in shards")
        if self.parts and self.shards > 1:
            raise ValueError(
                f"{self.name} has parts: shards would meet in the views they belong to"
            )

    @once
    def events(self) -> EventFilter:
        """The events it takes in: all of the categories that it follows."""
        return EventFilter(frozenset().union(*(one.own.pairs for one in self.follows)))

    def require_fields(self, fields: Collection[str]) -> None:
        """``ValueError`` unless its views have all these fields."""
        if unknown := sorted(set(fields) - set(self.view.model_fields)):
            raise ValueError(f"{self.view.__name__} has no field {', '.join(unknown)}")

    def require_indexed(self, fields: Collection[str]) -> None:
        """``ValueError`` unless its views can be found by all these fields; by none: listed."""
        if not fields and not self.listed:
            raise ValueError(f"{self.name} is not listed: its views are found by key or by words")
        if unknown := sorted(set(fields) - set(self.indexed)):
            known = ", ".join(self.indexed) or "its key only"
            raise ValueError(f"{self.name} is not found by {', '.join(unknown)}, but by {known}")

    def require_search(self) -> None:
        """``ValueError`` unless its views can be searched."""
        if not self.searched or self.ranked is None:
            raise ValueError(f"{self.name} declares nothing as searched, or no rank")

    def require_summed(
        self, fields: Collection[str], by: str, equal: Collection[str] | None = None
    ) -> None:
        """``ValueError`` unless all these fields can be added up, for each value of ``by``, over
        the views that are found by the fields ``equal``.
        """
        if unknown := sorted(set(fields) - set(self.summed)):
            known = ", ".join(self.summed) or "nothing"
            raise ValueError(f"{self.name} does not add up {', '.join(unknown)}, but {known}")
        self.require_fields([by])
        if equal:
            self.require_indexed(equal)

    def words(self, view: V) -> Collection[str]:
        """All words of its searched fields."""
        texts: list[str] = []
        for field in self.searched:
            value = getattr(view, field)
            texts += [value] if isinstance(value, str) else value or ()
        return words(" ".join(texts))
