"""What is resolved is started, in order, and stopped with the command."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from infrastructure.processes import CommandFailed
from infrastructure.processes.home import Home
from infrastructure.processes.needs import EVENTS, NEW_EVENTS, Startable
from infrastructure.processes.resolving import Resolved, Source
from infrastructure.processes.servers import reached, resolved, started
from infrastructure.program import Deployment
from infrastructure.settings import Settings
from tests.sample.program import BANK


class _Settings(Settings):
    courier_uri: str | None = None


class Servers:
    """Servers that are started in name only; ``seen`` has what happened."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def server(self, name: str, **addresses: str) -> Startable:
        @asynccontextmanager
        async def start(_: Settings) -> AsyncIterator[Mapping[str, str]]:
            self.seen.append(f"{name} starts")
            try:
                yield addresses
            finally:
                self.seen.append(f"{name} stops")

        return Startable(name, tuple(addresses), start)


async def test_servers_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    """The settings have the addresses of all, and one that was set is not replaced."""
    servers, settings = Servers(), _Settings(home=tmp_path, postgres_uri="postgresql://set")
    starts = (
        servers.server("node", eventstoredb_uri="esdb://started"),
        servers.server("two", postgres_uri="postgresql://started", courier_uri="http://started"),
    )
    sources = {"eventstoredb_uri": Source.STARTED, "postgres_uri": Source.SET}
    async with started(Resolved(settings, sources, starts)) as complete:
        assert complete.eventstoredb_uri == "esdb://started"
        assert complete.postgres_uri == "postgresql://set"
        assert complete.courier_uri == "http://started"

    assert servers.seen == ["node starts", "two starts", "two stops", "node stops"]
    assert Home(settings).found().keeps == "eventstoredb"


async def test_what_started_is_stopped_when_the_next_does_not_start(tmp_path: Path) -> None:
    """No server outlives a command that failed."""

    @asynccontextmanager
    async def fail(_: Settings) -> AsyncIterator[Mapping[str, str]]:
        raise CommandFailed("its port is taken")
        yield {}

    servers = Servers()
    node = servers.server("node", eventstoredb_uri="esdb://started")
    broken = Startable("broken", ("postgres_uri",), fail)
    with pytest.raises(CommandFailed, match="its port is taken"):
        async with started(Resolved(Settings(home=tmp_path), {}, (node, broken))):
            raise AssertionError("it has not started")
    assert servers.seen == ["node starts", "node stops"]


async def test_a_home_in_which_nothing_starts_is_left_alone(tmp_path: Path) -> None:
    """A command on servers that are set makes no directory and takes no lock."""
    home = tmp_path / "home"
    deployment = Deployment(BANK, Settings(home=home, eventstoredb_uri="esdb://set"))
    async with reached(deployment, EVENTS) as servers:
        assert servers.sources == {"eventstoredb_uri": Source.SET}
    with pytest.raises(CommandFailed, match="there is nothing in"):
        resolved(replace(deployment, settings=Settings(home=home)), EVENTS)

    assert not home.exists()


async def test_a_home_in_which_a_server_starts_is_claimed(tmp_path: Path) -> None:
    """Two commands never start servers over the same data."""
    deployment = Deployment(BANK, Settings(home=tmp_path / "home"))
    with Home(deployment.settings).claimed():
        assert resolved(deployment, NEW_EVENTS).starts
        with pytest.raises(CommandFailed, match="another command is at work"):
            async with reached(deployment, NEW_EVENTS):
                raise AssertionError("it has not started")
