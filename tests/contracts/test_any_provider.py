"""The contract of ``Connection``, on a provider that was declared in one file.

It is all that an issuer of gift cards has: a ledger, faults, a connection in memory and one over
HTTP, and a process with a journal come with the declaration.
"""

from collections.abc import Mapping
from dataclasses import make_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from application.ports import Declined
from domain.values import Money
from infrastructure.providers import Provider
from infrastructure.providers.answers import Answers
from infrastructure.providers.simulated import Fault, SimulatedProvider
from infrastructure.providers.simulated.declared import InvalidDeclaration
from infrastructure.providers.simulated.journal import Journal
from infrastructure.providers.simulated.process import SimulatedProviders, SimulationFailed
from infrastructure.providers.simulated.simulation import Simulation
from tests.contracts.provider_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.provider_laws import Specimen, Tried, fresh, over_http
from tests.faults import set_faults
from tests.sample.gift_cards import (
    GIFT_CARDS,
    SIMULATED,
    GiftCards,
    Redeem,
    Redeemed,
    Redemption,
    Redemptions,
)

FIVE = Money.parse("5.00 GBP")


async def prepare(provider: GiftCards, _: str, name: str) -> None:
    await provider.redeem(name, "a card", FIVE)


def acted(records: Mapping[str, Redemption], call: str, key: str, name: str) -> bool:
    return key in records if call == "redeem" else records[name].restored


DECLARED = "tests.sample.gift_cards:SIMULATED"
SPECIMEN = Specimen(
    declared=DECLARED,
    simulated=SIMULATED[0],
    port=GiftCards,
    grants="redeem",
    calls={
        "redeem": lambda provider, key, name: provider.redeem(key, name, FIVE),
        "restore": lambda provider, key, name: provider.restore(key, name),
    },
    prepare=prepare,
    acted=acted,
    nonsense=lambda provider, key, name: provider.redeem(key, name, Money.zero("GBP")),
)


async def test_a_fault_finds_what_the_provider_declares(tried: Tried) -> None:
    """By the card, and above an amount; calls about anything else are not struck."""
    provider, card = tried.provider, fresh()
    await tried.set_faults(
        Fault(kind="decline", card=card), Fault(kind="decline", above=FIVE, reason="too much")
    )

    assert await provider.redeem(fresh(), card, FIVE) == Declined("the card is empty")
    assert await provider.redeem(fresh(), "another", FIVE + FIVE) == Declined("too much")
    assert isinstance(await provider.redeem(fresh(), "another", FIVE), Redeemed)


@pytest.mark.slow  # it starts a process
async def test_a_journal_outlives_its_process(tmp_path: Path) -> None:
    """Killed and started again, the provider has its answers, its records and its faults."""
    with SimulatedProviders(DECLARED, tmp_path / "journal") as process:
        async with over_http(SPECIMEN, process, 1) as tried:
            await tried.provider.redeem("r", "a card", FIVE)
            await tried.provider.restore("s", "r")
            before = await tried.records()
        await set_faults(process, [Fault(kind="decline", card="bad")])

        process.start_again()

        async with over_http(SPECIMEN, process, 1) as tried:
            assert await tried.records() == before
            assert await tried.provider.find("r") == Redeemed(1, FIVE)
            assert await tried.provider.redeem("b", "bad", FIVE) == Declined("the card is empty")


@pytest.mark.slow  # it starts a process
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("tests.sample.gift_cards", "nothing is declared at"),
        ("tests.sample.nowhere:SIMULATED", "No module named"),
        ("tests.sample.gift_cards:NOTHING", "has no attribute 'NOTHING'"),
        ("tests.sample.gift_cards:FIVE", "has no attribute 'FIVE'"),
        ("tests.sample.gift_cards:GIFT_CARDS", "is not a sequence of SimulatedProvider"),
    ],
)
def test_a_place_without_providers_is_named(place: str, reason: str) -> None:
    """The process does not start, and prints what was wrong with the place."""
    with pytest.raises(SimulationFailed, match=reason):
        SimulatedProviders(place).start()


def declare(**changed: Any) -> Provider[Any, Any, Any]:
    declared = {"name": "p", "calls": {"redeem": Redeem}, "grants": (Redeemed,), "record": str}
    return Provider(**{**declared, **changed})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "Gift cards"}, "'Gift cards' cannot name a provider"),
        ({"calls": {"find": Redeem}}, "'find' cannot name"),
        ({"calls": {"calls": Redeem}}, "'calls' cannot name"),
        ({"calls": {"one": Redeem, "other": Redeem}}, "two calls of p have one class"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(changed: dict[str, Any], reason: str) -> None:
    """When it is made, with the name that is wrong."""
    with pytest.raises(ValueError, match=reason):
        declare(**changed)


def test_two_answers_of_one_name_are_refused() -> None:
    """An answer is read by its name, so each has its own."""
    with pytest.raises(ValueError, match="two answers have one name"):
        Answers((make_dataclass("Done", ()),))


def test_an_answer_has_no_field_of_that_name() -> None:
    """It would hide which answer it is."""
    with pytest.raises(ValueError, match="Paid has a field 'answer'"):
        Answers((make_dataclass("Paid", ["answer"]),))


def simulated(**changed: Any) -> SimulatedProvider[Any, Any, Any]:
    return SimulatedProvider(declare(**changed), Redemptions)


@pytest.mark.parametrize(
    ("providers", "reason"),
    [
        ([simulated(), simulated()], "'p' is taken"),
        ([simulated(name="faults")], "'faults' is taken"),
        ([replace(simulated(), about=("call",))], "p calls a field of a subject 'call'"),
    ],
)
def test_a_name_means_one_thing(
    providers: list[SimulatedProvider[Any, Any, Any]], reason: str
) -> None:
    """In one process: an address is of one provider, and a condition of a fault is one."""
    with pytest.raises(InvalidDeclaration, match=reason):
        Simulation(providers, Journal(None))


def test_a_call_of_another_provider_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(TypeError, match="Redeem is not a call of p"):
        declare(calls={}).name_of(Redeem(card="c", amount=FIVE))
    assert GIFT_CARDS.name_of(Redeem(card="c", amount=FIVE)) == "redeem"
