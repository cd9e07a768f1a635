"""Histories of every category of a service: any at all, and those that commands can bring about.

Ids, counts and amounts are drawn from few, so that commands meet: the same transfer, the same
deposit, one unit too many.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from application import parking
from application.category import Category
from application.service import Service
from domain.decider import Command, Decider, DomainError, Event


def law(examples: int = 150) -> settings:
    """A law is tried on so many examples; on a fifth of them where ``FEWER_EXAMPLES`` is set."""
    few = "FEWER_EXAMPLES" in os.environ
    # no deadline: a busy machine breaks no law
    return settings(deadline=None, max_examples=examples // 5 if few else examples)


LAW: Final = law()

AN_ID: Final = st.sampled_from(["a", "b", "c", "d"])
A_TEXT: Final = st.sampled_from(["x", "y"])

Fields = Mapping[str, SearchStrategy[Any]]
Examples = Mapping[str, Sequence[Sequence[Command]]]


@dataclass(frozen=True)
class Histories:
    """What can happen in one service.

    ``fields``: what may stand in a field of that name, wherever it is. ``examples``: by category,
    lives in which every command is carried out; together they use each command and each event.
    """

    service: Service[Any]
    fields: Fields
    examples: Examples

    @property
    def categories(self) -> Sequence[Category]:
        """Those that have examples."""
        return [one for one in self.service.catalogue.categories if one.name in self.examples]

    def any_of(self, *models: type[Any]) -> SearchStrategy[Any]:
        """Any instance of any of these."""
        return st.one_of([self._any(model) for model in models])

    def events(self, category: Category) -> SearchStrategy[list[Event]]:
        """Any sequence of a category's events, most of them impossible."""
        return st.lists(self.any_of(*category.events), max_size=12)

    def commands(self, category: Category) -> SearchStrategy[list[Command]]:
        """The beginning of an example, so that there is something to break; then any commands."""
        lives = [[*life] for life in self.examples[category.name]]
        beginnings = [life[:length] for life in lives for length in range(len(life) + 1)]
        anything = st.lists(self.any_of(*category.commands), min_size=12, max_size=20)
        return st.builds(list.__add__, st.sampled_from(beginnings), anything)

    def lives(self, name: str) -> SearchStrategy[list[Any]]:
        """What comes of any sequence of commands, refusals put aside: every possible history."""
        (category,) = (category for category in self.categories if category.name == name)
        return self.commands(category).map(
            lambda commands: [
                event for _, events in live(category.decider, commands) for event in events
            ]
        )

    def _any(self, model: type[Any]) -> SearchStrategy[Any]:
        fields = model.__pydantic_fields__.items()  # of a model, and of a dataclass of pydantic
        return st.builds(
            model, **{name: self._any_field(name, field.annotation) for name, field in fields}
        )

    def _any_field(self, name: str, annotation: Any) -> SearchStrategy[Any]:
        if get_origin(annotation) is tuple:
            one = self.any_of(get_args(annotation)[0])
            return st.lists(one, min_size=1, max_size=3).map(tuple)
        return self.fields[name]


def example(command: type[Command], **fields: object) -> Command:
    """A command from plain words, as it comes from outside."""
    return command.model_validate(fields)


def live(
    decider: Decider[Any, Any, Any], commands: Sequence[Command]
) -> Iterator[tuple[Command, Sequence[Event]]]:
    """The accepted commands, each with what followed; every one is sent twice."""
    state = decider.initial
    for command in commands:
        try:
            events = decider.decide(command, state)
        except DomainError:
            continue
        for event in events:
            state = decider.evolve(state, event)
        assert list(decider.decide(command, state)) == [], f"repeated, it did it again: {command!r}"
        yield command, events


# ── the kit's own category that commands lead to ─────────────────────────────────────────────────

PARKING_FIELDS: Final[Fields] = {
    "event_id": st.integers(1, 4).map(lambda number: UUID(int=number)),
    "behind": st.just(None),
    **dict.fromkeys(("stream", "type", "error", "by", "reason"), A_TEXT),
    **dict.fromkeys(("version", "attempts"), st.integers(0, 3)),
}

_PARK: Final = example(
    parking.ParkEvent, event_id=UUID(int=1), stream="x", version=0, type="x", error="x", attempts=1
)
_QUEUE: Final = example(parking.QueueEvent, event_id=UUID(int=2), stream="x", version=1, type="x")
PARKING_EXAMPLES: Final[Examples] = {
    "parking": [
        [
            _PARK,
            _QUEUE,
            example(parking.RequestReplay, event_id=UUID(int=1), by="x"),
            example(parking.FinishReplay, event_id=UUID(int=1), stream="x"),
        ],
        [_PARK, _QUEUE, example(parking.DiscardEvent, event_id=UUID(int=1), by="x", reason="y")],
    ],
}
