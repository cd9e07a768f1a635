"""Histories of the library: for the laws that hold for every aggregate."""

from typing import Final

from application.library.service import LIBRARY
from domain.loans import Lend, Return
from tests.histories import AN_ID, PARKING_EXAMPLES, PARKING_FIELDS, Histories, example

LIBRARY_HISTORIES: Final = Histories(
    LIBRARY,
    fields={**PARKING_FIELDS, "reader": AN_ID},
    examples={**PARKING_EXAMPLES, "loan": [[example(Lend, reader="a"), Return()]]},
)
