"""What any domain has, and the laws that every decider keeps."""

import pytest

pytest.register_assert_rewrite("tests.domain.decider_laws", "tests.domain.value_laws")
