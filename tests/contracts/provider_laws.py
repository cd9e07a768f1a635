"""What every provider keeps, over every connection. A suite of a provider imports all of it.

    from tests.contracts.provider_laws import *
    SPECIMEN = Specimen(…)

Then each law is a test of that suite, once for each call that the specimen has.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import (
    Declined,
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from infrastructure.providers import Connection, HttpConnection
from infrastructure.providers.simulated import (
    Fault,
    Faults,
    SimulatedConnection,
    SimulatedProvider,
)
from infrastructure.providers.simulated.faults import Kind
from infrastructure.providers.simulated.process import SimulatedProviders
from tests.faults import set_faults

PATIENT: Final = 30.0  # seconds: a loaded machine makes a law slow, not false
IMPATIENT: Final = {"memory": 0.05, "http (double)": 0.5}

Attempt = Callable[[Any, str, str], Awaitable[Any]]
"""Makes a call at a port, under a key, about the thing of that name."""


@dataclass(frozen=True)
class Specimen:
    """A provider as the laws try it.

    A thing is what one of its calls grants; it is named by the key of that call. For the call that
    grants, the name is content like any other: another name makes it another call.
    """

    declared: str  # the place of its SIMULATED, module:NAME
    simulated: SimulatedProvider[Any, Any, Any]
    port: Callable[[Connection[Any, Any, Any]], Any]
    grants: str  # the name of the call that grants a thing, or declines it
    calls: Mapping[str, Attempt]  # each makes sense once the thing of that name is prepared
    prepare: Callable[[Any, str, str], Awaitable[None]]  # at a port, for a call, of that name
    acted: Callable[[Mapping[str, Any], str, str, str], bool]
    """By its records, whether a call under a key has acted on the thing, and only once."""
    nonsense: Attempt  # a call that is refused


@dataclass(frozen=True)
class Tried:
    """A specimen over one kind of connection; others' things may be in its records."""

    specimen: Specimen
    connection: Connection[Any, Any, Any]
    provider: Any
    impatient: Any  # the same, by a caller that gives up after ``patience`` seconds
    patience: float
    set: Callable[[Sequence[Fault], int], Awaitable[None]]

    async def set_faults(self, *faults: Fault, seed: int = 0) -> None:
        """These faults from now on, instead of all others."""
        await self.set(faults, seed)

    async def prepared(self, call: str) -> str:
        """The name of a thing on which the call makes sense."""
        name = fresh()
        if call != self.specimen.grants:
            await self.specimen.prepare(self.provider, call, name)
        return name

    async def attempt(self, call: str, key: str, name: str) -> Any:
        return await self.specimen.calls[call](self.provider, key, name) or Done()

    async def attempt_impatiently(self, call: str, key: str, name: str) -> Any:
        return await self.specimen.calls[call](self.impatient, key, name) or Done()

    async def grant(self, key: str, name: str = "n-1") -> Any:
        return await self.attempt(self.specimen.grants, key, name)

    async def records(self) -> Mapping[str, Any]:
        return {record.key: record for record in await self.connection.records()}

    async def acted(self, call: str, key: str, name: str) -> bool:
        return self.specimen.acted(await self.records(), call, key, name)

    async def found(self, key: str) -> Any:
        """What came of a call that may be under way, as soon as something has come of it."""
        async with asyncio.timeout(PATIENT):
            while True:
                if answer := await self.provider.find(key):
                    return answer
                await asyncio.sleep(0.01)


def fresh() -> str:
    return f"k-{uuid4()}"


# ── what the laws are tried on ───────────────────────────────────────────────────────────────────


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each law about a call holds for every call of the specimen."""
    if "call" in metafunc.fixturenames:
        metafunc.parametrize("call", metafunc.module.SPECIMEN.calls)


@asynccontextmanager
async def in_memory(specimen: Specimen, patience: float | None) -> AsyncIterator[Tried]:
    faults = Faults()
    connection = SimulatedConnection(specimen.simulated, faults, patience=patience)
    port = specimen.port(connection)

    async def set(all_of_them: Sequence[Fault], seed: int) -> None:
        faults.set(all_of_them, seed=seed)

    yield Tried(specimen, connection, port, port, patience or 0, set)


@asynccontextmanager
async def over_http(
    specimen: Specimen, process: SimulatedProviders, patience: float
) -> AsyncIterator[Tried]:
    declared = specimen.simulated.provider
    uri = process.uri_of(declared.name)
    async with (
        HttpConnection(declared, uri, patience=PATIENT) as patient,
        HttpConnection(declared, uri, patience=patience) as impatient,
    ):
        yield Tried(
            specimen,
            patient,
            specimen.port(patient),
            specimen.port(impatient),
            patience,
            lambda faults, seed: set_faults(process, faults, seed),
        )
        await set_faults(process, [])


@pytest.fixture(params=IMPATIENT)
async def tried(
    request: pytest.FixtureRequest, simulated_at: Callable[[str], SimulatedProviders]
) -> AsyncIterator[Tried]:
    specimen, patience = request.module.SPECIMEN, IMPATIENT[request.param]
    if request.param == "memory":
        async with in_memory(specimen, patience) as tried:
            yield tried
        return
    async with over_http(specimen, simulated_at(specimen.declared), patience) as tried:
        yield tried


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_call_that_is_repeated_acts_once(tried: Tried, call: str) -> None:
    """Calls with one key and content get the first answer, however many, also at the same time."""
    key, name = fresh(), await tried.prepared(call)

    answers = await asyncio.gather(*(tried.attempt(call, key, name) for _ in range(10)))

    assert len(set(answers)) == 1
    assert await tried.acted(call, key, name)


async def test_a_key_stands_for_one_call(tried: Tried, call: str) -> None:
    """The key with another content is refused, and nothing happens."""
    key, name, other = fresh(), await tried.prepared(call), await tried.prepared(call)
    await tried.attempt(call, key, name)
    before = await tried.records()

    with pytest.raises(ProviderRefused, match="used for another call"):
        await tried.attempt(call, key, other)
    for another in set(tried.specimen.calls) - {call}:
        with pytest.raises(ProviderRefused, match="used for another call"):
            await tried.attempt(another, key, name)

    assert await tried.records() == before


async def test_any_text_is_a_key(tried: Tried) -> None:
    """A key may have spaces, slashes, per cent signs and letters of any language."""
    key = f"payment/100 % für {fresh()}&key=1"

    answer = await tried.grant(key)

    assert await tried.provider.find(key) == answer
    assert await tried.provider.find(key.replace("100 %", "100 %25")) is None


async def test_the_answer_to_a_call_can_be_found(tried: Tried, call: str) -> None:
    """``find`` returns nothing before the call, and its answer afterwards."""
    key, name = fresh(), await tried.prepared(call)
    assert await tried.provider.find(key) is None

    answer = await tried.attempt(call, key, name)

    assert await tried.provider.find(key) == answer


async def test_what_was_refused_stays_refused(tried: Tried) -> None:
    """Under its key it is refused again, for the same reason, and nothing happens."""
    key, name, before = fresh(), fresh(), await tried.records()
    with pytest.raises(ProviderRefused) as first:
        await tried.specimen.nonsense(tried.provider, key, name)

    for again in (tried.specimen.nonsense(tried.provider, key, name), tried.provider.find(key)):
        with pytest.raises(ProviderRefused) as refused:
            await again
        assert refused.value.reason == first.value.reason
    assert first.value.reason
    assert await tried.records() == before


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_decline_is_an_answer(tried: Tried) -> None:
    """It is final under its key. Under another key the same call may be granted."""
    await tried.set_faults(Fault(kind="decline", reason="not today", times=1))
    key = fresh()

    assert await tried.grant(key) == Declined("not today")
    assert await tried.grant(key) == Declined("not today")
    assert await tried.provider.find(key) == Declined("not today")
    assert not isinstance(await tried.grant(fresh()), Declined)
    assert key not in await tried.records()


async def test_a_decline_without_a_reason_has_that_of_the_provider(tried: Tried) -> None:
    """Each provider declares in which words it declines."""
    await tried.set_faults(Fault(kind="decline"))

    assert await tried.grant(fresh()) == Declined(tried.specimen.simulated.declines)


async def test_a_fault_strikes_the_provider_that_it_names(tried: Tried) -> None:
    """Its next call fails, and the one after it does not."""
    name = tried.specimen.simulated.provider.name
    await tried.set_faults(Fault(kind="unavailable", provider=name, times=1))

    with pytest.raises(ProviderUnavailable):
        await tried.grant(fresh())
    assert await tried.grant(fresh())


async def test_unavailable_means_nothing_has_happened(tried: Tried, call: str) -> None:
    """The same call, repeated later, is carried out."""
    key, name = fresh(), await tried.prepared(call)
    await tried.set_faults(Fault(kind="unavailable", call=call, times=1))

    with pytest.raises(ProviderUnavailable):
        await tried.attempt(call, key, name)
    assert await tried.provider.find(key) is None
    assert not await tried.acted(call, key, name)

    await tried.attempt(call, key, name)
    assert await tried.acted(call, key, name)


@pytest.mark.parametrize("kind", ["drop", "late", "slow"])
async def test_an_unknown_outcome_may_be_an_effect(tried: Tried, call: str, kind: Kind) -> None:
    """The provider acts, now or later, without an answer. The result can be found, and the call can
    be repeated safely."""
    key, name = fresh(), await tried.prepared(call)
    await tried.set_faults(Fault(kind=kind, call=call, seconds=2 * tried.patience, times=1))

    with pytest.raises(OutcomeUnknown):
        await tried.attempt_impatiently(call, key, name)

    answer = await tried.found(key)
    assert await tried.acted(call, key, name)
    assert await tried.attempt(call, key, name) == answer
    assert await tried.acted(call, key, name)


async def test_a_call_that_arrives_twice_acts_once(tried: Tried, call: str) -> None:
    """If the network duplicates a call, the second answer is the first one."""
    key, name = fresh(), await tried.prepared(call)
    await tried.set_faults(Fault(kind="twice", call=call))

    answer = await tried.attempt(call, key, name)

    assert await tried.provider.find(key) == answer
    assert await tried.acted(call, key, name)


@pytest.mark.parametrize("kind", ["unavailable", "drop", "slow"])
async def test_find_leaves_no_unknown_outcome(tried: Tried, kind: Kind) -> None:
    """A fault during ``find`` raises ``ProviderUnavailable``, so it can be repeated."""
    await tried.set_faults(Fault(kind=kind, call="find", seconds=2 * tried.patience, times=1))

    with pytest.raises(ProviderUnavailable):
        await tried.impatient.find(fresh())

    assert await tried.provider.find(fresh()) is None


TROUBLES: tuple[Kind, ...] = ("unavailable", "drop", "twice")
Step = tuple[int, int, int]
STEPS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 1)), max_size=12)


@given(steps=STEPS, seed=st.integers(0, 1000))
@settings(
    max_examples=15,
    deadline=None,  # the machine decides
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # keys are fresh each time
)
async def test_repeating_until_there_is_an_answer_acts_exactly_once(
    tried: Tried, steps: list[Step], seed: int
) -> None:
    """Through any faults, the answers and the records end as they do without faults."""
    run = fresh()
    async with in_memory(tried.specimen, None) as calm:
        expected = [await _settled(calm, run, step) for step in steps]
        await tried.set_faults(*(Fault(kind=kind, rate=0.4) for kind in TROUBLES), seed=seed)

        answers = [await _settled(tried, run, step) for step in steps]

        await tried.set_faults()
        assert answers == expected
        ours = {key for key in await tried.records() if key.startswith(run)}
        assert ours == set(await calm.records())


async def _settled(tried: Tried, run: str, step: Step) -> str:
    """What kind of answer a step has in the end."""
    calls = sorted(tried.specimen.calls)
    call, name = calls[step[0] % len(calls)], f"{run}-{step[2]}"
    key = name if call == tried.specimen.grants else f"{run}-{call}-{step[1]}"
    while True:
        try:
            return type(await tried.attempt(call, key, name)).__name__
        except ProviderRefused as refused:
            return refused.reason.replace(run, "")
        except (ProviderUnavailable, OutcomeUnknown):
            continue
