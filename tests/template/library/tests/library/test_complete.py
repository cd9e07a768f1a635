"""The library has all that belongs to its parts."""

from infrastructure.library.program import PROGRAM
from tests.service_laws import *  # noqa: F403 - every law is a test of this suite
from tests.service_laws import of

pytest_generate_tests = of(PROGRAM, tests="tests.library")
