"""What commands need: servers that are there, or that they may start."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from infrastructure.settings import Settings


@dataclass(frozen=True)
class Startable:
    """A server that can be started here, for settings that name none."""

    name: str
    """What it is called; the directory of its data in the home has that name."""
    fields: Sequence[str]
    """The settings that have its addresses."""
    start: Callable[[Settings], AbstractAsyncContextManager[Mapping[str, str]]]
    """Starts it, and yields the address for each field. Raises ``CommandFailed``."""
    outside: bool = False
    """Whether it stands in for servers of others, which the service calls."""


class Starts(Enum):
    """What a command may start."""

    NOTHING = "nothing"
    WHAT_HAS_RUN = "servers in a home that has data: never an empty event store"
    ANYTHING = "anything"


@dataclass(frozen=True)
class Needs:
    """What a command needs."""

    events: bool = True
    views: bool = True
    views_if_known: bool = False
    """Whether it uses the read models beside events that it did not start itself."""
    keys: bool = False
    """Whether the events hold personal data: its keys are beside the read models."""
    outside: bool = False
    """Whether it calls the servers outside."""
    sagas: bool = False
    """Whether it runs sagas, and so needs what drives them."""
    histories: bool = False
    """Whether it reads what a server for sagas keeps of them."""
    starts: Starts = Starts.WHAT_HAS_RUN
    joins: bool = True
    """Whether it uses the servers of a service that runs in the same home."""
    serves: bool = False
    """Whether others look for its servers: then one that is started has the port that is set."""


RUN: Final = Needs(outside=True, sagas=True, starts=Starts.ANYTHING, joins=False, serves=True)
"""A service, with servers of its own for what is not set."""
SERVE: Final = replace(RUN, starts=Starts.NOTHING)
"""A service, or some of its roles, on servers that are all set."""
READ_MODELS: Final = Needs()
"""Fills read models, or measures how far they are behind the events."""
EVERY_PLACE: Final = Needs(histories=True)
"""The same, and searches all that the service has sent to others."""
EVENTS: Final = Needs(views=False)
"""Looks at events, or appends to streams that there are."""
EVENTS_AND_OUTSIDE: Final = replace(EVENTS, outside=True)
"""The same, and calls the servers outside."""
NEW_EVENTS: Final = replace(EVENTS, views_if_known=True, starts=Starts.ANYTHING)
"""Appends events that may be the first ones, and waits for read models that are behind."""
VIEWS: Final = Needs(events=False)
"""Reads views, operates on builds, or migrates: opens no event store."""
APART: Final = replace(EVENTS_AND_OUTSIDE, sagas=True, starts=Starts.ANYTHING, joins=False)
"""On servers of its own, beside any service."""
