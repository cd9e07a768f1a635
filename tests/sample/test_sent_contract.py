"""What the bank sends to other systems, beside what it says that it sends."""

import pytest

from tests.contracts.sent_contract_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.sent_contract_laws import Described
from tests.sample import accounts, transfers
from tests.sample.event_samples import SAMPLES
from tests.sample.program import BANK


@pytest.fixture
def described() -> Described:
    """One event of each type."""
    return Described(
        BANK,
        {
            "account-ann": [one for one in SAMPLES if one.__module__ == accounts.__name__],
            "transfer-t-1": [one for one in SAMPLES if one.__module__ == transfers.__name__],
        },
    )
