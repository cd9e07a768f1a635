"""What was asked for on each day. Key: ``2026-01-31/EUR``, by the currency of the fee."""

from collections.abc import Collection, Sequence
from datetime import date

from application.projections.projection import Change, Parts, Projection, View
from domain.values import Currency, Money
from tests.sample.aggregates import TRANSFER
from tests.sample.read_models.asked_transfer import AskedTransfer, evolve_asked, key


class DailyTransfers(View):
    day: date
    currency: Currency
    transfers: int = 0  # cancelled ones too
    cancelled: int = 0
    reminders: int = 0
    amount: int = 0  # of those that were not cancelled
    fees: Money  # likewise


def _views(asked: AskedTransfer) -> Collection[str]:
    return (f"{asked.day}/{asked.fee.currency}",)


def _gather(
    _: str, day: DailyTransfers | None, changes: Sequence[Change[AskedTransfer]]
) -> DailyTransfers | None:
    for before, after in changes:
        if before is not None and day is not None:
            day = _added(day, before, -1)
        if after is not None:
            currency = after.fee.currency
            none_yet = DailyTransfers(day=after.day, currency=currency, fees=Money.zero(currency))
            day = _added(day or none_yet, after, +1)
    return day


def _added(day: DailyTransfers, asked: AskedTransfer, times: int) -> DailyTransfers:
    counted = 0 if asked.cancelled else times
    return day.model_copy(
        update={
            "transfers": day.transfers + times,
            "cancelled": day.cancelled + times * asked.cancelled,
            "reminders": day.reminders + times * asked.reminders,
            "amount": day.amount + counted * asked.amount,
            "fees": day.fees + asked.fee * counted,
        }
    )


daily_transfers = Projection(
    name="daily_transfers",
    version=1,
    view=DailyTransfers,
    follows=(TRANSFER,),
    parts=Parts(part=AskedTransfer, keys=key, evolve=evolve_asked, views=_views, gather=_gather),
    indexed=("currency",),
)
