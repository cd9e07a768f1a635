"""The bank's released saga goes on as it began."""

from tests.contracts.released_saga_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.saga_corpus import of
from tests.sample.saga_histories import SAMPLE_SAGAS

pytest_generate_tests = of(SAMPLE_SAGAS)
