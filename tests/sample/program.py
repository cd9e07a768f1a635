"""The bank with its edges, on which HTTP, the command line and the wiring of the kit are tested."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from infrastructure.program import Check, Program
from infrastructure.providers.simulated import Faults, SimulatedConnection
from tests.sample.gift_cards import SIMULATED, GiftCards
from tests.sample.outside import Outside
from tests.sample.service import SAMPLE

if TYPE_CHECKING:
    from fastapi import APIRouter


def outside_in_memory(faults: Faults | None = None) -> Outside:
    """The issuer of gift cards in memory, struck by these faults."""
    return Outside(GiftCards(SimulatedConnection(SIMULATED[0], faults)))


def _routes() -> Sequence["APIRouter"]:
    from tests.sample.routes import router

    return [router]


def _outside(_: Any, __: float) -> AbstractAsyncContextManager[Outside]:
    return nullcontext(outside_in_memory())


def _checks(outside: Outside) -> Mapping[str, Check]:
    return {"gift cards": partial(outside.gift_cards.find, "readiness")}


BANK: Final[Program[Outside]] = Program(
    service=SAMPLE,
    outside=_outside,
    outside_in_memory=outside_in_memory,
    outside_checks=_checks,
    title="Bank",
    about="A bank as small as can be.",
    routes=_routes,
)
