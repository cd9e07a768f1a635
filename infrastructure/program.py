"""A service with its edges: one value, handed to the wiring, to HTTP and to the command line."""

from collections.abc import (
    Awaitable,
    Callable,
    Collection,  # only: bus
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import (
    dataclass,
    field,
    replace,  # only: temporal
)
from typing import TYPE_CHECKING, Any, Final, Generic

from application.access import Rule
from application.reactions import O
from application.service import Service
from infrastructure.opening import imported
from infrastructure.roles import Role  # only: bus
from infrastructure.settings import Settings
from infrastructure.settings.temporal import SagaEngine  # only: temporal

if TYPE_CHECKING:  # imports neither HTTP nor the command line: each is loaded where it is used
    import typer
    from fastapi import APIRouter

    from infrastructure.console import Section  # only: console
    from infrastructure.processes.needs import Startable

Check = Callable[[], Awaitable[object]]
"""Raises while its dependency does not answer."""


async def nothing(*_: Any) -> None:
    """Do nothing."""


def nothing_outside(_: Any) -> Mapping[str, Check]:
    return {}


def opens_nothing(_: Any, __: float) -> AbstractAsyncContextManager[Any]:
    """For a service without calls to the outside."""
    return nullcontext()


def opens_nothing_in_memory() -> Any:
    return None


says_where_it_is: Final = imported("infrastructure.cli.welcome", "welcome")


@dataclass(frozen=True)
class Program(Generic[O]):
    """A service and its edges. ``O`` is the type of its own outside ports, opened."""

    service: Service[O]
    settings: type[Settings] = Settings
    outside: Callable[[Any, float], AbstractAsyncContextManager[O]] = opens_nothing
    """Opens the outside ports by these settings; a call is given up after that many seconds."""
    outside_in_memory: Callable[[], O] = opens_nothing_in_memory
    outside_checks: Callable[[O], Mapping[str, Check]] = nothing_outside
    """Checks that readiness shows, by name, although a fault does not make it fail."""
    title: str = "Headwater"
    distribution: str = "headwater"
    """Whose version the HTTP API has: that which is installed under this name."""
    description: str = ""
    """The description of the HTTP API; without one, it has ``about``."""
    about: str = ""
    """What the service does: the first lines of the command line's help."""
    routes: Callable[[], Sequence["APIRouter"]] = tuple
    # only: console
    pages: Callable[[], Sequence["Section"]] = tuple
    """Its own pages in the console."""
    # end: console
    paths_apart: Sequence[str] = ()
    """Below these (``/partner/``) the routes require a token of their own, and not the API's."""
    commands: Callable[["typer.Typer"], None] = lambda _: None
    """Adds its commands to those of the kit."""
    command_rules: Mapping[str, Rule] = field(default_factory=dict)
    """Which roles its own commands need, by their names: ``group command``."""
    startable: Callable[[], Sequence["Startable"]] = tuple
    """What can be started in place of the outside."""
    first_start: Callable[..., Awaitable[None]] = nothing
    """Fills an empty event store: ``(container, home, console)``."""
    welcome: Callable[..., Awaitable[None]] = says_where_it_is
    """Prints what runs and what to try: ``(container, given, url, console)``."""


@dataclass(frozen=True)
class Deployment:
    """A program with its settings."""

    program: Program[Any]
    settings: Settings

    # only: temporal
    def with_engine(self, engine: SagaEngine) -> "Deployment":
        """The same with this engine for all sagas that have none of their own in the settings."""
        chosen = {"saga_engine": engine}
        return replace(self, settings=self.settings.model_copy(update=chosen))

    # end: temporal
    # only: bus
    @property
    def forwards(self) -> bool:
        """Whether the service publishes integration events, and a bus is set for them."""
        return bool(self.program.service.publishes) and self.settings.bus != "none"

    @property
    def idle(self) -> Collection[Role]:
        """The roles that have nothing to do."""
        return () if self.forwards else (Role.FORWARDERS,)

    # end: bus
