"""The development server of Temporal that ``run`` starts."""

import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from infrastructure.embedded.temporal import DevelopmentServer, TemporalFailed
from tests.without import COMMAND, run


@pytest.mark.usefixtures("temporal")  # is it installed?
async def test_it_keeps_its_address_and_its_workflows(tmp_path: Path) -> None:
    """Ended and started again, it answers at the same address, and knows what was begun."""
    async with DevelopmentServer(tmp_path, "orders") as server:
        address, ui = server.address, server.ui
        client = await Client.connect(address, namespace="orders")
        begun = await client.start_workflow("a saga", id="a-1", task_queue="none")
        server.start_again()
        assert (server.address, server.ui) == (address, ui)
        assert not server.ended

        client = await Client.connect(address, namespace="orders")
        described = await client.get_workflow_handle("a-1").describe()
        assert described.run_id == begun.first_execution_run_id
    assert (tmp_path / "temporal.db").exists()


def test_without_the_driver_run_names_the_extra(tmp_path: Path) -> None:
    """Before anything else is started, in one line and without a trace."""
    ended = run(("temporalio",), COMMAND, tmp_path, "run", "--engine", "temporal")
    assert ended.returncode == 1
    assert "sagas cannot run on Temporal: install the extra 'temporal'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not [*tmp_path.rglob("*.db")], "a server was started there"


async def test_without_its_wheel_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is missing, and what would do instead."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TemporalFailed, match="the extra 'servers', or set the address"):
        DevelopmentServer(tmp_path).start()
