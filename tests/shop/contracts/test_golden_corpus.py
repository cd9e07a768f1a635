"""The golden corpus of the shop."""

from tests.contracts.corpus_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.golden_corpus import of
from tests.shop.event_samples import SHOP_CORPUS

pytest_generate_tests = of(SHOP_CORPUS)
