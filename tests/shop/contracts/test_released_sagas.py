"""The shop's released sagas go on as they began."""

from tests.contracts.released_saga_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.saga_corpus import of
from tests.shop.contracts.saga_histories import SHOP_SAGAS

pytest_generate_tests = of(SHOP_SAGAS)
