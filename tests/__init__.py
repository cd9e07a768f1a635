"""The proof, room by room as the code."""

import pytest

# Helpers that assert: rewritten before anything imports them, so that a failure shows its values.
pytest.register_assert_rewrite("tests.projection_specification", "tests.specification")
