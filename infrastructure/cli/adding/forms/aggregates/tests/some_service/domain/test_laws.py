"""The laws of deciders, on every aggregate of the service."""

from domain import some_aggregates
from tests.domain.decider_laws import *  # noqa: F403 - every law is a test of this suite
from tests.domain.decider_laws import of
from tests.some_service.domain import test_some_aggregates
from tests.some_service.histories import HISTORIES

pytest_generate_tests = of(
    HISTORIES,
    pages=[
        (some_aggregates, test_some_aggregates),
    ],
)
