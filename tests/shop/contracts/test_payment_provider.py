"""The contract of ``PaymentProvider``, and of ``Audit`` as far as it shows payments."""

from collections.abc import Awaitable, Callable, Mapping

import pytest

from application.ports import Declined, OutcomeUnknown, ProviderRefused, ProviderUnavailable
from application.shop.ports import Authorised, PaymentProvider, PaymentRecord
from domain.values import Money
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.shop import memory as shop_memory
from infrastructure.shop import providers as shop_providers
from infrastructure.shop.memory.payments import SIMULATED_PAYMENT_PROVIDER
from infrastructure.shop.simulated_providers import DECLARED
from tests.contracts.provider_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.provider_laws import Specimen, fresh
from tests.shop.outside import Outside, found

TEN, FOUR, SIX, NOTHING = (Money.parse(f"{amount}.00 GBP") for amount in (10, 4, 6, 0))
Call = Callable[[PaymentProvider, str, str], Awaitable[object]]


async def prepare(provider: PaymentProvider, call: str, name: str) -> None:
    """An authorisation of TEN that is in the right state for the call."""
    await provider.authorise(name, "o-1", TEN)
    if call == "refund":
        await provider.capture(fresh(), name, TEN)


def acted(records: Mapping[str, PaymentRecord], call: str, key: str, name: str) -> bool:
    match call:
        case "authorise":
            return key in records
        case "capture":
            return records[name].captured == TEN
        case "void":
            return records[name].voided
        case _:
            assert records[name].refunded in (NOTHING, FOUR)
            return records[name].refunded == FOUR


SPECIMEN = Specimen(
    declared=DECLARED,
    simulated=SIMULATED_PAYMENT_PROVIDER,
    port=shop_providers.PaymentProvider,
    grants="authorise",
    calls={
        "authorise": lambda provider, key, name: provider.authorise(key, name, TEN),
        "capture": lambda provider, key, held: provider.capture(key, held, TEN),
        "void": lambda provider, key, held: provider.void(key, held),
        "refund": lambda provider, key, taken: provider.refund(key, taken, FOUR),
    },
    prepare=prepare,
    acted=acted,
    nonsense=lambda provider, key, name: provider.refund(key, name, FOUR),
)


async def prepared(outside: Outside, call: str) -> str:
    """The name of an authorisation on which the call makes sense."""
    name = fresh()
    await outside.payment_provider.authorise(name, "o-1", TEN)
    if call == "refund":
        await outside.payment_provider.capture(fresh(), name, TEN)
    return name


async def on_record(outside: Outside, *keys: str) -> list[PaymentRecord]:
    return [payment for payment in await outside.audit.payments() if payment.key in keys]


# ── what it does ─────────────────────────────────────────────────────────────────────────────────


async def test_money_is_held_then_taken_then_given_back(outside: Outside) -> None:
    """The provider's records show every penny after each call."""
    provider, key = outside.payment_provider, fresh()

    assert isinstance(await provider.authorise(key, "o-1", TEN), Authorised)
    (payment,) = await on_record(outside, key)
    assert payment == PaymentRecord(key, "o-1", TEN, NOTHING, NOTHING, voided=False)
    assert payment.held == TEN

    await provider.capture(fresh(), key, SIX)
    await provider.refund(fresh(), key, FOUR)
    (payment,) = await on_record(outside, key)
    assert payment == PaymentRecord(key, "o-1", TEN, SIX, FOUR, voided=False)
    assert payment.held == NOTHING


async def test_what_is_voided_is_held_no_more(outside: Outside) -> None:
    """Voiding releases all money. Voiding again, under another key, changes nothing."""
    key = await prepared(outside, "void")

    await outside.payment_provider.void(fresh(), key)
    await outside.payment_provider.void(fresh(), key)

    (payment,) = await on_record(outside, key)
    assert payment == PaymentRecord(key, "o-1", TEN, NOTHING, NOTHING, voided=True)
    assert payment.held == NOTHING


async def test_a_payment_may_be_refunded_in_parts(outside: Outside) -> None:
    """Refunds are accepted up to what was captured."""
    provider, key = outside.payment_provider, await prepared(outside, "refund")

    await provider.refund(fresh(), key, FOUR)
    await provider.refund(fresh(), key, SIX)
    with pytest.raises(ProviderRefused):
        await provider.refund(fresh(), key, Money.parse("0.01 GBP"))

    assert (await on_record(outside, key))[0].refunded == TEN


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
    assert await on_record(outside, key, name) == [
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


async def test_amounts_are_the_same_however_they_are_written(outside: Outside) -> None:
    """2.5 and 2.50 are the same content."""
    key = fresh()

    first = await outside.payment_provider.authorise(key, "o-1", Money.parse("2.50 GBP"))

    assert await outside.payment_provider.authorise(key, "o-1", Money.parse("2.5 GBP")) == first


async def test_a_refusal_stays_when_the_call_would_make_sense(outside: Outside) -> None:
    """Under its key it stays refused, even if it would be accepted by now."""
    provider, name, key = outside.payment_provider, await prepared(outside, "capture"), fresh()
    with pytest.raises(ProviderRefused) as first:
        await provider.refund(key, name, FOUR)
    await provider.capture(fresh(), name, TEN)

    for ask in (provider.refund(key, name, FOUR), provider.find(key)):
        with pytest.raises(ProviderRefused) as again:
            await ask
        assert again.value.reason == first.value.reason
    assert (await on_record(outside, name))[0].refunded == NOTHING


async def test_what_was_voided_before_it_came_is_never_held(outside: Outside) -> None:
    """After an unknown outcome, voiding makes sure that no money is held, even if the call arrives
    later."""
    key = fresh()

    await outside.payment_provider.void(fresh(), key)

    assert isinstance(await outside.payment_provider.authorise(key, "o-1", TEN), Declined)
    assert await on_record(outside, key) == []


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


async def test_amounts_above_a_limit_can_be_declined(outside: Outside) -> None:
    """The limit holds for one currency, and is itself accepted."""
    provider = outside.payment_provider
    await outside.set_faults(Fault(kind="decline", above=SIX))

    assert isinstance(await provider.authorise(fresh(), "o-1", TEN), Declined)
    assert isinstance(await provider.authorise(fresh(), "o-1", SIX), Authorised)
    other = await provider.authorise(fresh(), "o-1", Money.parse("10.00 EUR"))
    assert isinstance(other, Authorised)


async def test_a_call_that_was_given_up_and_voided_holds_nothing(outside: Outside) -> None:
    """This holds whether the call arrives before the void or after it."""
    key = fresh()
    await outside.set_faults(Fault(kind="slow", call="authorise", seconds=1, times=1))

    with pytest.raises(OutcomeUnknown):
        await outside.impatient_payments.authorise(key, "o-1", TEN)
    await outside.payment_provider.void(fresh(), key)

    await found(outside.payment_provider, key)
    assert [payment.held for payment in await on_record(outside, key)] in ([], [NOTHING])


async def test_faults_can_be_shared_in_memory() -> None:
    """One set of faults applies to both providers, each by the names of its calls."""
    faults = Faults([Fault(kind="unavailable", call="book")])
    provider, carrier = shop_memory.PaymentProvider(faults), shop_memory.Carrier(faults)

    assert isinstance(await provider.authorise("k", "o-1", TEN), Authorised)
    with pytest.raises(ProviderUnavailable):
        await carrier.book("k", "o-1", None)
