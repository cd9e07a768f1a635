"""The released contract of the shop with other systems."""

from tests.contracts.contract_corpus import of
from tests.contracts.released_contract_laws import *  # noqa: F403 - every law is a test of this suite
from tests.shop.integration_samples import SHOP_CONTRACT

pytest_generate_tests = of(SHOP_CONTRACT)
