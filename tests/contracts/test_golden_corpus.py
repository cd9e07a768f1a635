"""The golden corpus of the kit's own events."""

from tests.contracts.corpus_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.event_samples import OWN_CORPUS
from tests.contracts.golden_corpus import of

pytest_generate_tests = of(OWN_CORPUS)
