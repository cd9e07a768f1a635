"""The laws of deciders, on the library."""

from domain import loans
from tests.domain.decider_laws import *  # noqa: F403 - every law is a test of this suite
from tests.domain.decider_laws import of
from tests.library import test_loans
from tests.library.histories import LIBRARY_HISTORIES

pytest_generate_tests = of(LIBRARY_HISTORIES, pages=[(loans, test_loans)])
