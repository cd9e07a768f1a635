"""The rules of money: our payments are the provider's, and we keep the price of the goods."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from application.shop.auditing.accounts import Accounts, OrderAccount, PaymentAccount
from application.shop.auditing.findings import (
    Amount,
    BooksDisagree,
    Finding,
    HeldForFinishedOrder,
    KeptOtherwise,
    PaymentWithoutOrder,
    UnderWay,
)
from application.shop.ports import PaymentRecord
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.values import Money

_FINISHED = (OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.CANCELLED)


@dataclass(frozen=True)
class Sums:
    """The money of one order, as one side has recorded it."""

    held: Money
    captured: Money
    refunded: Money
    refunds: frozenset[str] = frozenset()  # by their ids, where they are known

    @property
    def kept(self) -> Money:
        return self.captured - self.refunded

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.held + other.held,
            self.captured + other.captured,
            self.refunded + other.refunded,
            self.refunds | other.refunds,
        )

    @classmethod
    def none(cls, currency: str) -> "Sums":
        nothing = Money.zero(currency)
        return cls(nothing, nothing, nothing)


def findings(accounts: Accounts, records: Sequence[PaymentRecord]) -> Iterator[Finding | UnderWay]:
    """What is wrong with any penny."""
    yield from _without_order(accounts, records)
    ours, theirs = _ours(accounts), _theirs(records)
    for id, order in accounts.ours.items():
        if accounts.is_settled(id):
            nothing = Sums.none(order.currency)
            due = sum(
                (one.requested.difference for one in accounts.exchanges_of(id) if one.is_completed),
                start=order.due,
            )
            yield from _of_order(id, order, due, ours.get(id, nothing), theirs.get(id, nothing))


def in_our_books(payment: PaymentAccount) -> Sums:
    """One payment, by our stream."""
    state = payment.state
    assert state.attempt is not None  # a stream begins with it
    nothing = Money.zero(state.attempt.amount.currency)
    held = state.attempt.amount if state.status is PaymentStatus.AUTHORISED else nothing
    refunded = sum(state.refunds.values(), start=nothing)
    return Sums(held, state.captured or nothing, refunded, frozenset(state.refunds))


def _ours(accounts: Accounts) -> dict[str, Sums]:
    sums: dict[str, Sums] = {}
    for payment in accounts.payments.values():
        if payment.order_id is not None:
            _add(sums, payment.order_id, in_our_books(payment))
    return sums


def _theirs(records: Sequence[PaymentRecord]) -> dict[str, Sums]:
    sums: dict[str, Sums] = {}
    for payment in records:
        _add(sums, payment.order_id, Sums(payment.held, payment.captured, payment.refunded))
    return sums


def _add(sums: dict[str, Sums], id: str, more: Sums) -> None:
    sums[id] = sums[id] + more if id in sums else more


def _without_order(accounts: Accounts, records: Sequence[PaymentRecord]) -> Iterator[Finding]:
    for id, payment in accounts.payments.items():
        attempt = payment.state.attempt
        if attempt is not None and not _exists(attempt.order_id, accounts):
            yield PaymentWithoutOrder(
                where=f"payment-{id}", order_id=attempt.order_id, amount=attempt.amount
            )
    for entry in records:
        if not _exists(entry.order_id, accounts):
            where = f"provider: {entry.key}"
            yield PaymentWithoutOrder(where=where, order_id=entry.order_id, amount=entry.authorised)


def _exists(id: str, accounts: Accounts) -> bool:
    order = accounts.orders.get(id)
    return order is not None and order.is_ours


def _of_order(
    id: str, order: OrderAccount, due: Money, ours: Sums, theirs: Sums
) -> Iterator[Finding | UnderWay]:
    where = f"order-{id}"
    yield from _books(where, ours, theirs)
    if order.state.status in _FINISHED and theirs.held.amount > 0:
        yield HeldForFinishedOrder(where=where, status=order.status, amount=theirs.held)
    for return_id, lines in order.state.returns.items():
        worth = order.worth_of(lines)
        if return_id not in ours.refunds and worth.amount > 0:
            yield UnderWay(order_id=id, what="a return has not been refunded", return_id=return_id)
            due += worth
    if ours.kept != due:
        yield KeptOtherwise(where=where, status=order.status, due=due, kept=ours.kept)


def _books(where: str, ours: Sums, theirs: Sums) -> Iterator[Finding]:
    pairs: Sequence[tuple[Amount, Money, Money]] = (
        ("held", ours.held, theirs.held),
        ("captured", ours.captured, theirs.captured),
        ("refunded", ours.refunded, theirs.refunded),
    )
    for what, mine, their in pairs:
        if mine != their:
            yield BooksDisagree(where=where, what=what, ours=mine, theirs=their)
