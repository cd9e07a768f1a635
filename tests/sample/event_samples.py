"""One event of every type, as a bank would record it.

python -m tests.sample.event_samples        writes what the golden corpus lacks
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from domain.decider import Event
from domain.values import Money
from tests.contracts.golden_corpus import Corpus
from tests.sample import accounts, transfers
from tests.sample.service import SAMPLE

SAMPLES: Sequence[Event] = (
    accounts.Deposited(deposit_id="d-1", amount=500),
    accounts.Held(transfer_id="t-1", amount=300),
    accounts.Released(transfer_id="t-1", amount=300),
    accounts.Withdrawn(transfer_id="t-1", amount=300),
    transfers.TransferRequested(
        source="ann", target="bob", amount=300, fee=Money.parse("0.5 EUR"), note="for the rent"
    ),
    transfers.TransferApproved(),
    transfers.TransferReminded(reminder_id="r-1"),
    transfers.TransferCompleted(),
    transfers.TransferCancelled(reason="changed my mind"),
)

SAMPLE_CORPUS: Final = Corpus(
    home=Path(__file__).parent / "events",
    module="tests.sample.event_samples",
    catalogue=SAMPLE.catalogue,
    categories=SAMPLE.categories,
    samples=SAMPLES,
)

if __name__ == "__main__":
    SAMPLE_CORPUS.freeze()
