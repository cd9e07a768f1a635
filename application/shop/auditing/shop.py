"""The audit itself: all events of a shop, one by one, then the verdict. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, SerializeAsAny, computed_field

from application.category import split
from application.messages import RecordedEvent
from application.shop.aggregates import EXCHANGE, ORDER, PAYMENT, SHIPMENT, STOCK
from application.shop.auditing import exchanges, fulfilment, money, parcels, stock
from application.shop.auditing.accounts import (
    Accounts,
    ExchangeAccount,
    OrderAccount,
    PaymentAccount,
    ShipmentAccount,
    StockAccount,
)
from application.shop.auditing.findings import EventsMissing, Finding, UnderWay
from application.shop.auditing.summary import Summary
from application.shop.ports import BookingRecord, PaymentRecord

_AUDITED = ORDER.own | STOCK.own | PAYMENT.own | SHIPMENT.own | EXCHANGE.own
EVENTS = _AUDITED | fulfilment.EVENTS | exchanges.EVENTS
"""All events that an audit has to see."""


class Verdict(BaseModel):
    """Whether a shop adds up, and its totals."""

    model_config = ConfigDict(frozen=True)

    summary: Summary
    findings: tuple[SerializeAsAny[Finding], ...]
    under_way: tuple[UnderWay, ...]

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def adds_up(self) -> bool:
        return not self.findings


class Shop:
    """The accounts after the events so far. It must get each of ``EVENTS`` once, in order."""

    def __init__(self) -> None:
        self.accounts = Accounts()
        self._versions: dict[str, int] = {}
        self._missing: list[Finding] = []
        self._rooms: dict[str, tuple[dict[str, Any], type[Any]]] = {
            "order": (self.accounts.orders, OrderAccount),
            "stock": (self.accounts.stock, StockAccount),
            "payment": (self.accounts.payments, PaymentAccount),
            "shipment": (self.accounts.shipments, ShipmentAccount),
            "exchange": (self.accounts.exchanges, ExchangeAccount),
        }

    def enter(self, recorded: RecordedEvent) -> None:
        """Apply one event. Raises ``UnreadableEvent``."""
        category, id = split(recorded.stream)
        if category == fulfilment.CATEGORY:
            order = self.accounts.orders.setdefault(id, OrderAccount())
            order.ends += (fulfilment.ENDS[recorded.type],)
        elif category == exchanges.CATEGORY:
            exchange = self.accounts.exchanges.setdefault(id, ExchangeAccount())
            exchange.ends += (fulfilment.ENDS[recorded.type],)
        elif category in self._rooms:
            self._follow(recorded)
            accounts, new = self._rooms[category]
            if id not in accounts:
                accounts[id] = new()
            accounts[id].enter(recorded.event)

    def verdict(
        self, payments: Sequence[PaymentRecord], bookings: Sequence[BookingRecord]
    ) -> Verdict:
        """The verdict, compared with these records of the providers."""
        found = list(self._found(payments, bookings))
        return Verdict(
            summary=Summary.of(self.accounts, payments, bookings),
            findings=tuple(one for one in found if isinstance(one, Finding)),
            under_way=tuple(one for one in found if isinstance(one, UnderWay)),
        )

    def _follow(self, recorded: RecordedEvent) -> None:
        expected = self._versions.get(recorded.stream, -1) + 1
        if recorded.version != expected:
            where, version = recorded.stream, recorded.version
            self._missing.append(EventsMissing(where=where, expected=expected, version=version))
        self._versions[recorded.stream] = recorded.version

    def _found(
        self, payments: Sequence[PaymentRecord], bookings: Sequence[BookingRecord]
    ) -> Iterator[Finding | UnderWay]:
        yield from self._missing
        yield from stock.findings(self.accounts)
        yield from money.findings(self.accounts, payments)
        yield from parcels.findings(self.accounts, bookings)
        yield from fulfilment.findings(self.accounts)
        yield from exchanges.findings(self.accounts)
