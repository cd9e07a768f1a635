"""A saga that waits, for a person and for a moment: killed anywhere, with people early or late."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.sagas.saga import Check, Step, Wait, within
from application.sagas.state import SagaStatus
from domain.decider import DomainError
from infrastructure.providers.simulated import Fault
from tests.application.sagas.test_crashes import Faults
from tests.application.sagas.world import Killed
from tests.histories import law
from tests.sample import transfers
from tests.sample.money_transfer import Asked, money_transfer
from tests.sample.transfers import ApproveTransfer, CancelTransfer, Transfer, TransferApproved
from tests.sample.world import Bank

DAY = timedelta(days=1)


def require_approved(transfer: Transfer) -> None:
    if transfer.status is not transfers.TransferStatus.APPROVED:
        raise transfers.AlreadyCancelled(f"it is {transfer.status}")


def is_approved(asked: Asked) -> Sequence[Check]:
    return [Check(f"transfer-{asked.transfer_id}", transfers.decider, require_approved)]


_REQUESTED, _HOLD, *_REST = money_transfer.steps
CAUTIOUS = replace(
    money_transfer,
    steps=(
        _REQUESTED,
        _HOLD,
        Step[Asked]("await approval", waits=Wait(within(3 * DAY), TransferApproved)),
        Step[Asked]("sleep on it", waits=Wait(within(DAY))),
        Step[Asked]("check approval", checks=is_approved),
        *_REST,
    ),
)
"""A transfer that needs an approval, and is made a day later if it has not been cancelled."""


class CautiousBank(Bank):
    """Somebody approves what waits for it, unless ``approves`` is false."""

    def __init__(self, *faults: Fault, seed: int = 0) -> None:
        self.approves = True
        super().__init__(*faults, seed=seed)
        self.versions = (CAUTIOUS,)
        self.start()

    async def people_act(self) -> bool:
        waits = self.saga().waiting and self.saga().under_way == "await approval"
        if not (waits and self.approves and "await approval" not in self.saga().arrived):
            return False
        with suppress(DomainError):
            await self.tell("t-1", ApproveTransfer())
        approved: bool = self.folded("transfer-t-1").status is transfers.TransferStatus.APPROVED
        return approved


async def killed(_: CautiousBank) -> None:
    raise Killed


async def approved(world: CautiousBank) -> None:
    with suppress(DomainError):
        await world.tell("t-1", ApproveTransfer())


async def cancelled(world: CautiousBank) -> None:
    with suppress(DomainError):
        await world.tell("t-1", CancelTransfer(reason="changed my mind"))


async def time_passes(world: CautiousBank) -> None:
    """So much that every wait is over, and whoever watches wakes the saga."""
    world.now += 4 * DAY
    for one in world.watchers:
        await one.wake()


async def run(
    happenings: Mapping[int, Callable[[CautiousBank], Awaitable[None]]],
    *faults: Fault,
    approves: bool = True,
    seed: int = 0,
) -> CautiousBank:
    world = CautiousBank(*faults, seed=seed)
    world.approves = approves
    await world.deposit(a=5)
    await world.request("t-1", 2)
    world.moments.happens = {at: partial(happen, world) for at, happen in happenings.items()}
    await world.settle()
    return world


@pytest.mark.parametrize(
    ("approves", "end"), [(True, SagaStatus.COMPLETED), (False, SagaStatus.COMPENSATED)]
)
async def test_killed_at_every_moment_of_a_wait(approves: bool, end: SagaStatus) -> None:
    """Waits outlive the process: it ends as in one clean run, and neither earlier nor later."""
    clean = await run({}, approves=approves)
    for moment in range(1, clean.moments.passed + 1):
        world = await run({moment: killed}, approves=approves)
        await world.adds_up()
        assert world.saga().status is end, f"killed at {moment}"
        assert world.now - clean.now < timedelta(minutes=15), f"killed at {moment}"


HAPPENINGS = st.dictionaries(
    st.integers(1, 60),
    st.sampled_from([killed, approved, cancelled, time_passes]),
    max_size=5,
)


@law(150)
@given(faults=Faults, happenings=HAPPENINGS, approves=st.booleans(), seed=st.integers(0, 5))
async def test_a_wait_ends_whatever_happens(
    faults: Sequence[Fault],
    happenings: Mapping[int, Callable[[CautiousBank], Awaitable[None]]],
    approves: bool,
    seed: int,
) -> None:
    """Under any faults, with people and moments in any order, nothing is left over.

    One thing needs a person: an engine that stands still for days between completing the transfer
    and recording that step, so that it is taken for one that was never done.
    """
    world = await run(happenings, *faults, approves=approves, seed=seed)
    if world.saga().status is SagaStatus.FAILED:
        assert "AlreadyCompleted" in world.saga().reason
        assert time_passes in happenings.values()
        return
    await world.adds_up()
