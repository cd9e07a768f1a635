"""The rules of a loan, one sentence each."""

from domain.loans import Lend, Lent, OnLoan, Return, Returned, decider
from tests.specification import Specification

loan = Specification(decider)
LENT = Lent(reader="ada")


def test_a_copy_on_the_shelf_is_lent() -> None:
    """The same reader may ask again: the copy is lent once."""
    loan.given().when(Lend(reader="ada")).then(LENT)
    loan.given(LENT).when(Lend(reader="ada")).then_nothing()


def test_a_copy_has_one_reader() -> None:
    """It is refused to another one until it is back."""
    loan.given(LENT).when(Lend(reader="bob")).then_refused(OnLoan)
    loan.given(LENT, Returned()).when(Lend(reader="bob")).then(Lent(reader="bob"))


def test_a_copy_comes_back_once() -> None:
    """Returning what is on the shelf changes nothing."""
    loan.given(LENT).when(Return()).then(Returned())
    loan.given(LENT, Returned()).when(Return()).then_nothing()
