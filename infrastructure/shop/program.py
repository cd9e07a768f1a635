"""The shop with its edges: what the entry point hands to the kit."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from application.shop.ports import Outside
from application.shop.service import SHOP
from infrastructure.opening import imported
from infrastructure.program import Check, Program
from infrastructure.shop.cli import commands
from infrastructure.shop.settings import ShopSettings

if TYPE_CHECKING:
    from fastapi import APIRouter

_API: Final = """
Order fulfilment for a shop, event-sourced. Commands (`POST`) append events and answer with the
version of the stream; queries (`GET`) are answered by read models a few milliseconds behind.

Send an `Idempotency-Key` with a command to retry it safely, `If-Match` to act only on the version
that you have seen. Errors are `application/problem+json`.
"""


def _routes() -> Sequence["APIRouter"]:
    from infrastructure.shop.http import carrier, exchanges, orders, sales, stock, warehouse

    return [part.router for part in (orders, exchanges, stock, sales, warehouse, carrier)]


def _checks(outside: Outside) -> Mapping[str, Check]:
    return {
        "payment provider": partial(outside.payment_provider.find, "readiness"),
        "carrier": partial(outside.carrier.find, "readiness"),
    }


PROGRAM: Final[Program[Outside]] = Program(
    service=SHOP,
    settings=ShopSettings,
    outside=imported("infrastructure.shop.providers.opening", "configured"),
    outside_in_memory=imported("infrastructure.shop.memory", "outside"),
    outside_checks=_checks,
    description=_API,
    about="Order fulfilment for a shop, event-sourced.",
    routes=_routes,
    pages=imported("infrastructure.shop.pages", "sections"),  # only: console
    paths_apart=("/carrier/",),
    commands=commands.add_to,
    command_rules=commands.RULES,
    startable=imported("infrastructure.shop.outside", "startable"),
    first_start=imported("infrastructure.shop.cli.importing", "bring_in_sample"),
    welcome=imported("infrastructure.shop.cli.welcome", "welcome"),
)
