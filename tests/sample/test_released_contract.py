"""The released contract of the bank with other systems."""

from tests.contracts.contract_corpus import of
from tests.contracts.released_contract_laws import *  # noqa: F403 - every law is a test of this suite
from tests.sample.integration_samples import SAMPLE_CONTRACT

pytest_generate_tests = of(SAMPLE_CONTRACT)
