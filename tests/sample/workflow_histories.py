"""Recorded workflow histories of every released version of the bank's saga.

python -m tests.sample.workflow_histories        writes what is missing
"""

from functools import partial
from pathlib import Path
from typing import Final

from temporalio.client import Client, WorkflowHistory

from tests.infrastructure.temporal.bank import TemporalBank
from tests.infrastructure.temporal.corpus import WorkflowCorpus
from tests.infrastructure.temporal.worlds import at_work
from tests.sample.money_transfer import money_transfer
from tests.sample.saga_histories import TRANSFERS
from tests.sample.service import SAMPLE
from tests.sample.transfers import CancelTransfer

STORIES: Final = TRANSFERS.keys() - {"timed out"}  # undone late is that, too


async def _transfer(name: str, client: Client) -> WorkflowHistory:
    async with at_work(TemporalBank, client, *TRANSFERS[name]) as bank:
        await bank.deposit(a=10)
        await bank.request()
        if name == "cancelled":
            await bank.tell(bank.id, CancelTransfer(reason="changed my mind"))
        await bank.settle()
        return await client.get_workflow_handle(f"{money_transfer.name}-{bank.id}").fetch_history()


SAMPLE_WORKFLOWS: Final = WorkflowCorpus(
    home=Path(__file__).parent / "workflows",
    service=SAMPLE,
    stories={money_transfer.name: {name: partial(_transfer, name) for name in STORIES}},
)

if __name__ == "__main__":
    SAMPLE_WORKFLOWS.freeze()
