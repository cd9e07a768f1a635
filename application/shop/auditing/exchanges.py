"""The rules of exchanges: the saga ends once, the goods move once, the order claims the lines."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from application.sagas.events import SagaCompensated, SagaCompleted, SagaFailed, SagaResolved
from application.shop.auditing.accounts import (
    Accounts,
    ExchangeAccount,
    OrderAccount,
    StockAccount,
)
from application.shop.auditing.findings import (
    ClaimedOtherwise,
    EndedOtherwise,
    EndedTwice,
    ExchangedOtherwise,
    Finding,
    FulfilmentWithoutOrder,
    GoodsUnaccounted,
    Moved,
    UnderWay,
    What,
)
from application.shop.reactions.goods_return import receipt_id
from application.shop.sagas.goods_exchange import goods_exchange
from domain.exchanges import ExchangeStatus

CATEGORY = goods_exchange.name
EVENTS = goods_exchange.category.only(SagaCompleted, SagaCompensated, SagaFailed, SagaResolved)
_ENDS: Mapping[str, ExchangeStatus] = {
    "completed": ExchangeStatus.COMPLETED,
    "compensated": ExchangeStatus.CLOSED,
}
_UNDER_WAY: Mapping[str | None, What] = {
    None: "an exchange is running",
    "failed": "an exchange has failed: a person must act",
}
_NO_ORDER, _NO_STOCK = OrderAccount(), StockAccount()


def findings(accounts: Accounts) -> Iterator[Finding | UnderWay]:
    """What is wrong with any exchange, and which are under way. Money is added up by order."""
    for id, exchange in accounts.exchanges.items():
        if exchange.state.requested is None:
            yield FulfilmentWithoutOrder(where=f"{CATEGORY}-{id}")
        elif exchange.end in _ENDS:
            yield from _ended(id, exchange, accounts)
        elif (what := _UNDER_WAY.get(exchange.end)) is not None:
            order_id = exchange.requested.order_id
            yield UnderWay(order_id=order_id, what=what, exchange_id=id)


def _ended(id: str, exchange: ExchangeAccount, accounts: Accounts) -> Iterator[Finding]:
    end, status = str(exchange.end), exchange.status
    if not all(_may_follow(*two) for two in pairwise(exchange.ends)):
        yield EndedTwice(where=f"{CATEGORY}-{id}", ends=exchange.ends)
    if exchange.state.status is not _ENDS[end]:
        yield EndedOtherwise(where=f"{CATEGORY}-{id}", end=end, status=status)
        return
    where = f"order-{exchange.requested.order_id}"
    order = accounts.orders.get(exchange.requested.order_id, _NO_ORDER)
    if (id in order.state.claims) is not exchange.is_completed:
        yield ClaimedOtherwise(where=where, exchange_id=id, status=status)
    if exchange.received and not exchange.is_completed and id not in order.state.returns:
        yield GoodsUnaccounted(where=where, exchange_id=id)
    yield from _moved(id, exchange, accounts)


def _may_follow(end: str, later: str) -> bool:
    """A failed saga may be retried, and goods that arrive too late are undone again."""
    return end in ("failed", "resolved") or later == "failed" or end == later == "compensated"


def _moved(id: str, exchange: ExchangeAccount, accounts: Accounts) -> Iterator[Finding]:
    """Goods that came back for a closed exchange are a return, and audited as such."""
    receipt = receipt_id(exchange.requested.order_id, id)
    sent, back = exchange.replacement, exchange.back
    for sku in sent.keys() | back.keys():
        held = accounts.stock.get(sku, _NO_STOCK).state
        rows: list[tuple[Moved, int, int]] = [
            ("reserved", 0, held.reserved.get(id, 0)),
            ("dispatched", sent[sku], held.dispatched.get(id, 0)),
        ]
        if exchange.is_completed:
            entry = held.receipts.get(receipt)
            rows.append(("received", back[sku], entry.quantity if entry else 0))
        for what, wanted, moved in rows:
            due = wanted if exchange.is_completed else 0
            if due != moved:
                yield ExchangedOtherwise(
                    where=f"stock-{sku}",
                    exchange_id=id,
                    status=exchange.status,
                    what=what,
                    due=due,
                    moved=moved,
                )
