"""The reaction of the bank: an event comes, a command goes, once."""

from application.reactions import Tools
from tests.sample.thanks import thanks
from tests.sample.transfers import CompleteTransfer
from tests.sample.world import Bank


async def test_a_completed_transfer_is_thanked_for_once() -> None:
    """However often the event is handed out; what it causes names the event as its cause."""
    world = Bank()
    await world.request()
    await world.tell("t-1", CompleteTransfer())
    _, completed = world.recorded("transfer-t-1")
    assert completed in thanks.events
    handle = thanks.handler(Tools(world.store, world.dispatch, lambda: world.now, world.outside))

    for _ in range(3):
        await handle(completed)

    (thanked,) = world.recorded("account-a")
    assert thanked.metadata.causation_id == str(completed.id)
    assert world.folded("account-a").balance == 1
