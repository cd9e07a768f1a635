"""The aggregates of the library."""

from typing import Final

from application.category import Category
from domain import loans
from domain.loans import LoanCommand, LoanEvent

LOAN: Final = Category.of("loan", loans.decider, LoanCommand, LoanEvent)
