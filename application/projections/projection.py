"""What a projection is: a decider without ``decide``. Pure; the runner does the rest.

An event goes to the views that ``keys`` names; ``evolve`` takes such a view (``None`` when there is
none yet) to the next (``None`` to remove it). Duplicates are the runner's business: ``evolve`` sees
each event once per view.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from application.messages import RecordedEvent
from application.serialization import type_name
from domain.decider import Event


class View(BaseModel):
    """What a query answers with. Immutable; a change of form is a new version of the projection."""

    model_config = ConfigDict(frozen=True)


V = TypeVar("V", bound=View)


@dataclass(frozen=True)
class Projection(Generic[V]):
    """One read model, declared. ``ValueError`` when it names fields that its views do not have."""

    name: str
    version: int
    view: type[V]
    events: Collection[type[Event]]
    keys: Callable[[RecordedEvent], Collection[str]]
    evolve: Callable[[V | None, RecordedEvent], V | None]
    indexed: Collection[str] = ()  # fields of the view by which it can be found
    detail: Collection[str] = ()  # fields too large for a list: there they are at their default
    max_staleness: timedelta = timedelta(seconds=5)

    def __post_init__(self) -> None:
        self.require_fields({*self.indexed, *self.detail})
        for field in self.detail:
            if self.view.model_fields[field].is_required():
                raise ValueError(f"{self.view.__name__}.{field} is detail, so it needs a default")

    @property
    def types(self) -> frozenset[str]:
        """The stored names of the events it wants: the store's filter."""
        return frozenset(map(type_name, self.events))

    @property
    def table(self) -> str:
        """The name under which its views are kept; a new version never shares the old one's."""
        return f"{self.name}_v{self.version}"

    def require_fields(self, fields: Collection[str]) -> None:
        """``ValueError`` unless its views have all these fields."""
        if unknown := sorted(set(fields) - set(self.view.model_fields)):
            raise ValueError(f"{self.view.__name__} has no field {', '.join(unknown)}")

    def require_indexed(self, fields: Collection[str]) -> None:
        """``ValueError`` unless its views can be found by all these fields."""
        if unknown := sorted(set(fields) - set(self.indexed)):
            known = ", ".join(self.indexed) or "its key only"
            raise ValueError(f"{self.name} is not found by {', '.join(unknown)}, but by {known}")
