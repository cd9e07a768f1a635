"""Over any interleaving of writers and sweeps, no event ever lacks its payload.

Writers and sweepers run step by step: before and after each call of the payload store, another one
may go on, the clock may run, and each may be killed for good.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports import NO_STREAM, StoredPayload, StoreUnavailable
from infrastructure import memory
from tests.application.swept import HOUR, World, large
from tests.histories import law

Step = Coroutine[Any, Any, object]
Clock = Callable[[], datetime]
PROMPT = timedelta(minutes=1)  # as a bucket deletes after a copy


class Turn:
    """Lets another one go on."""

    def __await__(self) -> Generator[None]:
        yield


class InTurns(memory.PayloadStore):
    """Payloads of one process: another process may go on around each call."""

    def __init__(self, shared: "memory.PayloadStore") -> None:
        self.shared = shared

    async def put(self, data: bytes) -> str:
        return str(await self._apart(self.shared.put, data))

    async def get(self, digest: str) -> bytes:
        return bytes(await self._apart(self.shared.get, digest))

    async def stored(self) -> AsyncIterator[StoredPayload]:
        await Turn()
        async for one in self.shared.stored():
            yield one
            await Turn()

    async def set_aside(self, payload: StoredPayload) -> None:
        await self._apart(self.shared.set_aside, payload)

    async def remove(self, payload: StoredPayload) -> None:
        await self._apart(self.shared.remove, payload)

    async def logs(self) -> list[str]:
        return sorted(await self.shared.logs())

    async def _apart(self, call: Callable[..., Awaitable[Any]], *given: Any) -> Any:
        await Turn()
        done = await call(*given)
        await Turn()
        return done


class InABucket(memory.PayloadStore):
    """Sets aside by a copy and a delete: others may go on in between."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(clock)

    async def set_aside(self, payload: StoredPayload) -> None:
        began, found = self._clock(), self._payloads.get(payload.digest)
        if found is not None:
            self._aside[payload.digest, began] = found[0]
            await Turn()
            if self._clock() - began < PROMPT:
                self._payloads.pop(payload.digest, None)


class Interleaved(World):
    """Two writers and two sweepers, each of which begins anew after its end. The payloads of both
    writers are there already: killed ones have left them."""

    def __init__(self, kind: Callable[[Clock], memory.PayloadStore]) -> None:
        super().__init__()
        self.payloads = self.raw = kind(self.clock)
        done(self.append("first"))
        for content in "ab":
            done(self.raw.put(large(content).data))
        self.now += HOUR
        self.referred = {digest_of("first")}
        self.running: dict[str, Step] = {}

    def carry_out(self, actions: Sequence[tuple[str, Any]]) -> None:
        for action, what in actions:
            match action:
                case "wait":
                    self.wait(what)
                case "kill":
                    self.kill(what)
                case program:
                    self.go_on(program, what)
            self.require_no_event_dangles()

    def go_on(self, program: str, steps: int) -> None:
        begun = self.running.get(program) or self._begun(program)
        self.running[program] = begun
        for _ in range(steps):
            try:
                begun.send(None)
            except StopIteration:
                del self.running[program]
                return

    def wait(self, minutes: int) -> None:
        """No append takes that long: it is given up after seconds."""
        if not self.events.under_way:
            self.now += timedelta(minutes=minutes)

    def kill(self, program: str) -> None:
        if begun := self.running.pop(program, None):
            begun.close()

    def require_no_event_dangles(self) -> None:
        aside = {digest for digest, _ in self.raw._aside}
        assert self.referred <= self.raw._payloads.keys() | aside

    def require_no_orphan(self) -> None:
        assert {*self.raw._payloads} == self.referred
        assert not self.raw._aside

    def _begun(self, program: str) -> Step:
        return self.write(program) if program in "ab" else self.sweep_in_turns()

    async def write(self, content: str) -> None:
        with suppress(StoreUnavailable):  # it was too slow
            writer = self.writer(InTurns(self.raw))
            await writer.append(f"transfer-{uuid4()}", [large(content)], NO_STREAM)
            self.referred.add(digest_of(content))

    async def sweep_in_turns(self) -> None:
        sweep = replace(self.sweeper(InTurns(self.raw)), together=one_by_one)
        await sweep.carry_out(await sweep.plan(HOUR, HOUR))


async def one_by_one(*calls: Coroutine[Any, Any, bool]) -> Sequence[bool]:
    """Without a loop, nothing runs by itself."""
    try:
        return [await call for call in calls]
    finally:
        for call in calls:
            call.close()  # a kill leaves some of them undone


@cache
def digest_of(content: str) -> str:
    return sha256(large(content).data).hexdigest()


def done(step: Step) -> None:
    """Run it without others."""
    with suppress(StopIteration):
        while True:
            step.send(None)


SWEEPS = st.tuples(st.sampled_from(["sweep", "another"]), st.sampled_from([1, 5, 100, 100]))
WRITES = st.tuples(st.sampled_from("ab"), st.integers(1, 2))
OTHER = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([30, 61])),  # minutes
    st.tuples(st.just("kill"), st.sampled_from(["a", "sweep"])),
)


@pytest.mark.parametrize("kind", [memory.PayloadStore, InABucket])
@law(400)
@given(actions=st.lists(st.one_of(SWEEPS, WRITES, OTHER), min_size=5, max_size=30))
def test_no_event_ever_dangles(
    kind: Callable[[Clock], memory.PayloadStore], actions: list[tuple[str, Any]]
) -> None:
    """After every action, whatever was killed; and once all is quiet, no orphan is left."""
    world = Interleaved(kind)
    world.carry_out(actions)
    for program in [*world.running]:
        world.kill(program)
    for _ in range(3):
        world.now += HOUR
        done(world.sweep_in_turns())
        world.require_no_event_dangles()
    world.require_no_orphan()


@pytest.mark.parametrize("steps", range(1, 16))
def test_a_sweeper_that_sleeps_does_no_harm(steps: int) -> None:
    """Wherever it was: in a bucket, a writer may find a payload of which there is an old copy."""
    world = Interleaved(InABucket)
    world.carry_out([("sweep", steps), ("wait", 61), ("a", 2), ("sweep", 100), ("sweep", 100)])
    world.carry_out([("a", 100)])
