"""The system projections of the embedded node, through esdbclient over a socket."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import NotFound

from embedded_eventstoredb import NodeProcess
from waiting import eventually

STANDARD = (
    "$streams",
    "$stream_by_category",
    "$by_category",
    "$by_event_type",
    "$by_correlation_id",
)


@pytest.fixture
def category() -> str:
    """A category that no other test uses."""
    return f"order{uuid4().hex}"


def append(client: EventStoreDBClient, stream: str, *events: NewEvent) -> None:
    client.append_to_stream(stream, current_version=StreamState.ANY, events=events)


def links(client: EventStoreDBClient, stream: str) -> list[str]:
    """What the links in a stream say, in their order."""
    try:
        return [link.data.decode() for link in client.get_stream(stream)]
    except NotFound:
        return []


def statuses(client: EventStoreDBClient) -> list[str]:
    """How the server's own five are."""
    return [client.get_projection_statistics(name=name).status for name in STANDARD]


def wait_for_version(client: EventStoreDBClient, stream: str, version: int) -> None:
    """Until the stream has come to that version or further."""

    def is_there() -> bool:
        found = client.get_current_version(stream)
        return isinstance(found, int) and found >= version

    eventually(is_there, True)


def test_by_category(sync_client: EventStoreDBClient, category: str) -> None:
    """The events of all streams of a category are linked in ``$ce-…``, in the order of the log."""
    for stream in ("1", "2-b", "1"):
        append(sync_client, f"{category}-{stream}", NewEvent("Happened", b"{}"))
    said = [f"0@{category}-1", f"0@{category}-2-b", f"1@{category}-1"]
    eventually(lambda: links(sync_client, f"$ce-{category}"), said)
    resolved = sync_client.get_stream(f"$ce-{category}", resolve_links=True)
    assert [event.stream_name for event in resolved] == [name[2:] for name in said]


def test_by_event_type(sync_client: EventStoreDBClient, category: str) -> None:
    """Events of one type are linked in ``$et-…``, whatever stream they are in."""
    kind = uuid4().hex
    append(sync_client, f"{category}-1", NewEvent(kind, b"{}"), NewEvent("Other", b"{}"))
    append(sync_client, category, NewEvent(kind, b"{}"))
    eventually(lambda: links(sync_client, f"$et-{kind}"), [f"0@{category}-1", f"0@{category}"])


def test_what_has_no_category(sync_client: EventStoreDBClient, category: str) -> None:
    """A stream without a dash, or one that begins with it, is in no category."""
    kind = uuid4().hex
    append(sync_client, category, NewEvent(kind, b"{}"))
    append(sync_client, f"-{category}", NewEvent(kind, b"{}"))
    append(sync_client, f"{category}-1", NewEvent(kind, b"{}"))
    eventually(lambda: len(links(sync_client, f"$et-{kind}")), 3)
    assert links(sync_client, f"$ce-{category}") == [f"0@{category}-1"]
    assert links(sync_client, "$ce-") == []


def test_what_a_link_carries(sync_client: EventStoreDBClient, category: str) -> None:
    """A link's metadata holds position, stream, cause and correlation of its target."""
    metadata = json.dumps({"$correlationId": "c-1"}).encode()
    event = NewEvent("Happened", b"{}", metadata)
    append(sync_client, f"{category}-1", event)
    eventually(lambda: len(links(sync_client, f"$ce-{category}")), 1)
    (link,) = sync_client.get_stream(f"$ce-{category}")
    (source,) = sync_client.get_stream(f"{category}-1")
    assert (link.type, link.content_type) == ("$>", "application/octet-stream")
    told = json.loads(link.metadata)
    assert told.pop("$v").count(":") == 3
    assert told == {
        "$c": source.commit_position,
        "$p": source.commit_position,
        "$o": f"{category}-1",
        "$causedBy": str(event.id),
        "$correlationId": "c-1",
    }


def test_broken_json_is_left_out(sync_client: EventStoreDBClient, category: str) -> None:
    """What calls itself JSON and is not is not linked; what is binary is, whatever it holds."""
    append(
        sync_client,
        f"{category}-1",
        NewEvent("Happened", b"{no json"),
        NewEvent("Happened", b"{no json", content_type="application/octet-stream"),
        NewEvent("Happened", b""),
        NewEvent("Happened", b'{"a": 1}', b"{no metadata"),
    )
    eventually(
        lambda: links(sync_client, f"$ce-{category}"), [f"1@{category}-1", f"3@{category}-1"]
    )


@pytest.mark.parametrize("tombstone", [True, False])
def test_a_deletion_is_linked(
    sync_client: EventStoreDBClient, category: str, tombstone: bool
) -> None:
    """The deletion of a stream, soft or by tombstone, is a marked entry in its category."""
    stream = f"{category}-1"
    append(sync_client, stream, NewEvent("Happened", b"{}"))
    remove = sync_client.tombstone_stream if tombstone else sync_client.delete_stream
    remove(stream, current_version=StreamState.ANY)
    eventually(lambda: len(links(sync_client, f"$ce-{category}")), 2)
    _, link = sync_client.get_stream(f"$ce-{category}")
    told = json.loads(link.metadata)
    assert (told["$o"], told["$deleted"]) == (stream, -1)
    deletions = sync_client.get_stream("$et-$deleted")
    assert stream in {entry.data.decode().partition("@")[2] for entry in deletions}


def test_metadata_of_a_stream_is_an_event_of_its_type(
    sync_client: EventStoreDBClient, category: str
) -> None:
    """Setting a stream's metadata is in ``$et-$metadata``, and in no category."""
    sync_client.set_stream_metadata(f"{category}-1", metadata={"a": 1})
    append(sync_client, f"{category}-1", NewEvent("Happened", b"{}"))
    eventually(lambda: links(sync_client, f"$ce-{category}"), [f"0@{category}-1"])
    assert f"0@$${category}-1" in links(sync_client, "$et-$metadata")


def test_a_link_in_a_users_stream(sync_client: EventStoreDBClient, category: str) -> None:
    """A link that a user wrote is in the category with its own target, and in no type."""
    append(sync_client, f"{category}-1", NewEvent("Happened", b"{}"))
    target = f"0@{category}-1"
    link = NewEvent("$>", target.encode(), content_type="application/octet-stream")
    append(sync_client, f"{category}-favourites", link)
    eventually(lambda: links(sync_client, f"$ce-{category}"), [target, target])
    assert links(sync_client, "$et-$>") == []


def test_all_five_run(sync_client: EventStoreDBClient, category: str) -> None:
    """Streams, streams by category and events by correlation are linked as well."""
    correlation = uuid4().hex
    correlated = json.dumps({"$correlationId": correlation}).encode()
    append(sync_client, f"{category}-1", NewEvent("Happened", b"{}", correlated))
    append(sync_client, f"{category}-2", NewEvent("Happened", b"{}", correlated))
    both = [f"0@{category}-1", f"0@{category}-2"]
    eventually(lambda: links(sync_client, f"$bc-{correlation}"), both)
    eventually(lambda: links(sync_client, "$streams")[-2:], both)
    named = f"$category-{category}"
    eventually(lambda: links(sync_client, named), [f"{category}-1", f"{category}-2"])
    assert {event.type for event in sync_client.get_stream(named)} == {"$@"}


def test_another_end_of_the_category(category: str) -> None:
    """The query of ``$by_category`` sets the separator, and whether its first or last occurrence
    counts.
    """
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:
        client.update_projection(name="$by_category", query="last\n.", emit_enabled=True)
        append(client, f"{category}.a.b-1", NewEvent("Happened", b"{}"))
        eventually(lambda: links(client, f"$ce-{category}.a"), [f"0@{category}.a.b-1"])
        client.update_projection(name="$by_category", query="middle\n.")
        told = client.get_projection_statistics(name="$by_category")
        assert told.status.startswith("Faulted")
        assert "Expected 'first' or 'last'" in told.state_reason


def test_who_may_read_links(sync_client: EventStoreDBClient, category: str) -> None:
    """Everyone may read the streams of a projection: their metadata allows it."""
    append(sync_client, f"{category}-1", NewEvent("Happened", b"{}"))
    eventually(lambda: len(links(sync_client, f"$ce-{category}")), 1)
    metadata, _ = sync_client.get_stream_metadata(f"$ce-{category}")
    assert metadata == {"$acl": {"$r": "$all", "$mr": "$all"}}


def test_checkpoints_of_the_type_index(fresh_node: NodeProcess) -> None:
    """``$et`` holds the start and the checkpoints of ``$by_event_type``."""
    with EventStoreDBClient(fresh_node.uri) as client:
        for _ in range(5):
            append(client, "order-1", *(NewEvent("Happened", b"{}") for _ in range(1_000)))
        eventually(lambda: len(links(client, "$et-Happened")), 5_000)
        began, came = client.get_stream("$et")
        assert {began.type, came.type} == {"$Checkpoint"}
        assert 0 < json.loads(began.data)["$p"] < json.loads(came.data)["$p"]


def test_reset(category: str) -> None:
    """A reset system projection links everything again; the new links replace the old ones."""
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:
        append(client, f"{category}-1", *(NewEvent("Happened", b"{}") for _ in range(2)))
        said = [f"0@{category}-1", f"1@{category}-1"]
        eventually(lambda: links(client, f"$ce-{category}"), said)
        client.reset_projection(name="$by_category")
        wait_for_version(client, f"$ce-{category}", 3)
        assert links(client, f"$ce-{category}") == said


# How they run


def test_disabled_and_enabled(category: str) -> None:
    """A disabled projection links nothing; enabled, it catches up."""
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:
        append(client, f"{category}-1", NewEvent("Happened", b"{}"))
        eventually(lambda: len(links(client, f"$ce-{category}")), 1)
        client.disable_projection(name="$by_category")
        assert client.get_projection_statistics(name="$by_category").status == "Stopped"
        append(client, f"{category}-1", NewEvent("Happened", b"{}"))
        eventually(lambda: len(links(client, "$et-Happened")), 2)
        assert links(client, f"$ce-{category}") == [f"0@{category}-1"]
        client.enable_projection(name="$by_category")
        both = [f"{version}@{category}-1" for version in range(2)]
        eventually(lambda: links(client, f"$ce-{category}"), both)


@pytest.mark.parametrize("standard", [True, False])
def test_disabled_over_a_restart(tmp_path: Path, standard: bool) -> None:
    """The standard-projections setting, which is the default, enables what was disabled."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        client.disable_projection(name="$by_category")
        client.restart_projections_subsystem()
        assert client.get_projection_statistics(name="$by_category").status == "Stopped"
    with (
        NodeProcess(tmp_path, projections=standard) as node,
        EventStoreDBClient(node.uri) as client,
    ):
        status = client.get_projection_statistics(name="$by_category").status
        assert status == ("Running" if standard else "Stopped")
        assert client.get_projection_statistics(name="$by_event_type").status == "Running"


def test_a_node_without_projections(category: str) -> None:
    """Without that setting none of a new log runs until it is enabled."""
    with NodeProcess(projections=False) as node, EventStoreDBClient(node.uri) as client:
        append(client, f"{category}-1", NewEvent("Happened", b"{}"))
        assert statuses(client) == ["Stopped"] * 5
        client.enable_projection(name="$by_category")
        eventually(lambda: links(client, f"$ce-{category}"), [f"0@{category}-1"])
        assert links(client, "$et-Happened") == []


def test_statistics(fresh_node: NodeProcess, category: str) -> None:
    """Statistics show the progress of a projection; a missing one is not found."""
    with EventStoreDBClient(fresh_node.uri) as client:
        append(client, f"{category}-1", *(NewEvent("Happened", b"{}") for _ in range(5)))
        eventually(lambda: len(links(client, f"$ce-{category}")), 5)
        eventually(lambda: client.get_projection_statistics(name="$by_category").progress, 100.0)
        told = client.get_projection_statistics(name="$by_category")
        assert (told.name, told.mode, told.status) == ("$by_category", "Continuous", "Running")
        assert told.position.startswith("C:")
        assert told.events_processed_after_restart >= 5
        with pytest.raises(NotFound):
            client.get_projection_statistics(name="$by_moon")


def test_statistics_lag_behind(category: str) -> None:
    """They are 0.25 s old; a projection that has just begun has no progress."""
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:

        def progress() -> float:
            return client.get_projection_statistics(name="$by_category").progress

        def just_begun() -> float:
            client.disable_projection(name="$by_category")
            append(client, f"{category}-1", NewEvent("Happened", b"{}"))
            client.enable_projection(name="$by_category")
            return progress()

        eventually(progress, 100.0)
        eventually(just_begun, -1.0)  # again where that has taken longer than the lag
        eventually(progress, 100.0)


def test_restart_of_the_subsystem(sync_client: EventStoreDBClient, category: str) -> None:
    """After a restart of the subsystem the projections go on as if nothing had happened."""
    append(sync_client, f"{category}-1", NewEvent("Happened", b"{}"))
    sync_client.restart_projections_subsystem()
    append(sync_client, f"{category}-1", NewEvent("Happened", b"{}"))
    eventually(
        lambda: links(sync_client, f"$ce-{category}"), [f"0@{category}-1", f"1@{category}-1"]
    )


def test_every_event_is_linked_exactly_once(tmp_path: Path) -> None:
    """However often the node is killed while it links, each event is linked once and in order."""
    for round_ in range(3):
        with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
            for number in range(5):
                happened = (NewEvent("Happened", b"{}") for _ in range(200))
                append(client, f"order-{number % 3}", *happened)
            wait_for_version(client, "$ce-order", round_ * 1_000 + 300)
            node.kill()
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        written = [event for event in client.read_all() if event.stream_name.startswith("order-")]
        expected = [f"{event.stream_position}@{event.stream_name}" for event in written]
        assert len(expected) == 3_000
        for stream in ("$ce-order", "$et-Happened"):
            wait_for_version(client, stream, len(expected) - 1)
            assert links(client, stream) == expected
