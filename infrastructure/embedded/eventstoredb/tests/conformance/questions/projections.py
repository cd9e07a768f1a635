"""User-defined projections: their results, faults and statistics."""

import asyncio
from collections.abc import Mapping
from typing import Final

from conformance.node import Node
from conformance.requests.projections import (
    Asked,
    continuous,
    delete,
    disable,
    enable,
    outcome,
    reset,
    result,
    state,
    statuses,
    update,
)
from conformance.requests.reads import RESOLVED, of_stream, read
from conformance.requests.streams import append, event
from conformance.scenarios import Answers, asks_alone

_AT_ONCE: Final = 5  # each projection is work for the node
_BY_TYPE: Final = """partitionBy(function(e) { return e.eventType }).when({
    $init: function() { return {c: 0} }, $any: function(s, e) { s.c++ }})"""
_FIELDS: Final = """{keys: Object.keys(e).sort(), seq: e.sequenceNumber, id: typeof e.eventId,
    json: e.isJson, type: e.eventType, stream: e.streamId, raw: typeof e.bodyRaw, data: e.data,
    meta: e.metadata, lm: e.linkMetadata, part: e.partition, created: typeof e.created}"""


@asks_alone
async def projection_queries(node: Node) -> Answers:
    """A projection for each form of query: its status, state and result."""
    category, name = f"proj{node.run}", f"proj{node.run}-1"
    two, three = event("Added", '{"n":2}'), event("Added", '{"n":3}')
    await append(node, name, [two, three, event("Other", '{"n":9}')])
    for label, answer in await _outcomes(node, _queries(node.run, category, name)):
        yield label, answer
    # Broken ones come last: while they are there, a server has no statistics of any projection.
    for label, answer in await _outcomes(node, _BROKEN):
        yield label, answer
    yield "emitted", await read(node, of_stream(f"out{node.run}"), count=5)
    yield "linked", await read(node, of_stream(f"lnk{node.run}"), RESOLVED, count=5)


async def _outcomes(node: Node, queries: Mapping[str, Asked]) -> list[tuple[str, object]]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(asked: Asked) -> object:
        async with turns:
            return await outcome(node, asked)

    answers = await asyncio.gather(*map(in_turn, queries.values()))
    return list(zip(queries, answers, strict=True))


def _queries(run: str, category: str, name: str) -> Mapping[str, Asked]:
    """Queries that can be run, on two events of type Added, with n 2 and 3, and another."""

    def when(handlers: str, then: str = "", before: str = "") -> str:
        return f"{before}fromStream('{name}').when({{{handlers}}}){then}"

    def added(body: str) -> str:
        return f"Added: function(s, e) {{ {body} }}"

    init = "$init: function() { return {t: 0} }, "
    emitting = f"emit('out{run}', 'X', {{a: e.body.n}}, {{m: 1}}); linkTo('lnk{run}', e)"
    counted = f"""fromCategory('{category}').foreachStream().when({{
        $init: function() {{ return {{c: 0}} }}, $any: function(s, e) {{ s.c++ }},
        $deleted: function(s, e) {{ s.d = 1 }}}})"""
    options = f"""options({{resultStreamName: 'res{run}', $includeLinks: true,
        reorderEvents: false, processingLag: 0}});"""
    modern = """$init: () => ({m: []}), Added: (s, e) => { const {n} = e.body;
        s.m = [...s.m, n ?? 0]; s.q = e.body?.zz; s.p = 'a'.padStart(3);
        s.big = String(2n ** 3n) }"""
    none, zero = "$init: function() { return null }, ", "$init: function() { return 0 }, "
    ok = added("return {ok: 1}")
    return {
        "sum": Asked(when(init + added("s.t += e.body.n"))),
        "output": Asked(when(init + added("s.t += e.body.n; return s"), ".outputState()")),
        "undefined state": Asked(when(added(""))),
        "null init": Asked(when(none + added("return {a: 1}"))),
        "number state": Asked(when(zero + added("return s + e.body.n"))),
        "throws": Asked(when(added("throw new Error('no ' + e.body.n)"))),
        "partition": Asked(f"fromStream('{name}').{_BY_TYPE}", partition="Added"),
        "partition missing": Asked(f"fromStream('{name}').{_BY_TYPE}", partition="Nope"),
        "event fields": Asked(when(added(f"return {_FIELDS}"))),
        "log": Asked(when(added("log('x'); return {ok: 1}"))),
        "options": Asked(when(ok, before=options)),
        "modern": Asked(when(modern)),
        "deleted handler": Asked(counted, partition=name),
        "emit refused": Asked(when(added(f"emit('out{run}', 'X', {{a: 1}})"))),
        "emit": Asked(when(added(emitting)), emits=True),
    }


_BROKEN: Final = {
    "syntax": Asked("fromStream('x').when({"),
    "empty": Asked(""),
    "no source": Asked("1+1"),
    "unknown name": Asked("nope('x')"),
    "bad option": Asked("options({nope: 1}); fromStream('x').when({Added: function(s, e) {}})"),
}
"""Queries that cannot be run."""


@asks_alone
async def projections_listed(node: Node) -> Answers:
    """The system projections."""
    yield "", await continuous(node)


@asks_alone
async def projection_missing(node: Node) -> Answers:
    """Every call about a projection that does not exist."""
    for label, call in (
        ("Enable", enable),
        ("Disable", disable),
        ("Delete", delete),
        ("Reset", reset),
        ("State", state),
        ("Result", result),
        ("Update", update),
        ("Statistics", statuses),
    ):
        yield label, await call(node, "nope")
