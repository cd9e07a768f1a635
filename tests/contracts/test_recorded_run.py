"""The page of guarantees tells what passes now from what passed on a real server once."""

import pytest

from tests.contracts import recorded_run
from tests.contracts.guarantees import cell

SUITE, PASSED = "test_event_store.py", "test_an_append_of_nothing_is_a_mistake"


@pytest.mark.parametrize(
    ("adapter", "test", "outcome", "shown"),
    [
        (recorded_run.ADAPTER, PASSED, "skipped", "✓ at 228b2c7"),
        (recorded_run.ADAPTER, PASSED, "passed", "✓"),
        (recorded_run.ADAPTER, PASSED, "failed", "**no**"),
        (recorded_run.ADAPTER, "test_that_is_newer", "skipped", "not run"),
        ("postgres (real)", PASSED, "skipped", "not run"),
    ],
)
def test_an_earlier_run_is_shown_as_one(adapter: str, test: str, outcome: str, shown: str) -> None:
    """Only where a test is not run now, and passed at that commit, the page names the commit."""
    assert cell(SUITE, test, adapter, outcome) == shown
