"""The embedded EventStoreDB node: a distribution of its own, which may not be installed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Final

from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import Startable
from infrastructure.processes.supervising import kept_running
from infrastructure.settings import Settings


def require_node() -> None:
    """Raises :class:`CommandFailed` where the distribution is missing."""
    if find_spec("embedded_eventstoredb") is None:
        raise CommandFailed(
            "the embedded EventStoreDB node cannot be started: install embedded-eventstoredb (the "
            "extra 'embedded'), or set the address of a server of yours"
        )


@asynccontextmanager
async def _node(settings: Settings) -> AsyncIterator[Mapping[str, str]]:
    require_node()
    from embedded_eventstoredb import NodeFailed, NodeProcess

    directory = settings.home.absolute() / NODE.name
    try:
        async with (
            NodeProcess(directory, settings.eventstoredb_port) as node,
            kept_running("the embedded EventStoreDB node", node),
        ):
            yield {"eventstoredb_uri": node.uri}
    except NodeFailed as error:
        raise CommandFailed(
            f"{error} ({settings.name_of('eventstoredb_port')} sets the port, "
            f"{settings.name_of('home')} the directory)"
        ) from error


NODE: Final = Startable("eventstoredb", ("eventstoredb_uri",), _node)
"""Started where no EventStoreDB is set, and started again when it ends."""
