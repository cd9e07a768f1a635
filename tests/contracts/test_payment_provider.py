"""The contract of ``PaymentProvider``, and of ``Audit`` as far as it shows payments."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import Declined, Done, OutcomeUnknown, ProviderRefused, ProviderUnavailable
from application.shop.ports import Authorised, PaymentProvider, PaymentRecord
from domain.values import Money
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.providers.simulated.faults import Kind
from infrastructure.shop import memory as shop_memory
from tests.outside import Outside, found, in_memory

TEN, FOUR, SIX, NOTHING = (Money.parse(f"{amount}.00 GBP") for amount in (10, 4, 6, 0))
Call = Callable[[PaymentProvider, str, str], Awaitable[object]]

CALLS: dict[str, Call] = {  # each on an authorisation of TEN that is in the right state for it
    "authorise": lambda provider, key, _: provider.authorise(key, "o-1", TEN),
    "capture": lambda provider, key, held: provider.capture(key, held, TEN),
    "void": lambda provider, key, held: provider.void(key, held),
    "refund": lambda provider, key, taken: provider.refund(key, taken, FOUR),
}

CALLS_ON_OTHER_CONTENT: dict[str, Call] = {  # than that of the authorisation with their key
    **CALLS,
    "authorise": lambda provider, key, _: provider.authorise(key, "o-1", SIX),
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> str:
    """Every call that acts, one after the other."""
    name: str = request.param
    return name


def fresh() -> str:
    return f"k-{uuid4()}"


async def prepared(outside: Outside, call: str) -> str:
    """The name of an authorisation on which the call makes sense."""
    name = fresh()
    await outside.payment_provider.authorise(name, "o-1", TEN)
    if call == "refund":
        await outside.payment_provider.capture(fresh(), name, TEN)
    return name


async def on_books(outside: Outside, *keys: str) -> list[PaymentRecord]:
    return [payment for payment in await outside.audit.payments() if payment.key in keys]


async def effect(outside: Outside, call: str, key: str, name: str) -> bool:
    """Whether the call with that key has acted, and no more than once."""
    books = {payment.key: payment for payment in await on_books(outside, key, name)}
    before = PaymentRecord(name, "o-1", TEN, TEN if call == "refund" else NOTHING, NOTHING, False)
    match call:
        case "authorise":
            return key in books
        case "capture":
            return books[name].captured == TEN
        case "void":
            return books[name].voided
        case _:
            assert books[name].refunded in (NOTHING, FOUR)
            return books[name] != before


# ── what it does ─────────────────────────────────────────────────────────────────────────────────


async def test_money_is_held_then_taken_then_given_back(outside: Outside) -> None:
    """The provider's records show every penny after each call."""
    provider, key = outside.payment_provider, fresh()

    assert isinstance(await provider.authorise(key, "o-1", TEN), Authorised)
    (payment,) = await on_books(outside, key)
    assert payment == PaymentRecord(key, "o-1", TEN, NOTHING, NOTHING, voided=False)
    assert payment.held == TEN

    await provider.capture(fresh(), key, SIX)
    await provider.refund(fresh(), key, FOUR)
    (payment,) = await on_books(outside, key)
    assert payment == PaymentRecord(key, "o-1", TEN, SIX, FOUR, voided=False)
    assert payment.held == NOTHING


async def test_what_is_voided_is_held_no_more(outside: Outside) -> None:
    """Voiding releases all money. Voiding again, under another key, changes nothing."""
    key = await prepared(outside, "void")

    await outside.payment_provider.void(fresh(), key)
    await outside.payment_provider.void(fresh(), key)

    (payment,) = await on_books(outside, key)
    assert payment == PaymentRecord(key, "o-1", TEN, NOTHING, NOTHING, voided=True)
    assert payment.held == NOTHING


async def test_a_payment_may_be_refunded_in_parts(outside: Outside) -> None:
    """Refunds are accepted up to what was captured."""
    provider, key = outside.payment_provider, await prepared(outside, "refund")

    await provider.refund(fresh(), key, FOUR)
    await provider.refund(fresh(), key, SIX)
    with pytest.raises(ProviderRefused):
        await provider.refund(fresh(), key, Money.parse("0.01 GBP"))

    assert (await on_books(outside, key))[0].refunded == TEN


NONSENSE: dict[str, Call] = {
    "hold nothing": lambda p, key, _: p.authorise(key, "o-1", NOTHING),
    "capture what nobody heard of": lambda p, key, _: p.capture(key, "nobody", TEN),
    "capture too much": lambda p, key, held: p.capture(key, held, TEN + SIX),
    "capture nothing": lambda p, key, held: p.capture(key, held, NOTHING),
    "capture other money": lambda p, key, held: p.capture(key, held, Money.parse("1 EUR")),
    "refund what nobody heard of": lambda p, key, _: p.refund(key, "nobody", TEN),
    "refund what was not captured": lambda p, key, held: p.refund(key, held, FOUR),
}


@pytest.mark.parametrize("ask", NONSENSE.values(), ids=list(NONSENSE))
async def test_what_makes_no_sense_is_refused(outside: Outside, ask: Call) -> None:
    """It is refused with a reason, and has no effect."""
    key, name = fresh(), await prepared(outside, "capture")

    with pytest.raises(ProviderRefused) as refused:
        await ask(outside.payment_provider, key, name)

    assert refused.value.reason
    assert await on_books(outside, key, name) == [
        PaymentRecord(name, "o-1", TEN, NOTHING, NOTHING, voided=False)
    ]


async def test_a_capture_is_final(outside: Outside) -> None:
    """A payment is captured once and cannot be voided then. A voided one cannot be captured."""
    provider = outside.payment_provider
    captured, voided = await prepared(outside, "refund"), await prepared(outside, "void")
    await provider.void(fresh(), voided)

    for ask in (
        provider.capture(fresh(), captured, TEN),
        provider.void(fresh(), captured),
        provider.capture(fresh(), voided, TEN),
    ):
        with pytest.raises(ProviderRefused):
            await ask


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_call_that_is_repeated_acts_once(outside: Outside, call: str) -> None:
    """Calls with one key and content get the first answer, however many, also at the same time."""
    key, name = fresh(), await prepared(outside, call)

    answers = await asyncio.gather(
        *(CALLS[call](outside.payment_provider, key, name) for _ in range(10))
    )

    assert len(set(answers)) == 1
    assert await effect(outside, call, key, name)
    assert len(await on_books(outside, key)) == (call == "authorise")


async def test_amounts_are_the_same_however_they_are_written(outside: Outside) -> None:
    """2.5 and 2.50 are the same content."""
    key = fresh()

    first = await outside.payment_provider.authorise(key, "o-1", Money.parse("2.50 GBP"))

    assert await outside.payment_provider.authorise(key, "o-1", Money.parse("2.5 GBP")) == first


async def test_any_text_is_a_key(outside: Outside) -> None:
    """A key may have spaces, slashes, per cent signs and letters of any language."""
    key = f"payment/100 % für {fresh()}&key=1"

    answer = await outside.payment_provider.authorise(key, "o-1", TEN)

    assert await outside.payment_provider.find(key) == answer
    assert await outside.payment_provider.find(key.replace("100 %", "100 %25")) is None


async def test_a_key_stands_for_one_call(outside: Outside, call: str) -> None:
    """The key with another content is refused, and nothing happens."""
    key, name = await prepared(outside, call), await prepared(outside, call)
    before = await on_books(outside, key, name)

    with pytest.raises(ProviderRefused):
        await CALLS_ON_OTHER_CONTENT[call](outside.payment_provider, key, name)

    assert await on_books(outside, key, name) == before


async def test_what_was_refused_stays_refused(outside: Outside) -> None:
    """Under its key it stays refused, even if it would be accepted by now."""
    provider, name, key = outside.payment_provider, await prepared(outside, "capture"), fresh()
    with pytest.raises(ProviderRefused) as first:
        await provider.refund(key, name, FOUR)
    await provider.capture(fresh(), name, TEN)

    for ask in (provider.refund(key, name, FOUR), provider.find(key)):
        with pytest.raises(ProviderRefused) as again:
            await ask
        assert again.value.reason == first.value.reason
    assert (await on_books(outside, name))[0].refunded == NOTHING


async def test_the_answer_to_a_call_can_be_found(outside: Outside, call: str) -> None:
    """``find`` returns nothing before the call, and its answer afterwards."""
    key, name = fresh(), await prepared(outside, call)
    assert await outside.payment_provider.find(key) is None

    answer = await CALLS[call](outside.payment_provider, key, name)

    assert await outside.payment_provider.find(key) == (answer or Done())


async def test_what_was_voided_before_it_came_is_never_held(outside: Outside) -> None:
    """After an unknown outcome, voiding makes sure that no money is held, even if the call arrives
    later."""
    key = fresh()

    await outside.payment_provider.void(fresh(), key)

    assert isinstance(await outside.payment_provider.authorise(key, "o-1", TEN), Declined)
    assert await on_books(outside, key) == []


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_declined_card_is_an_answer(outside: Outside) -> None:
    """It is final under its key. Under another key the card may be accepted."""
    provider, order_id, key = outside.payment_provider, fresh(), fresh()
    await outside.set_faults(
        Fault(kind="decline", order_id=order_id, reason="card declined", times=1)
    )

    assert await provider.authorise(key, order_id, TEN) == Declined("card declined")
    assert await provider.authorise(key, order_id, TEN) == Declined("card declined")
    assert await provider.find(key) == Declined("card declined")
    assert isinstance(await provider.authorise(fresh(), order_id, TEN), Authorised)
    assert await on_books(outside, key) == []


async def test_amounts_above_a_limit_can_be_declined(outside: Outside) -> None:
    """The limit holds for one currency, and is itself accepted."""
    provider = outside.payment_provider
    await outside.set_faults(Fault(kind="decline", above=SIX))

    assert isinstance(await provider.authorise(fresh(), "o-1", TEN), Declined)
    assert isinstance(await provider.authorise(fresh(), "o-1", SIX), Authorised)
    other = await provider.authorise(fresh(), "o-1", Money.parse("10.00 EUR"))
    assert isinstance(other, Authorised)


async def test_unavailable_means_nothing_has_happened(outside: Outside, call: str) -> None:
    """The same call, repeated later, is carried out."""
    key, name = fresh(), await prepared(outside, call)
    await outside.set_faults(Fault(kind="unavailable", call=call, times=1))

    with pytest.raises(ProviderUnavailable):
        await CALLS[call](outside.payment_provider, key, name)
    assert await outside.payment_provider.find(key) is None
    assert not await effect(outside, call, key, name)

    await CALLS[call](outside.payment_provider, key, name)
    assert await effect(outside, call, key, name)


@pytest.mark.parametrize("kind", ["drop", "late"])
async def test_an_unknown_outcome_may_be_an_effect(outside: Outside, call: str, kind: Kind) -> None:
    """The provider acts without an answer. The result can be found, and the call can be repeated
    safely."""
    key, name = fresh(), await prepared(outside, call)
    await outside.set_faults(Fault(kind=kind, call=call, seconds=5, times=1))

    with pytest.raises(OutcomeUnknown):
        await CALLS[call](outside.impatient_payments, key, name)

    answer = await found(outside.payment_provider, key)
    assert await effect(outside, call, key, name)
    assert (await CALLS[call](outside.payment_provider, key, name) or Done()) == answer
    assert await effect(outside, call, key, name)


async def test_a_call_that_was_given_up_may_still_arrive(outside: Outside, call: str) -> None:
    """A provider that answers after our timeout has acted all the same."""
    key, name = fresh(), await prepared(outside, call)
    await outside.set_faults(Fault(kind="slow", call=call, seconds=1, times=1))

    with pytest.raises(OutcomeUnknown):
        await CALLS[call](outside.impatient_payments, key, name)

    await found(outside.payment_provider, key)
    assert await effect(outside, call, key, name)


async def test_a_call_that_was_given_up_and_voided_holds_nothing(outside: Outside) -> None:
    """This holds whether the call arrives before the void or after it."""
    key = fresh()
    await outside.set_faults(Fault(kind="slow", call="authorise", seconds=1, times=1))

    with pytest.raises(OutcomeUnknown):
        await outside.impatient_payments.authorise(key, "o-1", TEN)
    await outside.payment_provider.void(fresh(), key)

    await found(outside.payment_provider, key)
    assert [payment.held for payment in await on_books(outside, key)] in ([], [NOTHING])


async def test_a_call_that_arrives_twice_acts_once(outside: Outside, call: str) -> None:
    """If the network duplicates a call, the second answer is the first one."""
    key, name = fresh(), await prepared(outside, call)
    await outside.set_faults(Fault(kind="twice", call=call))

    answer = await CALLS[call](outside.payment_provider, key, name)

    assert await outside.payment_provider.find(key) == (answer or Done())
    assert await effect(outside, call, key, name)


@pytest.mark.parametrize("kind", ["unavailable", "drop", "slow"])
async def test_find_leaves_no_unknown_outcome(outside: Outside, kind: Kind) -> None:
    """A fault during ``find`` raises ``ProviderUnavailable``, so it can be repeated."""
    await outside.set_faults(Fault(kind=kind, call="find", seconds=5, times=1))

    with pytest.raises(ProviderUnavailable):
        await outside.impatient_payments.find(fresh())

    assert await outside.payment_provider.find(fresh()) is None


TROUBLES: tuple[Kind, ...] = ("unavailable", "drop", "twice")
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(CALLS)), st.integers(0, 3), st.integers(0, 1)), max_size=12
)


@given(steps=STEPS, seed=st.integers(0, 1000))
@settings(
    max_examples=20,
    deadline=None,  # the machine decides
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # keys are fresh each time
)
async def test_repeating_until_there_is_an_answer_pays_exactly_once(
    outside: Outside, steps: list[Step], seed: int
) -> None:
    """Through any faults, the provider's records end as they do without faults."""
    run = fresh()
    async with in_memory() as calm:
        expected = [await settled(calm.payment_provider, run, step) for step in steps]
        await outside.set_faults(*(Fault(kind=kind, rate=0.4) for kind in TROUBLES), seed=seed)

        answers = [await settled(outside.payment_provider, run, step) for step in steps]

        await outside.set_faults()
        assert answers == expected
        books = [each for each in await outside.audit.payments() if each.key.startswith(run)]
        assert books == await calm.audit.payments()


async def settled(provider: PaymentProvider, run: str, step: Step) -> str:
    """What kind of answer a step has in the end."""
    call, number, name = step
    key = f"{run}-{name}" if call == "authorise" else f"{run}-{call}-{number}"
    while True:
        try:
            return type(await CALLS[call](provider, key, f"{run}-{name}")).__name__
        except ProviderRefused as refused:
            return refused.reason.replace(run, "")
        except (ProviderUnavailable, OutcomeUnknown):
            continue


async def test_faults_can_be_shared_in_memory() -> None:
    """One set of faults applies to both providers, each by the names of its calls."""
    faults = Faults([Fault(kind="unavailable", call="book")])
    provider, carrier = shop_memory.PaymentProvider(faults), shop_memory.Carrier(faults)

    assert isinstance(await provider.authorise("k", "o-1", TEN), Authorised)
    with pytest.raises(ProviderUnavailable):
        await carrier.book("k", "o-1", None)
