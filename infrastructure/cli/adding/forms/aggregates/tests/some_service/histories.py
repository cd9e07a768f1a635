"""Histories of the service: for the laws that hold for every aggregate."""

from typing import Final

from hypothesis import strategies as st  # if drawn

from application.some_service.service import SOME_SERVICE
from domain.some_aggregates import (
    SomeCommand,  # for each command
)
from domain.values import Money  # if money
from tests.histories import (
    A_TEXT,  # if texts
    AN_ID,  # if ids
    PARKING_EXAMPLES,
    PARKING_FIELDS,
    Histories,
    example,
)

HISTORIES: Final = Histories(
    SOME_SERVICE,
    fields={
        **PARKING_FIELDS,
        "some_field": some_strategy,  # for each new field
    },
    examples={
        **PARKING_EXAMPLES,
        "some_aggregate": [
            [
                example(some_example),  # for each command
            ],
        ],
    },
)
