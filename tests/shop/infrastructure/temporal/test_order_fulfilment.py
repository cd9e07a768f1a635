"""Order fulfilment on Temporal: as on the plain engine, and as it was when it was released."""

import json
from pathlib import Path

import pytest
from temporalio.client import Client

from application.shop.service import SHOP
from infrastructure.temporal.worker import replayer
from tests.infrastructure.temporal.conftest import skipping, temporal_skipping
from tests.infrastructure.temporal.corpus import history, portable
from tests.infrastructure.temporal.told import commands, principals, told
from tests.infrastructure.temporal.worlds import at_work
from tests.shop.application.sagas.world import World
from tests.shop.contracts.saga_histories import FULFILMENTS
from tests.shop.infrastructure.temporal.histories import SHOP_WORKFLOWS, TemporalShop, fulfil

__all__ = ["skipping", "temporal_skipping"]  # fixtures


@pytest.mark.parametrize("name", FULFILMENTS)
async def test_both_engines_do_the_same(name: str, skipping: Client) -> None:
    """The same faults lead to the same events of the saga, and to the same commands."""
    plain = World(*FULFILMENTS[name])
    await fulfil(plain, name)
    async with at_work(TemporalShop, skipping, *FULFILMENTS[name]) as shop:
        await fulfil(shop, name)

    assert told(shop) == told(plain)
    assert commands(shop) == commands(plain)
    assert principals(shop) == principals(plain) == {"somebody"}
    shop.adds_up()


@pytest.mark.parametrize("file", SHOP_WORKFLOWS.histories(), ids=lambda file: file.stem)
async def test_a_recorded_history_is_what_the_workflow_would_do_today(file: Path) -> None:
    """A workflow that is under way goes on after an upgrade."""
    await replayer(SHOP.sagas).replay_workflow(history(file))


@pytest.mark.parametrize("file", SHOP_WORKFLOWS.histories(), ids=lambda file: file.stem)
def test_a_recorded_history_names_no_machine(file: Path) -> None:
    """Neither its name nor a path on it, as a stack trace has them."""
    document = json.loads(file.read_text())
    assert document == portable(document)


def test_fulfilment_has_its_histories() -> None:
    """None is missing."""
    held = {file.stem for file in SHOP_WORKFLOWS.histories()}
    assert held == set(SHOP_WORKFLOWS.stories["order_fulfilment"])
