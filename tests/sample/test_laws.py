"""The laws of deciders, on the bank and on the kit's own category."""

from application import parking
from tests.application import test_parking
from tests.domain.decider_laws import *  # noqa: F403 - every law is a test of this suite
from tests.domain.decider_laws import of
from tests.sample import accounts, test_accounts, test_transfers, transfers
from tests.sample.histories import SAMPLE_HISTORIES

pytest_generate_tests = of(
    SAMPLE_HISTORIES,
    pages=[
        (accounts, test_accounts),
        (transfers, test_transfers),
        (parking, test_parking),
    ],
)
