"""The table of the bank: the whole service on one page."""

from typing import Any, Final

from application.service import Service
from tests.sample.access import TELLER
from tests.sample.aggregates import ACCOUNT, TRANSFER
from tests.sample.incoming import RECEIVED  # only: bus
from tests.sample.integration_events import PUBLISHED  # only: bus
from tests.sample.money_transfer import money_transfer
from tests.sample.outside import Outside, outside_calls
from tests.sample.read_models import (
    balances,
    daily_transfers,
    payee_search,
    statements,
    transfer_summary,
)
from tests.sample.thanks import thanks
from tests.sample.transfers import TransferRequested


def fees_carry_their_currency(data: dict[str, Any]) -> dict[str, Any]:
    """TransferRequested 1 → 2: all fees were in euros, so a fee was a bare number."""
    return {**data, "fee": f"{data['fee']} EUR"}


SAMPLE: Final[Service[Outside]] = Service(
    name="bank",
    categories=(ACCOUNT, TRANSFER),
    projections=(balances, transfer_summary, daily_transfers, payee_search, statements),
    sagas=(money_transfer,),
    reactions=(thanks,),
    outside_calls=outside_calls,
    upcasters={TransferRequested: {1: fees_carry_their_currency}},
    roles=(TELLER,),
    publishes=PUBLISHED,  # only: bus
    receives=RECEIVED,  # only: bus
)
