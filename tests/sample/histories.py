"""Histories of the bank."""

from typing import Final

from hypothesis import strategies as st

from domain.values import Money
from tests.histories import (
    A_TEXT,
    AN_ID,
    PARKING_EXAMPLES,
    PARKING_FIELDS,
    Examples,
    Fields,
    Histories,
    example,
)
from tests.sample import accounts, transfers
from tests.sample.service import SAMPLE

_FIELDS: Final[Fields] = {
    **PARKING_FIELDS,
    **dict.fromkeys(("deposit_id", "transfer_id", "reminder_id", "source", "target"), AN_ID),
    "amount": st.integers(1, 4),
    "fee": st.sampled_from(["0 EUR", "0.5 EUR", "1 GBP"]).map(Money.parse),
    "note": A_TEXT,
}

_REQUEST: Final = example(transfers.RequestTransfer, source="a", target="b", amount=3)
_HOLD: Final = example(accounts.Hold, transfer_id="a", amount=3)

_EXAMPLES: Final[Examples] = {
    **PARKING_EXAMPLES,
    "account": [
        [
            example(accounts.Deposit, deposit_id="a", amount=5),
            _HOLD,
            example(accounts.Release, transfer_id="a"),
            _HOLD,
            example(accounts.Withdraw, transfer_id="a"),
        ]
    ],
    "transfer": [
        [
            _REQUEST,
            example(transfers.RemindOfTransfer, reminder_id="a"),
            transfers.ApproveTransfer(),
            transfers.CompleteTransfer(),
        ],
        [_REQUEST, example(transfers.CancelTransfer, reason="x")],
    ],
}

SAMPLE_HISTORIES: Final = Histories(SAMPLE, _FIELDS, _EXAMPLES)
