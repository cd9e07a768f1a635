"""The read model ``copies``."""

from application.library.copies import Copy, copies
from application.library.service import LIBRARY
from domain.loans import Lent, Returned
from tests.projection_specification import ProjectionSpecification

views = ProjectionSpecification(LIBRARY.catalogue, copies)


def test_a_copy_shows_its_reader_and_its_loans() -> None:
    """However often and in whatever batches the events come."""
    views.given(
        ("loan-emma-1", Lent(reader="ada")),
        ("loan-emma-1", Returned()),
        ("loan-emma-1", Lent(reader="bob")),
        ("loan-emma-2", Lent(reader="bob")),
        ("loan-emma-2", Returned()),
    ).then(
        {
            "emma-1": Copy(copy_id="emma-1", reader="bob", loans=2),
            "emma-2": Copy(copy_id="emma-2", loans=1),
        }
    )
