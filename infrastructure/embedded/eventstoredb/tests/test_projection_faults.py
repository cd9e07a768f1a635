"""Faulted projections: they show the reason, and do not affect others."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import DeadlineExceeded, ExceptionThrownByHandler, GrpcError

from embedded_eventstoredb import NodeProcess
from projecting import Projecting
from waiting import PATIENCE, eventually

COUNT = "$init() { return {n: 0}; }, Happened(state) { state.n += 1; }"


def emitting(stream: str) -> str:
    """A query that writes an event for each one in a stream."""
    return (
        f"fromStream('{stream}').when({{ Happened() {{ emit('{stream}-out', 'Told', {{}}); }} }})"
    )


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "None of streams and categories are included"),
        ("fromAll(", "SyntaxError"),
        ("fromStream(4)", "string expected"),
        ("fromStream('s').foreachStream()", "not a function"),
        ("fromStream('s').when({A() {}, $any() {}})", "Both AllEvents and specific event filters"),
        ("fromAll(); fromStream('s').when({})", "Both FromAll and specific"),
        ("fromAll().when({$deleted() {}})", "only supported with foreachStream()"),
        ("options({speed: 3}); fromAll()", "Unrecognized option: speed"),
        ("options({reorderEvents: true}); fromAll()", "reordering cannot be used with fromAll()"),
        ("for (;;) {}", "took too long to compile"),
        ("emit('a', 'b', {}); fromAll()", "emit"),
    ],
)
def test_a_query_that_makes_no_sense(projecting: Projecting, query: str, reason: str) -> None:
    """It is taken, and is Faulted, with its reason."""
    name = projecting.project(query)
    assert projecting.status(name) == "Faulted"
    assert reason in projecting.reason(name)


def test_state_that_never_was(projecting: Projecting) -> None:
    """A projection with a query that does not compile does not answer a request for its state."""
    name = projecting.project("")
    with pytest.raises(DeadlineExceeded):
        projecting.client.get_projection_state(name=name, timeout=0.2)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("throw new Error('no such thing')", "no such thing"),
        ("for (;;) {}", "took too long to execute"),
        ("/(a+)+$/.test('a'.repeat(60) + 'b')", "took too long to execute"),
        ("throw {toString() { for (;;) {} }}", "took too long to execute"),
        ("const a = []; for (;;) a.push('x'.repeat(1000) + a.length)", "out of memory"),
        ("(function f() { f(); })()", "stack"),
        ("emit('', 'Told', {})", "streamId"),
        ("emit('out', 'Told', 3)", "object expected"),
        ("linkTo('out', {})", "Invalid link to event"),
    ],
)
def test_a_handler_that_fails(projecting: Projecting, stream: str, bad: str, reason: str) -> None:
    """Earlier effects stay; the reason names the event that failed; other projections go on."""
    name = projecting.project(
        f"fromStream('{stream}').when({{{COUNT}, Bad(s) {{ s.n = 99; {bad}; }}}})"
    )
    other = projecting.project(f"fromStream('{stream}').when({{{COUNT}}})")
    projecting.happens(stream, "Happened", "Happened", "Bad", "Happened")
    why = projecting.has_faulted(name)
    assert projecting.status(name) == "Faulted (Enabled)"
    assert f"The {name} projection failed to process an event." in why
    assert f"Event Position: {stream}: 2\r\n" in why
    assert reason in why
    assert projecting.state(name) == {"n": 2}
    projecting.has_state(other, {"n": 3})


def test_runaway_scripts_leave_the_node_free(projecting: Projecting, stream: str) -> None:
    """While a script hangs, the node goes on answering others."""
    name = projecting.project(f"fromStream('{stream}').when({{ Bad() {{ for (;;) {{}} }} }})")
    projecting.happens(stream, "Bad")
    answered, deadline = 0, time.monotonic() + PATIENCE
    while projecting.status(name) == "Running":
        assert time.monotonic() < deadline, "nobody has stopped it"
        projecting.happens(f"{stream}-2", "Happened")
        answered += 1
    assert "took too long" in projecting.reason(name)
    assert answered > 5, "one or two come before the script, and none after it"


def test_a_query_that_emits_much(fresh: Callable[[str], str], stream: str) -> None:
    """What a batch makes it write is written in parts: memory is bounded, and nothing lacks."""
    pytest.importorskip("quickjs")
    megabyte = "const text = 'x'.repeat(10000); for (let i = 0; i < 100; i++)"
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:
        projecting = Projecting(client, fresh)
        projecting.happens(stream, *["Happened"] * 80)
        name = projecting.project(
            f"fromStream('{stream}').when({{ Happened(s, e) {{"
            f" {megabyte} emit('{stream}-out', 'Told', {{ text }}); s.n = e.sequenceNumber; }} }})"
        )
        (script,) = psutil.Process(node.pid).children()
        most = 0

        def is_done() -> bool:
            nonlocal most
            most = max(most, script.memory_info().rss)
            return bool(projecting.state(name) == {"n": 79})

        eventually(is_done, True)
        assert most < 150 << 20
        eventually(lambda: client.get_current_version(f"{stream}-out") == 7_999, True)


def test_emitting_has_to_be_allowed(projecting: Projecting, stream: str) -> None:
    """A projection that may not emit and does is at fault, and has emitted nothing."""
    emits = f"emit('{stream}-out', 'Told', {{}});"
    query = f"fromStream('{stream}').when({{{COUNT}, Bad() {{ {emits} }}}})"
    name = projecting.project(query, emits=False)
    projecting.happens(stream, "Happened", "Bad", "Happened")
    why = projecting.has_faulted(name)
    assert why == "'emit' is not allowed by the projection/configuration/mode"
    assert projecting.events(f"{stream}-out") == []
    assert projecting.state(name) == {"n": 1}
    projecting.client.update_projection(name=name, query=query, emit_enabled=True)
    projecting.has_state(name, {"n": 2})
    eventually(lambda: len(projecting.events(f"{stream}-out")), 1)


def test_a_stream_of_another_projection(projecting: Projecting, stream: str) -> None:
    """Two projections do not write one stream: the second one is at fault."""
    query = emitting(stream)
    first = projecting.project(query)
    projecting.happens(stream, "Happened")
    projecting.has_processed(first, 1)
    why = projecting.has_faulted(projecting.project(query))
    assert "Multiple projections emitting to the same stream detected." in why
    assert projecting.status(first) == "Running"


def test_a_stream_of_somebody_else(projecting: Projecting, stream: str) -> None:
    """A projection does not write to a stream that another writer wrote last."""
    foreign = NewEvent("Foreign", b"{}")
    projecting.client.append_to_stream(
        f"{stream}-out", current_version=StreamState.ANY, events=[foreign]
    )
    projecting.happens(stream, "Happened")
    why = projecting.has_faulted(projecting.project(emitting(stream)))
    assert f"The '{stream}-out' stream managed by projection" in why
    assert "has been written to from the outside" in why


def test_a_stream_that_is_gone_for_good(projecting: Projecting, stream: str) -> None:
    """What is to be written to a tombstoned stream is a fault."""
    projecting.client.tombstone_stream(f"{stream}-out", current_version=StreamState.ANY)
    name = projecting.project(emitting(stream))
    projecting.happens(stream, "Happened")
    assert projecting.has_faulted(name) == (
        f"Stream : {stream}-out is deleted. Cannot emit events to it"
    )


def test_tracking_needs_emitting(projecting: Projecting) -> None:
    """To track what may not be emitted makes no sense."""
    with pytest.raises(ExceptionThrownByHandler):
        projecting.project("fromAll()", emits=False, tracks=True)


def test_without_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Callable[[str], str]
) -> None:
    """Without a JavaScript engine, a projection is refused with what to install."""
    (tmp_path / "quickjs.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with NodeProcess() as node, EventStoreDBClient(node.uri) as client:
        with pytest.raises(GrpcError, match="install the package quickjs"):
            client.create_projection(name=fresh("projection"), query="fromAll()")
        assert client.get_projection_statistics(name="$by_category").status == "Running"
