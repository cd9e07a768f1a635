"""The read model ``exchanges``, with every event delivered several times."""

import pytest

from application.shop.read_models.exchanges import ExchangeSummary, exchanges
from application.shop.service import SHOP
from domain.exchanges import (
    ExchangeApproved,
    ExchangeClosed,
    ExchangeCompleted,
    ExchangeEvent,
    ExchangeRequested,
    ExchangeStatus,
    GoodsBack,
    GoodsReceived,
    Replacement,
    ReplacementSent,
)
from domain.values import Money
from tests.projection_specification import ProjectionSpecification, at

views = ProjectionSpecification(SHOP.catalogue, exchanges)

BACK = GoodsBack(line=1, sku="85123A", quantity=2, unit_price=Money.parse("2.55 GBP"))
COMES = Replacement(sku="22423", quantity=1, unit_price=Money.parse("12.75 GBP"))
ASKED = ExchangeRequested(order_id="o-1", back=(BACK,), replacements=(COMES,))
SUMMARY = ExchangeSummary(
    exchange_id="e-1",
    version=0,
    order_id="o-1",
    status=ExchangeStatus.REQUESTED,
    requested_at=at(0),
    updated_at=at(0),
    difference=Money.parse("7.65 GBP"),
    back=(BACK,),
    replacements=(COMES,),
)


@pytest.mark.parametrize(
    ("then", "status"),
    [
        ((), ExchangeStatus.REQUESTED),
        ((GoodsReceived(),), ExchangeStatus.RECEIVED),
        ((GoodsReceived(), ExchangeApproved()), ExchangeStatus.APPROVED),
        ((GoodsReceived(), ExchangeApproved(), ReplacementSent()), ExchangeStatus.SENT),
        ((ReplacementSent(), ExchangeCompleted()), ExchangeStatus.COMPLETED),
    ],
)
def test_an_exchange_goes_its_way(then: tuple[ExchangeEvent, ...], status: ExchangeStatus) -> None:
    """Status, version and time follow its events; what goes and what comes stays."""
    history = [("exchange-e-1", event) for event in (ASKED, *then)]
    changed = {"status": status, "version": len(then), "updated_at": at(len(then))}

    views.given(*history).then({"e-1": SUMMARY.model_copy(update=changed)})


def test_an_exchange_that_is_closed_shows_why() -> None:
    """Others are not touched by it."""
    closed = {
        "status": ExchangeStatus.CLOSED, "version": 1, "updated_at": at(2), "reason": "too late",
    }  # fmt: skip
    other = {"exchange_id": "e-2", "requested_at": at(1), "updated_at": at(1)}

    views.given(
        ("exchange-e-1", ASKED),
        ("exchange-e-2", ASKED),
        ("exchange-e-1", ExchangeClosed(reason="too late")),
    ).then({"e-1": SUMMARY.model_copy(update=closed), "e-2": SUMMARY.model_copy(update=other)})
