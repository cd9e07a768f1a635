"""The use cases of the kit, on the bank of ``tests/sample``."""

import pytest

pytest.register_assert_rewrite("tests.application.snapshot_laws")
