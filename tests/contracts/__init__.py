"""The contract suites: one for each port, run on every adapter."""

import pytest

pytest.register_assert_rewrite(
    "tests.contracts.corpus_laws",
    "tests.contracts.provider_laws",
    "tests.contracts.released_saga_laws",
)
