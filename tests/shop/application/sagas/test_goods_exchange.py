"""An exchange in every kind of trouble, one at a time; each time the whole shop is audited."""

from contextlib import suppress
from functools import partial

import pytest

from application.sagas.operating import CompensateSaga, RetrySaga
from application.sagas.state import SagaStatus
from application.shop.sagas.goods_exchange import goods_exchange
from domain.exchanges import CloseExchange, ExchangeIsClosed, ReceiveGoods, SendReplacement
from domain.orders import MoreThanOrdered, ReturnedLine, ReturnLines
from domain.stock import AdjustStock
from infrastructure.providers.simulated import Fault
from tests.shop.application.sagas.exchange_world import EXCHANGE, ExchangeWorld, delivered

DONE = [f"Completed {step.name}" for step in goods_exchange.steps]


def stock(world: ExchangeWorld) -> tuple[int, int]:
    """What is on the shelf: of what was ordered, and of what it is exchanged for."""
    return world.folded("stock-a").on_hand, world.folded("stock-b").on_hand


@pytest.mark.parametrize(
    ("price", "charged", "given_back"),
    [("4 GBP", "1.5", "0"), ("2.5 GBP", "0", "0"), ("1 GBP", "0", "1.5")],
    ids=["dearer", "as dear", "cheaper"],
)
async def test_an_exchange(price: str, charged: str, given_back: str) -> None:
    """Goods come back, others leave; the difference is charged, or goes back to the customer."""
    world = await delivered()
    await world.exchange(price)
    await world.settle()
    await world.audited()

    assert [line for line in world.steps() if line.startswith("Completed")] == DONE
    assert world.saga_of().status is SagaStatus.COMPLETED
    assert stock(world) == (2, 2)
    paid = world.payment_provider.records.get(f"authorise:{EXCHANGE}")
    assert str(paid.captured.amount if paid else 0) == charged
    assert str(world.payment_provider.records["authorise:o-1"].refunded.amount) == given_back


async def test_goods_that_do_not_come_close_the_exchange() -> None:
    """After 14 days: the lines can be returned again, and nothing else has happened."""
    world = await delivered()
    world.goods_come = False
    began = world.now
    await world.exchange()
    await world.settle()
    await world.audited()

    assert world.saga_of().status is SagaStatus.COMPENSATED
    assert (world.now - began).days == 14
    assert world.saga_of().reason.startswith("await goods: no GoodsReceived by ")
    assert world.folded(f"exchange-{EXCHANGE}").status == "closed"
    await world.tell("o-1", ReturnLines(return_id="r", lines=(ReturnedLine(line=1, quantity=2),)))


async def test_a_replacement_that_is_not_there_is_not_waited_for() -> None:
    """Nobody sends goods back for it: the check refuses, and leaves no event in the stock."""
    world = await delivered()
    before = len(world.recorded("stock-b"))
    await world.exchange(quantity=4)
    await world.settle()
    await world.audited()

    assert world.saga_of().status is SagaStatus.COMPENSATED
    assert world.saga_of().reason == "check replacement: OutOfStock: 4 are wanted, 3 are available"
    assert len(world.recorded("stock-b")) == before
    assert "Completed await goods" not in world.steps()


async def test_goods_for_a_replacement_that_has_gone_are_a_return() -> None:
    """They came back while the last piece went: they are paid back, and back on the shelf."""
    world = await delivered()
    world.goods_come = False
    await world.exchange(quantity=3)
    await world.engines_settle()
    await world.tell("b", AdjustStock(adjustment_id="c", difference=-1, reason="counted"))
    world.goods_come = True
    await world.settle()
    await world.audited()

    assert "reserve replacement: OutOfStock" in world.saga_of().reason
    assert list(world.folded("order-o-1").returns) == [EXCHANGE]
    assert str(world.payment_provider.records["authorise:o-1"].refunded) == "2.5 GBP"
    assert stock(world) == (2, 2)


async def test_a_difference_that_is_declined() -> None:
    """The goods are a return then, and what was reserved is free again."""
    world = await delivered(Fault(kind="decline", call="authorise"))
    await world.exchange("4 GBP")
    await world.settle()
    await world.audited()

    assert world.saga_of().reason.startswith("authorise difference: ")
    assert EXCHANGE not in world.folded("stock-b").reserved
    assert stock(world) == (2, 3)


async def test_a_replacement_that_is_not_sent() -> None:
    """After 7 days all is undone: parcel and money are let go, the goods are a return."""
    world = await delivered()
    world.it_is_sent = False
    await world.exchange("4 GBP")
    await world.settle()
    await world.audited()

    assert world.saga_of().reason.startswith("await dispatch: no ReplacementSent by ")
    assert world.carrier.records[f"book:{EXCHANGE}"].cancelled
    assert world.payment_provider.records[f"authorise:{EXCHANGE}"].voided


@pytest.mark.parametrize("came", [False, True])
async def test_the_customer_thinks_better_of_it(came: bool) -> None:
    """Before the replacement leaves all is undone; goods that have come back are a return."""
    world = await delivered()
    world.goods_come, world.it_is_sent = came, False
    await world.exchange("4 GBP")
    await world.engines_settle()
    await world.people_act()
    await world.engines_settle()
    await world.tell(EXCHANGE, CloseExchange(reason="changed my mind"))
    await world.settle()
    await world.audited()

    assert world.saga_of().reason == "changed my mind"
    assert bool(world.folded("order-o-1").returns) is came


async def test_goods_that_come_as_the_exchange_expires() -> None:
    """Recorded before it was closed, but noticed after: they are a return."""
    world = await delivered()
    world.goods_come = False
    await world.exchange()
    await world.engines_settle()
    world.now = max(world.now, *world.moments_to_come())
    await world.watchers[-1].wake()
    await world.tell(EXCHANGE, ReceiveGoods())  # nobody has handled the waking yet
    await world.settle()
    await world.audited()

    history = world.steps()
    assert history.index("WaitExpired await goods") < history.index("EventArrived await goods")
    assert world.saga_of().status is SagaStatus.COMPENSATED
    assert list(world.folded("order-o-1").returns) == [EXCHANGE]
    assert stock(world) == (2, 3)


async def test_what_has_been_sent_is_not_undone() -> None:
    """An operator may want it: the exchange refuses, and nothing else is touched."""
    world = await delivered(Fault(kind="unavailable", call="capture"))
    await world.exchange("4 GBP")
    for _ in range(2):  # the goods come, and the replacement leaves
        await world.engines_settle()
        await world.people_act()
    await world.engines_settle()
    command = CompensateSaga(by="ada", reason="a mistake")
    await world.tell(EXCHANGE, command, saga=goods_exchange)
    await world.settle()

    assert world.saga_of().status is SagaStatus.FAILED
    assert "AlreadySent" in world.saga_of().reason
    assert world.folded("stock-b").dispatched[EXCHANGE] == 1
    assert not world.carrier.records[f"book:{EXCHANGE}"].cancelled


async def test_whoever_sends_while_all_is_undone_is_refused_or_first() -> None:
    """At every moment of the compensation: what was sent before has nothing undone behind it."""
    for moment in range(1, 60):
        world = await delivered()
        world.it_is_sent = False
        await world.exchange("4 GBP")
        for _ in range(2):
            await world.engines_settle()
            await world.people_act()
        await world.tell(EXCHANGE, CompensateSaga(by="ada", reason="?"), saga=goods_exchange)
        world.moments.passed = 0
        world.moments.happens = {moment: partial(_sent, world)}
        await world.settle()

        if world.folded(f"exchange-{EXCHANGE}").status == "closed":
            assert world.saga_of().status is SagaStatus.COMPENSATED
            await world.audited()
        else:
            assert world.saga_of().status is SagaStatus.FAILED
            assert not world.carrier.records[f"book:{EXCHANGE}"].cancelled, f"at {moment}"
            assert EXCHANGE in world.folded("stock-b").reserved


async def _sent(world: ExchangeWorld) -> None:
    with suppress(ExchangeIsClosed):
        await world.tell(EXCHANGE, SendReplacement(), "the warehouse")


async def test_a_capture_that_fails_is_tried_until_it_succeeds() -> None:
    """The replacement has left, so nothing turns back."""
    world = await delivered(Fault(kind="unavailable", call="capture", times=50))
    await world.exchange("4 GBP")
    await world.settle()
    await world.audited()

    assert world.saga_of().status is SagaStatus.COMPLETED


async def test_exchanges_of_one_order_do_not_meet() -> None:
    """Each has a saga of its own; a line that is exchanged cannot be exchanged again."""
    world = await delivered()
    await world.exchange(id="e-1")
    await world.settle()
    await world.exchange("1 GBP", id="e-2")
    await world.settle()
    await world.audited()
    with pytest.raises(MoreThanOrdered):
        await world.exchange(id="e-3")

    assert {world.saga_of(id).status for id in ("e-1", "e-2")} == {SagaStatus.COMPLETED}


async def test_a_request_that_is_overtaken_is_closed() -> None:
    """The same line was returned meanwhile: the claim is refused, and nothing is waited for."""
    world = await delivered()
    await world.exchange()
    await world.tell("o-1", ReturnLines(return_id="r", lines=(ReturnedLine(line=1, quantity=2),)))
    await world.settle()
    await world.audited()

    assert world.saga_of().reason.startswith("claim lines: MoreThanOrdered")
    assert world.saga_of().status is SagaStatus.COMPENSATED


async def test_an_operator_reaches_the_saga_that_is_meant() -> None:
    """The commands of all sagas are of the same classes: the saga's name says where they go."""
    world = await delivered(Fault(kind="unavailable", call="book"))
    await world.exchange(id="o-1")  # the id of its order: two sagas share it
    await world.engines_settle()
    await world.people_act()
    await world.engines_settle()
    await world.tell("o-1", RetrySaga(by="ada", reason="the carrier is back"), saga=goods_exchange)

    assert [of.type for of in world.recorded("goods_exchange-o-1")][-1] == "SagaRetried"
    assert "SagaRetried" not in [of.type for of in world.recorded("order_fulfilment-o-1")]


async def test_a_request_that_is_repeated_changes_nothing() -> None:
    """Even when the exchange is over, and its lines could not be exchanged again."""
    world = await delivered()
    await world.exchange()
    await world.settle()
    before = world.store.last_position
    await world.exchange()

    assert world.store.last_position == before


async def test_sending_again_changes_nothing() -> None:
    """The warehouse may say so twice."""
    world = await delivered()
    await world.exchange()
    await world.settle()
    before = world.store.last_position
    await world.tell(EXCHANGE, SendReplacement())

    assert world.store.last_position == before
