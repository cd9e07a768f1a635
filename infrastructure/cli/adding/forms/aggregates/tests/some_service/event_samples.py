"""One event of every type of the service, as it would be recorded.

python -m tests.some_service.event_samples   writes what the golden corpus lacks
"""

from pathlib import Path
from typing import Final

from application.some_service.service import SOME_SERVICE
from domain.some_aggregates import (
    SomeEvent,  # for each command
)
from domain.values import Money  # if money
from tests.contracts.golden_corpus import Corpus

CORPUS: Final = Corpus(
    home=Path(__file__).parent / "events",
    module="tests.some_service.event_samples",
    catalogue=SOME_SERVICE.catalogue,
    categories=SOME_SERVICE.categories,
    samples=(
        SomeEvent(some_samples),  # for each command
    ),
)

if __name__ == "__main__":
    CORPUS.freeze()
