"""Looking around in EventStoreDB: its own projections may be off, and links may lead nowhere."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from esdbclient import StreamState

from application.ports import NO_STREAM, EventBrowser, EventStore, Wanted
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from tests.contracts.made_up import events, until
from tests.sample.service import SAMPLE


@dataclass(frozen=True)
class Server:
    """A server of its own, with its projections on."""

    client: eventstoredb.Client
    events: EventStore
    browser: EventBrowser

    async def linked(self, count: int) -> None:
        """Wait for so many links in the category."""

        async def there() -> bool:
            return len((await self.browser.events(Wanted("note"))).items) == count

        await until(there)


@pytest.fixture
async def server(fresh_node: NodeProcess) -> AsyncIterator[Server]:
    client = await eventstoredb.connect(fresh_node.uri)
    try:
        store = eventstoredb.EventStore(client, SAMPLE.catalogue)
        yield Server(client, store, eventstoredb.EventBrowser(client, SAMPLE.catalogue))
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("wanted", "projection"),
    [
        (Wanted(category="note"), "$by_category"),
        (Wanted(type="Noted"), "$by_event_type"),
        (Wanted(correlation_id="c"), "$by_correlation_id"),
    ],
)
async def test_a_projection_that_is_off_is_named(
    server: Server, wanted: Wanted, projection: str
) -> None:
    """The answer says which one it is, how far it is behind, and how to switch it on."""
    await server.client.disable_projection(projection)
    await server.events.append("note-1", events(2), NO_STREAM)

    found = await server.browser.events(wanted)

    (lack,) = found.lacks
    assert (found.items, lack.source) == ([], projection)
    assert lack.why.startswith("is stopped")
    assert lack.seconds is not None
    assert "Switch it on" in lack.remedy


async def test_streams_without_their_projection(server: Server) -> None:
    """Names of streams come from two projections; the one that is off is named."""
    for name in ("$streams", "$stream_by_category"):
        await server.client.disable_projection(name)
    await server.events.append("note-1", events(2), NO_STREAM)

    every = await server.browser.streams()
    some = await server.browser.streams(prefix="note-")
    changed = await server.browser.changed()

    assert [one.source for one in (*every.lacks, *some.lacks)] == [
        "$streams",
        "$stream_by_category",
    ]
    assert [one.name for one in changed.items] == ["note-1"]
    assert list(changed.lacks) == []


@pytest.mark.parametrize("how", ["delete_stream", "tombstone_stream"])
async def test_links_to_deleted_events_are_counted(server: Server, how: str) -> None:
    """Their events are in no list any more, and the answer says how many are missing."""
    await server.events.append("note-1", events(2), NO_STREAM)
    await server.events.append("note-2", events(1), NO_STREAM)
    await server.linked(3)
    await getattr(server.client, how)("note-1", current_version=StreamState.ANY)

    found = await server.browser.events(Wanted("note"))
    streams = await server.browser.streams("note")
    gone = await server.browser.stream("note-1")

    assert [one.stream for one in found.items] == ["note-2"]
    assert [str(one) for one in found.lacks if one.source == "$ce-note"] == [
        "$ce-note links 2 events that were deleted. Only a backup of the event store still has it."
    ]
    assert {one.name: one.last is None for one in streams.items} == {
        "note-1": True,
        "note-2": False,
    }
    assert (gone.items, [one.why for one in gone.lacks]) == ([], ["was deleted"])


async def test_a_stream_that_lost_its_beginning_is_shown(server: Server) -> None:
    """What is left of it can be read, and the answer names the missing versions."""
    await server.events.append("note-1", events(4), NO_STREAM)
    await server.client.set_stream_metadata(
        "note-1", metadata={"$tb": 2}, current_version=StreamState.ANY
    )

    found = await server.browser.stream("note-1")

    assert [one.version for one in found.items] == [3, 2]
    assert [one.why for one in found.lacks] == ["has lost its beginning: versions 0 to 1 are gone"]
