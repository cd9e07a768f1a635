"""One integration event of every version, as a bank would publish or receive it.

python -m tests.sample.integration_samples    releases what the corpus lacks
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from application.integration_events import IntegrationEvent
from tests.contracts.contract_corpus import ContractCorpus
from tests.sample import incoming, integration_events
from tests.sample.service import SAMPLE

SAMPLES: Sequence[IntegrationEvent] = (
    integration_events.Requested(transfer_id="t-1", source="ann", target="bob", amount=300),
    integration_events.Completed(transfer_id="t-1"),
    integration_events.Credited(account_id="ann", amount=500),
    incoming.PaymentReceived(payment_id="p-1", account_id="ann", amount=500),
    incoming.TransferRejected(transfer_id="t-1", accounts=("ann", "bob")),
)

SAMPLE_CONTRACT: Final = ContractCorpus(
    home=Path(__file__).parent / "contract",
    module="tests.sample.integration_samples",
    service=SAMPLE,
    samples=SAMPLES,
)

if __name__ == "__main__":
    SAMPLE_CONTRACT.freeze()
