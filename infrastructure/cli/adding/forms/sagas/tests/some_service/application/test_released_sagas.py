"""The released sagas of the service go on as they began."""

from tests.contracts.released_saga_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.saga_corpus import of
from tests.some_service.saga_histories import SAGAS

pytest_generate_tests = of(SAGAS)
