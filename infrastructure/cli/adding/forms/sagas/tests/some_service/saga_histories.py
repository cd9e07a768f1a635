"""Recorded histories of every released version of each saga.

python -m tests.some_service.saga_histories   writes what is missing
"""

from pathlib import Path
from typing import Final

from application.some_service.sagas.some_saga import (
    some_saga,
)
from some_module import SomeLastCommand
from infrastructure.some_service.program import PROGRAM
from tests.application.sagas.recording import stories
from tests.contracts.saga_corpus import SagaCorpus
from some_corpus_module import SOME_CORPUS

SAGAS: Final = SagaCorpus(
    home=Path(__file__).parent / "sagas",
    module="tests.some_service.saga_histories",
    service=PROGRAM.service,
    stories={
        some_saga.name: stories(
            PROGRAM,
            some_saga,
            started=SOME_CORPUS.sample("SomeStart"),
            cancelled=SOME_CORPUS.sample("SomeCancel"),
            refused=SomeLastCommand,
        ),
    },
)

if __name__ == "__main__":
    SAGAS.freeze()
