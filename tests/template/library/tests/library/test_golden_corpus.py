"""The golden corpus of the library."""

from tests.contracts.corpus_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.golden_corpus import of
from tests.library.event_samples import CORPUS

pytest_generate_tests = of(CORPUS)
