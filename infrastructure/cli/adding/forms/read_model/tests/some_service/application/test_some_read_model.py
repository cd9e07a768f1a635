"""The read model ``some_read_model``."""

from application.some_service.read_models.some_read_model import (
    SomeView,
    some_read_model,
)
from application.some_service.service import SOME_SERVICE
from tests.projection_specification import ProjectionSpecification
from some_corpus_module import SOME_CORPUS

catalogue = SOME_SERVICE.catalogue
views = ProjectionSpecification(catalogue, some_read_model)


def test_it_shows_the_last_status() -> None:
    """However often and in whatever batches the events come."""
    history = [
        ("some_aggregate-a", SOME_CORPUS.sample("SomeEvent")),  # for each event
    ]
    last = SomeView(id="a", version=SOME_VERSION, status="some ending")
    views.given(*history).then({"a": last})
