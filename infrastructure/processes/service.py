"""A process of the service: the roles that it has, and what each of them does."""

import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import structlog

from infrastructure.connecting import opened_to_serve
from infrastructure.container import Container
from infrastructure.http.server import answering
from infrastructure.processes.listener import url
from infrastructure.processes.watching import (
    watch_apart,  # only: search
    watch_event_store,
    watch_groups,
    watch_read_models,
    watch_receivers,  # only: bus
    watch_sagas,
)
from infrastructure.roles import Role, in_words

log = structlog.stdlib.get_logger(__name__)

Run = Callable[[], Awaitable[None]]
Runs = Mapping[str, Run]
"""Background tasks by name."""


@asynccontextmanager
async def serving(container: Container, listeners: Sequence[socket.socket]) -> AsyncIterator[None]:
    """A process with the roles of this wiring, as long as the block lasts.

    Whatever its roles, it answers for its health and its metrics, on each of ``listeners``.
    Raises ``StoreUnavailable``.
    """
    roles = container.roles()
    async with (
        _answers(container) as app,
        at_work(container, roles),
        answering(app, listeners),  # started last, stopped first
    ):
        gc.freeze()  # collecting what was built at the start would stop the process for 50 ms
        log.info("serving", url=url(listeners[0]))
        yield


@asynccontextmanager
async def at_work(container: Container, roles: Collection[Role]) -> AsyncIterator[None]:
    """The background work of these roles, as long as the block lasts."""
    runs = {
        name: run for role in Role if role in roles for name, run in _WORK[role](container).items()
    }
    async with container.working().at_work(**runs):
        yield


def projecting(container: Container) -> AbstractAsyncContextManager[None]:
    """Keep the read models up to date, and measure how far they are behind."""
    return at_work(container, {Role.PROJECTIONS})


def reacting(container: Container) -> AbstractAsyncContextManager[None]:
    """Run sagas, their deadlines, and reactions."""
    return at_work(container, {Role.SAGAS})


def _api(container: Container) -> Runs:
    """The API does no other work than to see how far the read models are behind."""
    return {"watch read models": lambda: watch_read_models(container)}


def _projections(container: Container) -> Runs:
    return {
        "projections": lambda: container.host().run(),
        "watch read models": lambda: watch_read_models(container),
        "watch sagas": lambda: watch_sagas(container),
        "watch event store": lambda: watch_event_store(container),
        # only: search
        **({"watch search": lambda: watch_apart(container)} if container.apart() else {}),
        # end: search
    }


def _sagas(container: Container) -> Runs:
    consumers = {
        **{f"reaction {name}": one for name, one in container.reactions().items()},
        **{f"saga {name}": one for name, one in container.saga_workers().items()},
    }
    for name, consumer in consumers.items():
        container.working().watch(name, consumer)
    return {
        **{name: consumer.run for name, consumer in consumers.items()},
        **{f"deadlines {name}": one.run for name, one in container.deadlines().items()},
        **container.engine_work(),  # only: temporal
        "watch consumer groups": lambda: watch_groups(container),
        **_receivers(container),  # only: bus
    }


# only: bus
def _receivers(container: Container) -> Runs:
    receivers = {f"receiver {name}": one for name, one in container.receivers().items()}
    for name, receiver in receivers.items():
        container.working().watch(name, receiver)
    return {
        **{name: one.run for name, one in receivers.items()},
        **({"watch receivers": lambda: watch_receivers(container)} if receivers else {}),
    }


def _forwarders(container: Container) -> Runs:
    if (forwarder := container.forwarder()) is None:
        if container.roles() == {Role.FORWARDERS}:
            log.info("nothing is published: there are no integration events, or no bus is set")
        return {}
    container.metrics().forwarder.show(forwarder)
    return {"forwarder": forwarder.run}


# end: bus
_WORK: Final[Mapping[Role, Callable[[Container], Runs]]] = {
    Role.API: _api,
    Role.PROJECTIONS: _projections,
    Role.SAGAS: _sagas,
    Role.FORWARDERS: _forwarders,  # only: bus
}


@asynccontextmanager
async def _answers(container: Container) -> AsyncIterator[Any]:
    """The application that answers requests to this process, over its opened wiring.

    Each is imported where it is needed: the framework of the API takes time.
    """
    if Role.API in container.roles():
        from infrastructure.http.app import create_app

        app = create_app(container)
        async with app.router.lifespan_context(app):
            yield app
    else:
        from infrastructure.http.worker import worker_app

        async with opened_to_serve(container):
            yield worker_app(
                container.health(),
                container.exposition(),
                container.callers(),
                container.settings(),
                in_words(container.roles()),
            )
