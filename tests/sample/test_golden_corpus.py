"""The golden corpus of the bank."""

from tests.contracts.corpus_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.golden_corpus import of
from tests.sample.event_samples import SAMPLE_CORPUS

pytest_generate_tests = of(SAMPLE_CORPUS)


def test_a_type_has_two_versions() -> None:
    """The proof that old bytes stay readable needs a type that has changed."""
    assert SAMPLE_CORPUS.catalogue.current_version("TransferRequested") == 2
