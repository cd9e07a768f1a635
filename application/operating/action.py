"""What an action is: it shows what it will do, and to how many, before it does it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from application.command_dispatch import CommandDispatch
from application.parking_stream import ParkingStream
from application.personal.forgetting import Forgetting
from application.ports import EventStore
from application.projections.builds import Note
from application.projections.deploying import Deploy
from application.projections.operating import Operations

EXAMPLES: Final = 20
"""Of what an action changes, so many are named at most."""


class Refused(Exception):
    """The action cannot be done as things are. Nothing was changed. The message says why."""


class Changed(Exception):
    """What the action would do is not what was shown. Nothing was changed."""


@dataclass(frozen=True)
class Preview:
    """What an action will do."""

    does: str
    """In a sentence."""
    number: int
    """How many things it changes."""
    unit: str = "read model"
    examples: Sequence[str] = ()
    """Some of these, by name."""
    before: str = ""
    """How they are."""
    warnings: Sequence[str] = ()
    """What cannot be undone, or may surprise."""

    @property
    def digest(self) -> str:
        """The same for what does the same to the same."""
        what = (self.does, self.number, self.unit, [*self.examples], [*self.warnings])
        return sha256(repr(what).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Done:
    """What an action has done, and how things are after it."""

    what: str
    after: str = ""
    result: object = None
    """More of it, for the caller."""


@dataclass(frozen=True)
class Tools:
    """What actions work with. What a process has not opened fails when it is used."""

    read_models: Callable[[], Operations]
    deploy: Callable[[str], Awaitable[Deploy]]
    """By the name of a read model: what deploys its newest version."""
    # only: search
    follow: Callable[[], Awaitable[str]]
    """Lets other programs that search find the live builds. Why they cannot yet, or ``""``."""
    # end: search
    parking: Callable[[str], ParkingStream]
    """By the name of a consumer group."""
    groups: Callable[[], Awaitable[Sequence[str]]]
    """The consumer groups that have ever parked an event."""
    store: Callable[[], EventStore]
    dispatch: Callable[[], CommandDispatch]
    sagas: Sequence[str]
    forgetting: Callable[[], Forgetting]


class Action(Protocol):
    """Something that an operator can do."""

    @property
    def name(self) -> str:
        """What it is: ``read-model pause``."""
        ...

    @property
    def target(self) -> str:
        """What it is done to."""
        ...

    @property
    def long(self) -> bool:
        """Whether it may take minutes."""
        ...

    async def preview(self, tools: Tools) -> Preview:
        """Look, and change nothing. Raises one of ``REFUSALS`` for what cannot be done."""
        ...

    async def perform(self, tools: Tools, note: Note) -> Done:
        """Do it. Raises as ``preview``; after any other error, it may be done or not."""
        ...
