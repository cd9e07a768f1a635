"""A saga that one engine has begun is carried on by the other, from its stream."""

from temporalio.client import Client

from application.sagas.deadlines import Deadlines
from application.sagas.operating import RetrySaga
from application.sagas.state import SagaStatus
from infrastructure import memory
from infrastructure.providers.simulated import Fault
from tests.application.sagas import world
from tests.infrastructure.temporal.bank import TemporalBank
from tests.infrastructure.temporal.skipping import Clock
from tests.infrastructure.temporal.worlds import at_work
from tests.sample.money_transfer import money_transfer
from tests.sample.world import Bank

AWAY_ONCE = Fault(kind="unavailable", call="redeem", times=1)


async def begun_by_the_plain_engine(client: Client) -> TemporalBank:
    """A bank whose transfer waits for its next attempt; Temporal drives from now on."""
    bank = TemporalBank(AWAY_ONCE)
    bank.now = await Clock(client).now()
    await bank.deposit(a=5)
    await bank.request()
    await world.World.work(bank)
    assert bank.saga().attempts == 1
    bank.drive(client)
    bank.handed_out()
    return bank


async def test_temporal_takes_up_a_saga_when_an_operator_acts(skipping: Client) -> None:
    """It has no workflow: one is started from its stream."""
    bank = await begun_by_the_plain_engine(skipping)
    async with bank.driving:
        await bank.tell("t-1", RetrySaga(by="ada", reason="it is back"))
        await bank.settle()
        await bank.adds_up()
        assert bank.saga().status is SagaStatus.COMPLETED


async def test_temporal_takes_up_a_saga_that_is_due(skipping: Client) -> None:
    """The watch over deadlines wakes it, since Temporal has no timer of it."""
    bank = await begun_by_the_plain_engine(skipping)
    async with bank.driving:
        due = bank.due
        assert due is not None
        subscriptions = memory.Subscriptions(bank.store)
        watch = Deadlines(money_transfer.name, bank.store, subscriptions, now=lambda: due)
        for recorded in bank.store.after(-1, 1000):
            if recorded in watch.events:
                watch.learn(recorded)
        await watch.wake()
        await bank.settle()
        await bank.adds_up()
        assert bank.saga().status is SagaStatus.COMPLETED


async def test_the_plain_engine_takes_up_a_saga_of_temporal(skipping: Client) -> None:
    """The workflow that is left has no worker, and no say."""
    async with at_work(TemporalBank, skipping, AWAY_ONCE) as bank:
        await bank.deposit(a=5)
        await bank.request()
        await bank.work()
        assert bank.saga().attempts == 1
        await skipping.get_workflow_handle(f"{money_transfer.name}-t-1").terminate()
        plain = Bank()
        plain.store, plain.now = bank.store, await bank.driving.clock.now()
    plain.start()
    await plain.settle()
    await plain.adds_up()
    assert plain.saga().status is SagaStatus.COMPLETED
