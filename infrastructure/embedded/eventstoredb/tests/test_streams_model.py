"""Random appends, deletes and reads against a model of one stream that fits on a page."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from embedded_eventstoredb import streams
from embedded_eventstoredb.errors import (
    EXPECT_ANY,
    EXPECT_EXISTS,
    EXPECT_NO_STREAM,
    Refusal,
)
from embedded_eventstoredb.storage import MAX_VERSION, NewRecord, Storage

NAMES = st.sampled_from(["a", "b"])
EXPECTED = st.one_of(
    st.sampled_from([EXPECT_ANY, EXPECT_NO_STREAM, EXPECT_EXISTS]), st.integers(0, 6)
)


@dataclass
class Model:
    """What a stream should be: its ids by version, what is cut off, and how it was deleted."""

    ids: list[bytes] = field(default_factory=list)
    first: int = 0
    hidden: bool = False
    has_metadata: bool = False
    tombstoned: bool = False

    def accepts(self, expected: int) -> bool:
        if self.tombstoned:
            return False
        match expected:
            case _ if expected == EXPECT_ANY:
                return True
            case _ if expected == EXPECT_EXISTS:
                return not self.hidden and (bool(self.ids) or self.has_metadata)
            case _ if expected == EXPECT_NO_STREAM:
                return not self.ids or self.hidden
            case version:
                return version == len(self.ids) - 1

    def append(self, ids: list[bytes]) -> None:
        if self.hidden:
            self.first, self.hidden = len(self.ids), False
        self.ids += ids

    @property
    def visible(self) -> list[bytes] | None:
        """None: not found."""
        return None if self.hidden or not self.ids else self.ids[self.first :]


class Streams(RuleBasedStateMachine):
    """The rules over the real storage, and the model beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.models = {"a": Model(), "b": Model()}
        self.written: list[tuple[str, list[NewRecord], int]] = []

    @initialize()
    def open(self) -> None:
        self.storage = self.run_in_loop(Storage)

    def teardown(self) -> None:
        self.storage.close()
        self.runner.close()

    def run_in_loop(self, call: Any, *arguments: Any) -> Any:
        async def run() -> Any:
            result = call(*arguments)
            return await result if asyncio.iscoroutine(result) else result

        return self.runner.run(run())

    def write(self, rule_: Any, *arguments: Any) -> Any:
        """The rule's answer, or None when it refused."""
        try:
            return self.run_in_loop(self.storage.write, lambda tx: rule_(tx, *arguments))
        except Refusal:
            return None

    @rule(name=NAMES, expected=EXPECTED, count=st.integers(1, 3))
    def append(self, name: str, expected: int, count: int) -> None:
        """An append is taken exactly where the model accepts it."""
        records = [NewRecord("Happened") for _ in range(count)]
        accepted = self.models[name].accepts(expected)
        answer = self.write(streams.append, name, expected, records)
        assert (answer is not None) == accepted
        if answer is not None:
            self.models[name].append([record.id for record in records])
            self.written.append((name, records, answer.position))

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """An earlier append, made again at any version, answers as it did and changes nothing."""
        if not self.written:
            return
        name, records, position = data.draw(st.sampled_from(self.written))
        if not self.models[name].tombstoned:
            answer = self.write(streams.append, name, EXPECT_ANY, records)
            assert answer.position == position

    @rule(name=NAMES, expected=EXPECTED)
    def delete(self, name: str, expected: int) -> None:
        """A stream that has events or metadata can be deleted where the version is right."""
        model = self.models[name]
        accepted = model.accepts(expected) and (bool(model.ids) or model.has_metadata)
        assert (self.write(streams.delete, name, expected) is not None) == accepted
        if accepted:
            model.hidden = model.has_metadata = True

    @rule(name=st.sampled_from(["b"]), expected=EXPECTED)
    def tombstone(self, name: str, expected: int) -> None:
        """A tombstone goes by the same versions and is for good."""
        accepted = self.models[name].accepts(expected)
        assert (self.write(streams.tombstone, name, expected) is not None) == accepted
        self.models[name].tombstoned |= accepted

    @rule(name=NAMES, version=st.integers(0, 8), limit=st.integers(1, 4))
    def read(self, name: str, version: int, limit: int) -> None:
        """A page is the model's slice, either way."""
        model, stream = self.models[name], self.storage.stream(name)
        if model.tombstoned or model.visible is None:
            return
        forwards = streams.read_stream(self.storage, stream, version, limit=limit)
        start = max(version, model.first)
        assert [record.id for record in forwards] == model.ids[start : start + limit]
        backwards = streams.read_stream(self.storage, stream, version, backwards=True, limit=limit)
        expected = [*range(min(version, len(model.ids) - 1), model.first - 1, -1)][:limit]
        assert [record.version for record in backwards] == expected

    @invariant()
    def streams_are_as_the_model_says(self) -> None:
        for name, model in self.models.items():
            stream = self.storage.stream(name)
            assert streams.is_deleted(self.storage, stream) == model.tombstoned
            if model.tombstoned:
                continue
            assert streams.is_found(stream) == (model.visible is not None)
            if model.visible is not None:
                page = streams.read_stream(self.storage, stream, 0)
                assert [record.id for record in page] == model.visible

    @invariant()
    def the_log_holds_all(self) -> None:
        """Every event that was taken is in the log once, in growing positions."""
        log = self.storage.read_log(-1)
        positions = [record.position for record in log]
        assert positions == sorted(set(positions))
        happened = [record.id for record in log if record.type == "Happened"]
        assert sorted(happened) == sorted(self.models["a"].ids + self.models["b"].ids)
        tombstones = [record for record in log if record.version == MAX_VERSION]
        assert len(tombstones) == self.models["b"].tombstoned


TestStreams = Streams.TestCase
TestStreams.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


async def test_one_refusal_spoils_no_others(tmp_path: Path) -> None:
    """Of appends that are committed together each stands or falls for itself."""
    storage = Storage(tmp_path)

    async def append() -> object:
        record = [NewRecord("Happened")]
        return await storage.write(lambda tx: streams.append(tx, "a", EXPECT_NO_STREAM, record))

    async def broken() -> object:
        def job(transaction: Any) -> None:
            streams.append(transaction, "b", EXPECT_ANY, [NewRecord("Happened")])
            raise LookupError("on purpose")

        return await storage.write(job)

    results = await asyncio.gather(*(append() for _ in range(20)), broken(), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Refusal)]
    assert (len(refused), type(results[-1])) == (19, LookupError)
    assert [record.stream for record in storage.read_log(-1)] == ["a"]
    storage.close()
