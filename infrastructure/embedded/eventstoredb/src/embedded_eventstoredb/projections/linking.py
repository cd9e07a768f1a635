"""Links a batch of the log for all system projections that are behind it, in one transaction."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from embedded_eventstoredb.errors import EXPECT_ANY
from embedded_eventstoredb.projections.claims import EMIT_REFUSED, Claim, claim
from embedded_eventstoredb.projections.definitions import Definition, Faulted
from embedded_eventstoredb.projections.link_rules import Rule
from embedded_eventstoredb.projections.positions import stamp
from embedded_eventstoredb.storage import (
    Linkable,
    NewRecord,
    Stream,
    Transaction,
    compact,
    id_text,
    quoted,
)
from embedded_eventstoredb.streams import append

BATCH: Final = 256
CHECKPOINT_AFTER: Final = 4_000
"""Events between two checkpoints of a projection, as on the server."""

_TYPE_INDEX: Final = "$et"
_NOTHING_YET: Final = -2  # before the first position


class End(NamedTuple):
    """The end of a projection's own stream: its version, and what caused its newest record."""

    version: int
    written: int


@dataclass(frozen=True)
class Run:
    """A running projection as a batch needs to know it, with its position."""

    definition: Definition
    rule: Rule
    position: int
    handled: int
    since_checkpoint: int
    ends: dict[str, End]


@dataclass
class Step:
    """The outcome of a batch for one run.

    ``interfered``: another writer has written to its stream.
    """

    position: int
    handled: int = 0
    checkpointed: bool = False
    interfered: bool = False
    fault: str = ""
    ends: dict[str, End] = field(default_factory=dict)


_Link = tuple[int, NewRecord]


def link_batch(
    transaction: Transaction, after: int, runs: Sequence[Run], checkpoint_keys: Sequence[str]
) -> list[Step]:
    """Write the links of the next records beyond ``after``, and the checkpoints that are due."""
    sources = transaction.read_linkable(after, BATCH)
    full = len(sources) == BATCH
    end = sources[-1].position if full else transaction.last_position
    tailed, positions = _Sources(sources), [source.position for source in sources]
    planned = [_plan(run, tailed, _count(positions, run.position, end), end) for run in runs]
    streams = transaction.streams({name for links in planned for name in links})
    steps = []
    for run, links, key in zip(runs, planned, checkpoint_keys, strict=True):
        step = _Writing(transaction, run, streams).write(links, end)
        step.handled = _count(positions, run.position, step.position)
        if step.position == end and _is_due(run, step.handled):
            step.checkpointed = True
            transaction.set_state(key, str(end).encode())
        steps.append(step)
    return steps


def _count(positions: Sequence[int], after: int, upto: int) -> int:
    return bisect_right(positions, upto) - bisect_right(positions, after)


def _is_due(run: Run, coming: int) -> bool:
    return run.since_checkpoint + coming >= CHECKPOINT_AFTER


class _Sources:
    """The records of a batch, each with the end of the metadata of every link to it."""

    def __init__(self, sources: Sequence[Linkable]) -> None:
        self._sources = sources
        self._tails = [_tail(source) for source in sources]

    def links(self, run: Run) -> Iterator[tuple[str, _Link]]:
        """The links of a run for records that it has not passed, by stream."""
        head = f'{{"$v":"{run.definition.stamp}"'
        for source, tail in zip(self._sources, self._tails, strict=True):
            position = source.position
            if position > run.position and (target := run.rule(source)):
                metadata = f'{head},"$c":{position},"$p":{position}{target.added}{tail}'
                said = metadata.encode(errors="replace")
                record = NewRecord(target.type, target.data.encode(), said)
                yield target.stream, (position, record)


def _tail(source: Linkable) -> str:
    """The end of a link's metadata, as compact JSON: cause and correlation."""
    cause = id_text(source.id)
    if source.correlation_id is None:
        return f',"$causedBy":"{cause}"}}'
    return f',"$causedBy":"{cause}","$correlationId":{quoted(source.correlation_id)}}}'


def _plan(run: Run, sources: _Sources, coming: int, end: int) -> dict[str, list[_Link]]:
    """The links of a run for sources that it has not passed, by stream, in their order."""
    planned: dict[str, list[_Link]] = {}
    tells = run.definition.name == "$by_event_type"
    if tells and coming and not run.handled:
        planned[_TYPE_INDEX] = [_checkpoint_entry(run.definition, run.position)]
    for stream, link in sources.links(run):
        planned.setdefault(stream, []).append(link)
    if tells and _is_due(run, coming):
        planned.setdefault(_TYPE_INDEX, []).append(_checkpoint_entry(run.definition, end))
    return planned


class _Interfered(Exception):
    """Another writer has written to a stream since the projection did."""


class _Writing:
    """Writes the links of one run."""

    def __init__(self, transaction: Transaction, run: Run, streams: dict[str, Stream]) -> None:
        self._transaction = transaction
        self._run = run
        self._streams = streams

    def write(self, planned: dict[str, list[_Link]], end: int) -> Step:
        """Write all links, or those before the first one to a stream that another writer has
        written.
        """
        step, claimed = Step(end), []
        for name, links in planned.items():
            (first, _), stream = links[0], self._streams.get(name) or Stream(0, name)
            if first > step.position:
                break
            try:
                claimed.append((stream, links, self._claim(stream)))
            except _Interfered:
                step.position, step.interfered = first - 1, True
            except Faulted as fault:
                step.position, step.fault = first - 1, str(fault)
        appends: list[tuple[Stream, Sequence[NewRecord]]] = []
        for stream, links, found in claimed:
            appends += self._appends(stream, links, found, step)
        self._transaction.append_all(appends)
        return step

    def _claim(self, stream: Stream) -> Claim:
        if left := self._run.ends.get(stream.name):
            if left.version != stream.last_version:
                raise _Interfered
            return Claim(left.written, None)
        if not self._run.definition.emit_enabled:
            raise Faulted(EMIT_REFUSED)
        return claim(self._transaction, self._run.definition, stream)

    def _appends(
        self, stream: Stream, links: list[_Link], found: Claim, step: Step
    ) -> Iterator[tuple[Stream, Sequence[NewRecord]]]:
        """The links that a stream still lacks, after the metadata that it needs."""
        written = found.written if isinstance(found.written, int) else _NOTHING_YET
        lacking = [link for link in links if written < link[0] <= step.position]
        records = [record for _, record in lacking]
        if not records:
            return
        step.ends[stream.name] = End(stream.last_version + len(records), lacking[-1][0])
        if found.metadata is not None:
            yield self._metastream(stream), [found.metadata]
        if stream.soft_deleted and found.metadata is None:  # deleted meanwhile
            append(self._transaction, stream.name, EXPECT_ANY, records)
        else:
            yield stream, records

    def _metastream(self, stream: Stream) -> Stream:
        """A stream that has no key has no metadata either: writing that gives it one."""
        name = f"$${stream.name}"
        return self._transaction.stream(name) if stream.key else Stream(0, name)


def _checkpoint_entry(definition: Definition, position: int) -> _Link:
    """``$et`` gets an entry after each start, and one for every checkpoint."""
    at = stamp(position)
    record = NewRecord(
        "$Checkpoint", compact(at), compact({"$v": definition.stamp, **at}), is_json=True
    )
    return position, record
