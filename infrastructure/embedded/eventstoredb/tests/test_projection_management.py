"""Projections from their creation to their end, through esdbclient over a socket."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import psutil
import pytest
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient
from esdbclient.exceptions import AlreadyExists, FailedPrecondition, NotFound, OperationFailed
from esdbclient.protos.Grpc import projections_pb2, projections_pb2_grpc, shared_pb2

from embedded_eventstoredb import NodeProcess
from embedded_eventstoredb.projections.definitions import Definition
from embedded_eventstoredb.projections.projections import Projections
from embedded_eventstoredb.storage import Storage
from projecting import Projecting
from waiting import PATIENCE, eventually

COUNT = "$init() { return {n: 0}; }, Happened(state) { state.n += 1; }"


@pytest.fixture
def stub(node: NodeProcess) -> Iterator[Any]:
    """What the client does not do: the service itself."""
    address = node.uri.removeprefix("esdb://").partition("?")[0]
    with grpc.insecure_channel(address) as channel:
        yield projections_pb2_grpc.ProjectionsStub(channel)  # type: ignore[no-untyped-call]  # so generated


def counting(stream: str) -> str:
    """A query that counts the events of a stream, and writes an event at each."""
    return (
        f"fromStream('{stream}').when({{ $init() {{ return {{n: 0}}; }},"
        f" Happened(s) {{ s.n += 1; emit('{stream}-out', 'Counted', s); }} }}).outputState()"
    )


def test_a_name_is_taken_once(projecting: Projecting) -> None:
    """A projection that is there already cannot be created."""
    name = projecting.project("fromAll()")
    with pytest.raises(AlreadyExists):
        projecting.client.create_projection(name=name, query="fromAll()")


def test_what_is_not_there(projecting: Projecting, fresh: Callable[[str], str], stub: Any) -> None:
    """Every call for a missing projection is answered "not found"."""
    client, name = projecting.client, fresh("projection")
    for ask in (
        client.get_projection_state,
        client.enable_projection,
        client.disable_projection,
        client.reset_projection,
        client.delete_projection,
    ):
        with pytest.raises(NotFound):
            ask(name)
    with pytest.raises(NotFound):
        client.update_projection(name=name, query="")
    with pytest.raises(NotFound):
        client.get_projection_statistics(name=name)
    options = projections_pb2.ResultReq.Options(name=name)
    with pytest.raises(grpc.RpcError) as raised:
        stub.Result(projections_pb2.ResultReq(options=options))
    assert f"Projection '{name}' not found" in str(raised.value)


def test_statistics(projecting: Projecting, stream: str) -> None:
    """They show the position in each source stream, the progress, and the number of handled
    events.
    """
    name = projecting.project(f"fromStreams('{stream}', '{stream}-2').when({{{COUNT}}})")
    before = projecting.client.get_projection_statistics(name=name)
    assert before.position == f"{stream}: -1; {stream}-2: -1; "
    eventually(lambda: projecting.client.get_projection_statistics(name=name).progress, 100.0)
    projecting.happens(stream, "Happened", "Other")
    eventually(
        lambda: projecting.client.get_projection_statistics(name=name).position,
        f"{stream}: 1; {stream}-2: -1; ",
    )
    told = projecting.client.get_projection_statistics(name=name)
    assert (told.name, told.mode, told.status) == (name, "Continuous", "Running")
    assert (told.version, told.epoch) == (0, -1)
    assert told.events_processed_after_restart == 1
    assert told.progress == 100.0


def test_disabled_and_enabled(projecting: Projecting, stream: str) -> None:
    """A disabled projection keeps its state, and when it is enabled takes what it has missed."""
    name = projecting.project(counting(stream))
    projecting.happens(stream, "Happened")
    projecting.has_state(name, {"n": 1})
    projecting.client.disable_projection(name=name)
    assert projecting.status(name) == "Stopped"
    projecting.happens(stream, "Happened", "Happened")
    assert projecting.state(name) == {"n": 1}
    projecting.client.enable_projection(name=name)
    projecting.has_state(name, {"n": 3})
    eventually(lambda: projecting.bodies(f"{stream}-out"), [{"n": n} for n in (1, 2, 3)])


def test_aborted(projecting: Projecting, stream: str) -> None:
    """One that was disabled without a checkpoint is Aborted, and goes on all the same."""
    name = projecting.project(counting(stream))
    projecting.client.projections.disable(name=name, write_checkpoint=False)
    assert projecting.status(name) == "Aborted/Stopped"
    with pytest.raises(OperationFailed):
        projecting.client.delete_projection(name=name)
    projecting.client.enable_projection(name=name)
    projecting.happens(stream, "Happened")
    projecting.has_state(name, {"n": 1})


def test_update(projecting: Projecting, stream: str) -> None:
    """Another query goes on from where the last one was, with its state."""
    name = projecting.project(f"fromStream('{stream}').when({{{COUNT}}})")
    projecting.happens(stream, "Happened", "Happened")
    projecting.has_state(name, {"n": 2})
    query = f"fromStream('{stream}').when({{ Happened(s) {{ s.n += 10; }} }})"
    projecting.client.update_projection(name=name, query=query)
    projecting.happens(stream, "Happened")
    projecting.has_state(name, {"n": 12})
    projecting.client.update_projection(name=name, query="fromAll()")
    assert projecting.reason(name) == (
        "Conversion from Stream to Position position tag is not supported"
    )


def test_a_fault_that_is_mended(projecting: Projecting, stream: str) -> None:
    """With a better query, a projection at fault takes the event that it failed at."""
    bad = f"fromStream('{stream}').when({{{COUNT.replace('+= 1', '+= nothing')}}})"
    name = projecting.project(bad)
    projecting.happens(stream, "Happened")
    assert "nothing" in projecting.has_faulted(name)
    projecting.client.update_projection(
        name=name, query=f"fromStream('{stream}').when({{{COUNT}}})"
    )
    projecting.has_state(name, {"n": 1})


@pytest.mark.parametrize("stopped", [True, False])
def test_reset(projecting: Projecting, stream: str, stopped: bool) -> None:
    """A reset projection starts from the beginning; its output replaces the earlier one."""
    name = projecting.project(counting(stream))
    projecting.happens(stream, "Happened", "Happened")
    projecting.has_state(name, {"n": 2})
    if stopped:
        projecting.client.disable_projection(name=name)
    projecting.client.reset_projection(name=name)
    if stopped:
        assert (projecting.state(name), projecting.processed(name)) == ({}, 0)
        projecting.client.enable_projection(name=name)
    projecting.has_state(name, {"n": 2})
    for written in (f"{stream}-out", f"$projections-{name}-result"):
        eventually(
            lambda: [event.stream_position for event in projecting.events(written)],  # noqa: B023  # at once
            [2, 3],
        )
        assert projecting.bodies(written) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("emitted_too", [True, False])
def test_delete(projecting: Projecting, stream: str, emitted_too: bool) -> None:
    """Once stopped it can be deleted, and what it emitted with it; its results stay."""
    name = projecting.project(counting(stream), tracks=True)
    projecting.happens(stream, "Happened")
    projecting.has_state(name, {"n": 1})
    tracked = f"$projections-{name}-emittedstreams"
    eventually(lambda: projecting.said(tracked), [f"{stream}-out"])
    with pytest.raises(OperationFailed):
        projecting.client.delete_projection(name=name)
    projecting.client.disable_projection(name=name)
    projecting.client.delete_projection(name=name, delete_emitted_streams=emitted_too)
    projecting.has_left(name)
    with pytest.raises(NotFound):
        projecting.client.delete_projection(name=name)
    assert len(projecting.events(f"{stream}-out")) == (0 if emitted_too else 1)
    assert len(projecting.events(tracked)) == (0 if emitted_too else 1)
    assert projecting.bodies(f"$projections-{name}-result") == [{"n": 1}]


def test_created_again(projecting: Projecting, stream: str) -> None:
    """A name can be used again; the new projection knows nothing of the old one."""
    query = f"fromStream('{stream}').when({{{COUNT}}})"
    name = projecting.project(query)
    projecting.happens(stream, "Happened")
    projecting.has_state(name, {"n": 1})
    projecting.client.disable_projection(name=name)
    projecting.client.delete_projection(name=name)
    projecting.has_left(name)
    projecting.client.create_projection(name=name, query=query)
    projecting.has_state(name, {"n": 1})
    projecting.has_processed(name, 1)


def test_created_again_at_once(projecting: Projecting) -> None:
    """For a moment after a projection was deleted its name is still taken."""
    name = projecting.project("fromAll()")

    def is_taken() -> bool:
        projecting.client.disable_projection(name=name)
        projecting.client.delete_projection(name=name)
        try:
            projecting.client.create_projection(name=name, query="fromAll()")
        except AlreadyExists:
            return True
        return False

    eventually(is_taken, True)  # again where that has taken longer than the moment


def test_system_projections_are_not_deleted(projecting: Projecting) -> None:
    """Not even when they are stopped."""
    with pytest.raises(OperationFailed):
        projecting.client.delete_projection(name="$streams")


def test_result(projecting: Projecting, stream: str, stub: Any) -> None:
    """The result can be read; it is the state after the query's transformations."""
    name = projecting.project(
        f"fromStream('{stream}').when({{{COUNT}}}).transformBy(s => ({{double: 2 * s.n}}))"
    )
    projecting.happens(stream, "Happened")
    projecting.has_state(name, {"n": 1})
    options = projections_pb2.ResultReq.Options(name=name)
    result = stub.Result(projections_pb2.ResultReq(options=options)).result
    assert dict(result.struct_value) == {"double": 2}


def test_all_statistics(projecting: Projecting, stub: Any) -> None:
    """All of them can be listed; none of them is a one-time query."""
    name, empty = projecting.project("fromAll()"), shared_pb2.Empty()
    wanted = {
        "all": projections_pb2.StatisticsReq.Options(all=empty),
        "continuous": projections_pb2.StatisticsReq.Options(continuous=empty),
        "one-time": projections_pb2.StatisticsReq.Options(one_time=empty),
        "transient": projections_pb2.StatisticsReq.Options(transient=empty),
    }
    names = {}
    for mode, options in wanted.items():
        told = stub.Statistics(projections_pb2.StatisticsReq(options=options))
        names[mode] = {statistics.details.name for statistics in told}
    assert names["all"] == names["continuous"] >= {name, "$by_category", "$streams"}
    assert names["one-time"] == names["transient"] == set()


@pytest.mark.parametrize("mode", ["OneTime", "Transient"])
def test_a_query_that_ends(
    projecting: Projecting, fresh: Callable[[str], str], stream: str, stub: Any, mode: str
) -> None:
    """A one-time projection, which is named by a GUID, and a transient one read what there is.

    They are Completed then, write their result, and take nothing that comes later.
    """
    projecting.happens(stream, "Happened", "Happened")
    options = projections_pb2.CreateReq.Options(
        query=f"fromStream('{stream}').when({{{COUNT}}})", one_time=shared_pb2.Empty()
    )
    if mode == "Transient":
        options.transient.name = fresh("query")
    before = names_of(stub, mode)
    stub.Create(projections_pb2.CreateReq(options=options))
    (name,) = names_of(stub, mode) - before
    assert name == options.transient.name or UUID(name)
    eventually(lambda: projecting.status(name), "Completed/Stopped/Writing results")
    told = projecting.client.get_projection_statistics(name=name)
    assert (told.mode, told.progress) == (mode, 100.0)
    projecting.happens(stream, "Happened")
    assert projecting.state(name) == {"n": 2}
    results = f"$projections-{name}-result"
    eventually(
        lambda: [(event.type, event.data) for event in projecting.events(results)],
        [("Result", b'{"n":2}'), ("$Eof", b"")],
    )
    registry = projecting.said("$projections-$all")
    assert (name in registry) == (mode == "OneTime")
    projecting.client.enable_projection(name=name)
    projecting.has_state(name, {"n": 3})
    projecting.client.disable_projection(name=name)
    projecting.client.delete_projection(name=name)
    projecting.has_left(name)


def names_of(stub: Any, mode: str) -> set[str]:
    """All projections of that mode."""
    options = projections_pb2.StatisticsReq.Options()
    getattr(options, {"OneTime": "one_time"}.get(mode, mode.lower())).SetInParent()
    told = stub.Statistics(projections_pb2.StatisticsReq(options=options))
    return {statistics.details.name for statistics in told}


def test_queries_over_a_restart(tmp_path: Path, stream: str) -> None:
    """A one-time projection survives a restart, and reads everything again; a transient one does
    not.
    """
    pytest.importorskip("quickjs")
    query = f"fromStream('{stream}').when({{{COUNT}}})"
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        created = (
            {"one_time": shared_pb2.Empty()},
            {"transient": projections_pb2.CreateReq.Options.Transient(name="query")},
        )
        for mode in created:
            options = projections_pb2.CreateReq.Options(query=query, **mode)
            client.projections._stub.Create(projections_pb2.CreateReq(options=options))
        (name,) = names_of(client.projections._stub, "OneTime")
        Projecting(client, str).happens(stream, "Happened")
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        Projecting(client, str).has_state(name, {"n": 1})
        assert names_of(client.projections._stub, "Transient") == set()


def test_where_definitions_are_kept(projecting: Projecting, stream: str) -> None:
    """The log holds the list of projections, and each version of their definitions."""
    name = projecting.project(counting(stream))
    projecting.client.disable_projection(name=name)
    registry = projecting.events("$projections-$all")
    assert registry[0].type == "$ProjectionsInitialized"
    assert (registry[-1].type, registry[-1].data.decode()) == ("$ProjectionCreated", name)
    versions = projecting.bodies(f"$projections-{name}")
    assert [version.get("enabled", False) for version in versions] == [True, False]
    assert versions[0]["query"] == counting(stream)
    projecting.client.delete_projection(name=name)
    newest = projecting.events("$projections-$all")[-1]
    assert (newest.type, newest.data.decode()) == ("$ProjectionDeleted", name)


@pytest.mark.parametrize("how", ["restarted", "updated", "disabled"])
def test_stopped_in_the_middle(projecting: Projecting, stream: str, how: str) -> None:
    """However a projection is stopped and started while it works, each event counts once."""
    client = projecting.client
    projecting.happens(stream, *["Happened"] * 3_000)
    name = projecting.project(counting(stream))
    for _ in range(8):
        match how:
            case "restarted":
                projecting.restart()
            case "updated":
                client.update_projection(name=name, query=counting(stream), emit_enabled=True)
            case "disabled":
                client.disable_projection(name=name)
                client.enable_projection(name=name)
    projecting.has_state(name, {"n": 3_000})
    expected = [{"n": n} for n in range(1, 3_001)]
    eventually(lambda: projecting.bodies(f"{stream}-out"), expected)


async def test_asyncio_client(
    client: AsyncEventStoreDBClient, fresh: Callable[[str], str], stream: str
) -> None:
    """The asyncio client gets the same answers."""
    pytest.importorskip("quickjs")
    name = fresh("projection")
    with pytest.raises(NotFound):
        await client.get_projection_state(name=name)
    await client.create_projection(name=name, query=counting(stream))
    with pytest.raises(AlreadyExists):
        await client.create_projection(name=name, query=counting(stream))
    await client.update_projection(name=name, query=counting(stream), emit_enabled=True)
    assert (await client.get_projection_state(name=name)).value == {}
    await client.disable_projection(name=name)
    await client.reset_projection(name=name)
    assert (await client.get_projection_statistics(name=name)).status == "Stopped"
    await client.enable_projection(name=name)
    await client.restart_projections_subsystem()
    await client.disable_projection(name=name)
    await client.delete_projection(name=name)
    with pytest.raises(NotFound):
        await asyncio.wait_for(until_it_leaves(client, name), PATIENCE)


async def until_it_leaves(client: AsyncEventStoreDBClient, name: str) -> None:
    """Looks again and again. Raises NotFound."""
    while (await client.get_projection_statistics(name=name)).status == "Deleting/Stopped":
        pass


def test_a_restart_within_a_restart(fresh_node: NodeProcess) -> None:
    """While the projections restart, they cannot be restarted once more."""
    with EventStoreDBClient(fresh_node.uri) as client:

        def refusal() -> str:
            try:
                client.restart_projections_subsystem()
            except FailedPrecondition as refused:
                return str(refused)
            return ""

        told = "Projection Subsystem cannot be restarted as it is in the wrong state: Restarting"
        eventually(refusal, told)
        eventually(refusal, "")


# Over restarts


def test_a_restarted_node(tmp_path: Path, fresh: Callable[[str], str], stream: str) -> None:
    """Projections, their states and whether they run outlast the node."""
    pytest.importorskip("quickjs")
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        projecting = Projecting(client, fresh)
        name, resting = (
            projecting.project(counting(stream)),
            projecting.project(counting(f"{stream}-2")),
        )
        client.disable_projection(name=resting)
        projecting.happens(stream, "Happened")
        projecting.has_state(name, {"n": 1})
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        projecting = Projecting(client, fresh)
        eventually(lambda: projecting.status(name), "Running")
        assert projecting.state(name) == {"n": 1}
        assert projecting.status(resting) == "Stopped"
        projecting.happens(stream, "Happened")
        projecting.has_state(name, {"n": 2})
        eventually(lambda: projecting.bodies(f"{stream}-out"), [{"n": 1}, {"n": 2}])


def test_scripts_end_with_their_node(fresh: Callable[[str], str]) -> None:
    """However a node ends, it leaves no process of a projection behind."""
    pytest.importorskip("quickjs")
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:
        Projecting(client, fresh).project("fromAll()")
        scripts = psutil.Process(node.pid).children()
        assert len(scripts) == 1
        node.kill()
        assert psutil.wait_procs(scripts, timeout=PATIENCE)[1] == []


def test_every_event_counts_exactly_once(tmp_path: Path, fresh: Callable[[str], str]) -> None:
    """However often the node is killed, states, results and emitted events agree to the last."""
    pytest.importorskip("quickjs")
    query = (
        "fromCategory('order').foreachStream().when({ $init() { return {n: 0}; },"
        " Happened(s, e) { s.n += 1; emit('out', 'Counted', {n: s.n}); linkTo('links', e); }"
        "}).outputState()"
    )
    rounds = 4
    for round_ in range(rounds):
        with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
            projecting = Projecting(client, fresh)
            if not round_:
                client.create_projection(name="counts", query=query, emit_enabled=True)
            for number in range(5):
                projecting.happens(f"order-{number}", *["Happened"] * 200)
            wanted = round_ * 1_000 + 300
            eventually(lambda: len(projecting.events("out")) >= wanted, True)  # noqa: B023  # at once
            node.kill()
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        projecting = Projecting(client, fresh)
        eventually(lambda: len(projecting.events("out")), rounds * 1_000)
        for number in range(5):
            assert projecting.state("counts", f"order-{number}") == {"n": rounds * 200}
            results = f"$projections-counts-order-{number}-result"
            eventually(
                lambda: projecting.bodies(results),  # noqa: B023  # at once
                [{"n": n} for n in range(1, rounds * 200 + 1)],
            )
        links = projecting.said("links")
        assert len(set(links)) == len(links) == rounds * 1_000


async def test_nothing_is_reported_of_a_node_that_has_stopped() -> None:
    """A report that is due is dropped with the node: others go on in the same process."""
    pytest.importorskip("quickjs")
    failures: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context))
    storage = Storage()
    projections = Projections(storage)
    await projections.start()
    await projections.create(Definition("counts", query=f"fromStream('s').when({{{COUNT}}})"))
    await projections.stop()
    storage.close()
    await asyncio.sleep(0.3)  # a report is due after 0.25 s
    assert failures == []
