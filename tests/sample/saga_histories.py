"""Recorded histories of every released version of the bank's saga.

python -m tests.sample.saga_histories        writes what is missing
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from application.messages import RecordedEvent
from infrastructure.providers.simulated import Fault
from tests.contracts.saga_corpus import SagaCorpus
from tests.sample.money_transfer import money_transfer
from tests.sample.service import SAMPLE
from tests.sample.transfers import CancelTransfer
from tests.sample.world import Bank

TRANSFERS: Mapping[str, Sequence[Fault]] = {
    "completed": (),
    "cancelled": (),
    "delayed": (Fault(kind="unavailable", call="redeem", times=3),),
    "declined": (Fault(kind="decline", call="redeem"),),
    "timed out": (Fault(kind="unavailable", call="redeem", times=40),),
    "undone late": (
        Fault(kind="unavailable", call="redeem", times=40),
        Fault(kind="unavailable", call="restore", times=3),
    ),
}


async def _transfer(name: str) -> Sequence[RecordedEvent]:
    world = Bank(*TRANSFERS[name])
    await world.deposit(a=10)
    await world.request()
    if name == "cancelled":
        await world.tell(world.id, CancelTransfer(reason="changed my mind"))
    await world.settle()
    return world.recorded(f"{money_transfer.name}-{world.id}")


SAMPLE_SAGAS: Final = SagaCorpus(
    home=Path(__file__).parent / "sagas",
    module="tests.sample.saga_histories",
    service=SAMPLE,
    stories={money_transfer.name: {name: partial(_transfer, name) for name in TRANSFERS}},
)

if __name__ == "__main__":
    SAMPLE_SAGAS.freeze()
