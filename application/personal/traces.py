"""Looks for readable traces of a data subject in every place where something of it may be."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from application.personal.places import Place, Sought, Trace
from application.personal.texts import Texts
from application.ports import StoreUnavailable
from application.whole_log import Report, Step, unreported

_EVERY: Final = 1_000  # things that are looked at


@dataclass(frozen=True)
class Searched:
    """A place that was searched to its end."""

    place: str
    number: int
    """How many things were looked at."""
    unit: str
    """What these are, as a plural."""
    beyond: Sequence[str]
    """What cannot be searched there, in words for operators."""


@dataclass(frozen=True)
class NotSearched:
    """A place that could not be searched, so that it may have a trace."""

    place: str
    reason: str
    left_out: bool = False
    """Whether it was not asked for: it can be searched for texts alone, and there were none."""


__all__ = ["Finding", "NotSearched", "Searched", "Trace", "Traces"]

Finding = Trace | Searched | NotSearched


class Traces:
    """Searches these places, one after the other. One that does not answer keeps no other back."""

    def __init__(self, places: Callable[[], Sequence[Place]]) -> None:
        self._places = places

    async def of(
        self, subject: str, texts: Collection[str] = (), report: Report = unreported
    ) -> AsyncIterator[Finding]:
        """All traces: a key, personal data that can still be read, and any of these texts.

        After those of a place: that it was searched, or why it was not.
        """
        sought = Sought(subject, Texts(texts))
        for place in self._places():
            if place.by_text and not sought.texts:
                yield NotSearched(place.name, "there is no text to look for", left_out=True)
                continue
            try:
                async for finding in _found(place, sought, report):
                    yield finding
            except StoreUnavailable as error:
                yield NotSearched(place.name, str(error))


async def _found(place: Place, sought: Sought, report: Report) -> AsyncIterator[Finding]:
    part, number = f"searching the {place.unit} of {place.name}", 0
    report(Step(part))
    async for trace in place.look(sought, report):
        number += 1
        if trace:
            yield trace
        if number % _EVERY == 0:
            report(Step(part, number))
    yield Searched(place.name, number, place.unit, await place.beyond())
