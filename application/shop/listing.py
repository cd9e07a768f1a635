"""Orders to look through: newest first, by status, day, country, customer, with exact totals."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from application.paging import require_limit
from application.ports import Finding, Summing
from application.shop.read_models.orders_by_date import ListedOrder, key_of
from application.time_range import EVER, TimeRange
from domain.orders import OrderStatus
from domain.shop_values import CustomerId
from domain.values import Money

_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_PLACE: Final = re.compile(r"[0-9]{18}/.{1,200}", re.DOTALL)


@dataclass(frozen=True)
class WantedOrders:
    """All of what is given here."""

    status: OrderStatus | None = None
    placed: TimeRange = EVER
    country: str | None = None
    customer_id: CustomerId | None = None

    @property
    def equal(self) -> Mapping[str, str]:
        fields = {"status": self.status, "country": self.country, "customer_id": self.customer_id}
        return {name: str(value) for name, value in fields.items() if value is not None}

    @property
    def begin(self) -> str | None:
        """What comes before the key of the newest of them."""
        until = self.placed.until
        return key_of(max(until, _FIRST + _MICROSECOND) - _MICROSECOND) if until else None

    @property
    def end(self) -> str | None:
        """What comes behind the key of the oldest of them."""
        since = self.placed.since
        return key_of(since - _MICROSECOND) if since and since > _FIRST else None


EVERY_ORDER: Final = WantedOrders()


@dataclass(frozen=True)
class OrderPage:
    """One page, newest first. ``after`` leads to the next one; ``None`` on the last."""

    orders: Sequence[ListedOrder]
    after: str | None


@dataclass(frozen=True)
class OrderSum:
    """What orders in one currency come to, as ordered."""

    orders: int
    units: int
    total: Money


async def newest_orders(
    views: Finding[ListedOrder],
    wanted: WantedOrders = EVERY_ORDER,
    *,
    after: str | None = None,
    limit: int = 50,
) -> OrderPage:
    """Orders by the time of their placing, newest first, at most ``limit``: 1 to 500.

    ``ValueError`` for another limit, and for an ``after`` that no page has named.
    """
    require_limit(limit)
    if after is not None and not _PLACE.fullmatch(after):
        raise ValueError(f"after is {after[:80]!r}: use the one that the page before ends with")
    found = await views.find(
        equal=wanted.equal, after=after or wanted.begin, until=wanted.end, limit=limit + 1
    )
    last = found[limit - 1][0] if len(found) > limit else None
    return OrderPage([seen.view for _, seen in found[:limit]], last)


async def order_sums(views: Summing, wanted: WantedOrders = EVERY_ORDER) -> Sequence[OrderSum]:
    """How many orders there are and what they come to, for each currency in alphabetical order."""
    sums = await views.sums(
        ("units", "total"),
        by="currency",
        equal=wanted.equal,
        after=wanted.begin,
        until=wanted.end,
    )
    return [
        OrderSum(of.views, int(of.fields["units"]), Money(amount=of.fields["total"], currency=name))
        for name, of in sorted(sums.items())
    ]
