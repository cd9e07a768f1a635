"""System projections fault when a client writes to their streams, until an operator acts."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from embedded_eventstoredb import NodeProcess
from test_system_projections import (
    append,
    links,
    statuses,
    wait_for_version,
)
from waiting import eventually

FAULTED = "Faulted (Enabled)"


@pytest.fixture
def client() -> Iterator[EventStoreDBClient]:
    """A node for this test alone, since a faulted projection affects all tests."""
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:
        yield client


def status(client: EventStoreDBClient, name: str = "$by_category") -> str:
    return client.get_projection_statistics(name=name).status


def happens(client: EventStoreDBClient, stream: str, count: int = 1) -> None:
    correlated = json.dumps({"$correlationId": "c-1"}).encode()
    append(client, stream, *(NewEvent("Happened", b"{}", correlated) for _ in range(count)))


def interfere(client: EventStoreDBClient, stream: str = "$ce-order") -> None:
    """Write to that stream, then append an event that is to be linked there."""
    append(client, stream, NewEvent("Mine", b"{}"))
    happens(client, f"order-{uuid4().hex}")


def fault(client: EventStoreDBClient) -> None:
    """Two events in each of two categories are linked; then a client writes to one of the link
    streams.
    """
    for stream in ("order-1", "stock-1"):
        happens(client, stream, 2)
    eventually(lambda: [len(links(client, f"$ce-{name}")) for name in ("order", "stock")], [2, 2])
    append(client, "$ce-order", NewEvent("Mine", b"{}"))
    happens(client, "order-1")
    eventually(lambda: status(client), FAULTED)


@pytest.mark.parametrize(
    ("stream", "name", "number"),
    [
        ("$streams", "$streams", 1),
        ("$category-order", "$stream_by_category", 2),
        ("$ce-order", "$by_category", 3),
        ("$et-Happened", "$by_event_type", 4),
        ("$bc-c-1", "$by_correlation_id", 5),
    ],
)
def test_an_event_of_somebody_else(
    client: EventStoreDBClient, stream: str, name: str, number: int
) -> None:
    """A client's event in a stream of a system projection faults that projection only."""
    happens(client, "order-1")
    eventually(lambda: len(links(client, stream)), 1)
    interfere(client, stream)
    eventually(lambda: status(client, name), FAULTED)
    assert client.get_projection_statistics(name=name).state_reason == (
        f"The '{stream}' stream managed by projection {number} "
        "has been written to from the outside."
    )
    assert statuses(client).count("Running") == 4


def test_an_event_that_came_first(client: EventStoreDBClient) -> None:
    """It also faults if a client wrote to the stream before the first link."""
    interfere(client)
    eventually(lambda: status(client), FAULTED)


def test_a_stream_that_is_gone_for_good(client: EventStoreDBClient) -> None:
    """After a tombstone of its stream, a projection faults at the next event for it."""
    client.tombstone_stream("$ce-order", current_version=StreamState.ANY)
    happens(client, "order-1")
    eventually(lambda: status(client), FAULTED)
    reason = client.get_projection_statistics(name="$by_category").state_reason
    assert reason == "Stream : $ce-order is deleted. Cannot emit events to it"


def test_no_category_gets_links(client: EventStoreDBClient) -> None:
    """While ``$by_category`` is at fault, no category gets links; other projections go on."""
    fault(client)
    happens(client, "stock-1")
    eventually(lambda: len(links(client, "$et-Happened")), 6)
    assert len(links(client, "$ce-stock")) == 2


@pytest.mark.parametrize("how", ["enabled", "reset", "restarted", "disabled and enabled"])
def test_what_cures_nothing(client: EventStoreDBClient, how: str) -> None:
    """Enabling, resetting or restarting alone: at fault again."""
    fault(client)
    before = client.get_projection_statistics(name="$by_category").version
    match how:
        case "enabled":
            client.enable_projection("$by_category")
        case "reset":
            client.reset_projection("$by_category")
        case "restarted":
            client.restart_projections_subsystem()
            client.disable_projection("$streams")  # answered when the restart is over
        case _:
            client.disable_projection("$by_category")
            assert status(client) == "Stopped/Faulted"
            client.enable_projection("$by_category")
    assert how == "restarted" or (
        client.get_projection_statistics(name="$by_category").version > before
    )
    eventually(lambda: status(client), FAULTED)


@pytest.mark.parametrize("how", ["reset", "disabled and enabled"])
def test_the_cure(client: EventStoreDBClient, how: str) -> None:
    """Soft-delete the stream, then reset, or disable and enable, the projection.

    It runs, all links of that category are written anew, and groups on it get all of it again.
    """
    client.create_subscription_to_stream("group", "$ce-order", resolve_links=True)
    fault(client)
    with client.read_subscription_to_stream("group", "$ce-order") as consumer:
        for _, event in zip(range(3), consumer, strict=False):
            consumer.ack(event.ack_id)
        client.delete_stream("$ce-order", current_version=StreamState.ANY)
        if how == "reset":
            client.reset_projection("$by_category")
        else:
            client.disable_projection("$by_category")
            client.enable_projection("$by_category")
        again = [event.stream_position for _, event in zip(range(3), consumer, strict=False)]
    assert again == [0, 1, 2]
    assert links(client, "$ce-order") == [f"{version}@order-1" for version in range(3)]
    assert links(client, "$ce-stock") == [f"{version}@stock-1" for version in range(2)]
    assert status(client) == "Running"
    happens(client, "stock-1")
    eventually(lambda: len(links(client, "$ce-stock")), 3)


def test_what_only_a_reset_brings_back(client: EventStoreDBClient) -> None:
    """Enabled after its stream was deleted, a projection links the events since its checkpoint.

    It has one every 4,000 events. A reset has none: all links are written anew.
    """
    for _ in range(5):
        happens(client, "order-1", 1_000)
    wait_for_version(client, "$ce-order", 4_999)
    interfere(client)
    eventually(lambda: status(client), FAULTED)
    client.delete_stream("$ce-order", current_version=StreamState.ANY)
    client.enable_projection("$by_category")
    eventually(lambda: links(client, "$ce-order")[-2:-1], ["4999@order-1"])
    assert len(links(client, "$ce-order")) < 1_010
    client.reset_projection("$by_category")
    eventually(lambda: len(links(client, "$ce-order")), 5_001)


def test_a_deleted_stream_of_a_healthy_projection(client: EventStoreDBClient) -> None:
    """Deleting a stream of links under a running projection hides them; the next ones come."""
    happens(client, "order-1", 2)
    eventually(lambda: len(links(client, "$ce-order")), 2)
    client.delete_stream("$ce-order", current_version=StreamState.ANY)
    happens(client, "order-1")
    eventually(lambda: links(client, "$ce-order"), ["2@order-1"])


def test_updated_without_emitting(client: EventStoreDBClient) -> None:
    """A system projection that is updated without ``emit_enabled`` faults at the next event."""
    client.update_projection("$by_category", query="first\n-", emit_enabled=False)
    assert status(client) == "Running"
    happens(client, "order-1")
    eventually(lambda: status(client), FAULTED)
    reason = client.get_projection_statistics(name="$by_category").state_reason
    assert reason == "'emit' is not allowed by the projection/configuration/mode"


@pytest.mark.parametrize(
    ("name", "query", "reason"),
    [
        ("$streams", "first\n-", "Empty source expected"),
        ("$by_event_type", "first\n-", "Empty source expected"),
        ("$by_category", "middle\n-", "Expected 'first' or 'last'"),
        ("$stream_by_category", "", "Expected 'first' or 'last'"),
        ("$by_correlation_id", "first\n-", "Could not parse projection source"),
        ("$by_correlation_id", '{"correlationIdProperty":"id"}', "by $correlationId only"),
    ],
)
def test_a_query_that_makes_no_sense(
    client: EventStoreDBClient, name: str, query: str, reason: str
) -> None:
    """A system projection with an invalid query is Faulted, with the reason."""
    client.update_projection(name, query=query, emit_enabled=True)
    assert status(client, name) == FAULTED
    assert reason in client.get_projection_statistics(name=name).state_reason


def test_aborted(client: EventStoreDBClient) -> None:
    """One that is disabled without a checkpoint is Aborted, and goes on all the same."""
    client.projections.disable(name="$by_category", write_checkpoint=False)
    assert status(client) == "Aborted/Stopped"
    client.enable_projection("$by_category")
    happens(client, "order-1")
    eventually(lambda: links(client, "$ce-order"), ["0@order-1"])
