"""Stored bytes stay readable for ever: the golden corpus holds real ones of every type and version.

When a test here fails, an event type has changed. Do not edit the corpus: declare an upcaster in
``application/shop/service.py`` and run ``python -m tests.contracts.event_samples``.
"""

from pathlib import Path

import pytest

from application.shop.service import SHOP
from tests.contracts.event_samples import CORPUS, SAMPLES, schema

current_version = SHOP.catalogue.current_version
FROZEN = sorted(CORPUS.glob("*/*.json"))


@pytest.mark.parametrize("sample", FROZEN, ids=lambda path: f"{path.parent.name}-v{path.stem}")
def test_every_frozen_event_reads_as_todays_sample(sample: Path) -> None:
    """Bytes of any version climb to exactly the event that is written today."""
    today = next(event for event in SAMPLES if type(event).__name__ == sample.parent.name)

    assert SHOP.catalogue.decode(sample.parent.name, int(sample.stem), sample.read_bytes()) == today


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_what_is_written_today_is_frozen_to_the_byte(event: object) -> None:
    """An event type cannot change its bytes or its schema without a new version and sample."""
    kind = SHOP.catalogue.events[type(event).__name__]
    frozen = CORPUS / kind.__name__ / f"{current_version(kind.__name__)}.json"

    assert frozen.exists(), "a new version needs a sample"
    assert kind.model_validate(event).model_dump_json().encode() == frozen.read_bytes()
    assert schema(kind) == frozen.with_suffix(".schema").read_text()


def test_the_corpus_holds_every_version_of_every_type() -> None:
    """No type and no version is missing, and none is there that nobody can read."""
    held = {(path.parent.name, int(path.stem)) for path in FROZEN}
    known = {
        (name, v) for name in SHOP.catalogue.events for v in range(1, current_version(name) + 1)
    }

    assert held == known
    assert current_version("OrderPlaced") == 2, "the proof needs a type with two versions"
