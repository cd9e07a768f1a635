"""The bank has all that belongs to its parts."""

from tests.sample.program import BANK
from tests.service_laws import *  # noqa: F403 - every law is a test of this suite
from tests.service_laws import of

pytest_generate_tests = of(BANK, tests="tests.sample")
