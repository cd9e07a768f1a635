"""One event of every type, as a library would record it.

python -m tests.library.event_samples        writes what the golden corpus lacks
"""

from pathlib import Path
from typing import Final

from application.library.service import LIBRARY
from domain.loans import Lent, Returned
from tests.contracts.golden_corpus import Corpus

CORPUS: Final = Corpus(
    home=Path(__file__).parent / "events",
    module="tests.library.event_samples",
    catalogue=LIBRARY.catalogue,
    categories=LIBRARY.categories,
    samples=(Lent(reader="ada"), Returned()),
)

if __name__ == "__main__":
    CORPUS.freeze()
