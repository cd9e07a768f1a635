"""The payload stores that the wiring makes of the settings."""

from pathlib import Path

import pytest
from dependency_injector import providers

from application.ports import StoreUnavailable
from infrastructure import filesystem
from infrastructure.connecting import opened_to_serve
from infrastructure.container import in_memory
from tests.application.test_claimed_once import Counted
from tests.sample.client import bank_over, empty_bank
from tests.sample.program import BANK
from tests.stores import settings_of


async def test_a_store_that_cannot_be_used_is_named_at_the_start(tmp_path: Path) -> None:
    """The service does not start, and the reason names the setting."""
    settings = settings_of({"HEADWATER_PAYLOADS_ALSO_IN": str(tmp_path / "gone")})
    container = in_memory(BANK, settings)

    with pytest.raises(StoreUnavailable, match=r"HEADWATER_PAYLOADS_ALSO_IN: .*gone"):
        async with opened_to_serve(container):
            pass


async def test_a_fault_of_the_payload_store_is_shown(tmp_path: Path) -> None:
    """Readiness names it, and the process is ready all the same: most requests need none."""
    directory = tmp_path / "payloads"
    container = in_memory(BANK, settings_of({}))
    container.payload_store.override(providers.Object(filesystem.PayloadStore(directory)))
    async with opened_to_serve(container):
        before = await container.health().readiness()
        for name in directory.iterdir():
            name.unlink()
        directory.rmdir()
        after = await container.health().readiness()

    assert before.checks["payload store"] == "ok"
    assert "is not a directory" in after.checks["payload store"]
    assert "payload store" not in after.wrong


async def test_all_read_models_of_a_process_share_a_payload() -> None:
    """A large event that several of them take in is fetched once."""
    payloads = Counted()
    container = empty_bank()
    container.payload_store.override(providers.Object(payloads))
    async with bank_over(container) as bank:
        path = await bank.requested(notes=["a long story " * 7] * 200)
        assert (await bank.get(path)).status_code == 200

    assert [*payloads.fetched.values()] == [1]


async def test_the_log_of_a_first_run_is_noted_when_it_ends() -> None:
    """When it began, the log was empty, and had no id."""
    container = empty_bank()
    async with bank_over(container) as bank:
        assert await container.payload_store().logs() == set()
        await bank.requested()

    assert [*await container.payload_store().logs()] == [await container.subscriptions().store_id()]
