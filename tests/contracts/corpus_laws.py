"""Stored bytes stay readable for ever: a suite that is run on one golden corpus.

When a test here fails, an event type has changed. Do not edit the corpus: declare an upcaster on
the page of the service, and freeze the new version with the command that the test names.
"""

from pathlib import Path

from application.personal.sealing import draft_of
from domain.decider import Event
from tests.contracts.golden_corpus import Corpus, schema

__all__ = [
    "test_every_frozen_event_reads_as_todays_sample",
    "test_the_corpus_holds_every_version_of_every_type",
    "test_what_is_written_today_is_frozen_to_the_byte",
    "test_without_its_personal_data_an_event_can_be_read",
]


def test_every_frozen_event_reads_as_todays_sample(corpus: Corpus, frozen: Path) -> None:
    """Bytes of any version climb to exactly the event that is written today."""
    type, version = frozen.parent.name, int(frozen.stem)

    assert corpus.catalogue.decode(type, version, frozen.read_bytes()) == corpus.sample(type)


def test_what_is_written_today_is_frozen_to_the_byte(corpus: Corpus, event: Event) -> None:
    """An event type cannot change its bytes or its schema without a new version and sample."""
    frozen = corpus.bytes_of(type(event).__name__)

    assert frozen.exists(), f"a new version needs a sample: python -m {corpus.module}"
    assert event.model_dump_json().encode() == frozen.read_bytes(), "it needs an upcaster"
    assert schema(type(event)) == frozen.with_suffix(".schema").read_text(), "it needs an upcaster"


def test_without_its_personal_data_an_event_can_be_read(corpus: Corpus, event: Event) -> None:
    """With a mask in each personal field, the bytes are still such an event, and about nobody.

    No text of the personal fields stands elsewhere in them, as a computed field would keep it.
    """
    type, draft = event.__class__, draft_of(event, "stream-1")
    if draft is None:
        return
    version = corpus.catalogue.current_version(type.__name__)

    masked = corpus.catalogue.decode(type.__name__, version, draft.masked())

    assert isinstance(masked, type)
    assert not [text for text in draft.texts if text.encode() in draft.masked()]
    again = draft_of(masked, "stream-1")
    assert again is not None
    assert not again.subjects


def test_the_corpus_holds_every_version_of_every_type(corpus: Corpus) -> None:
    """No type and no version is missing, and none is there that nobody can read."""
    held = {(path.parent.name, int(path.stem)) for path in corpus.frozen}

    missing = f"add a sample to {corpus.module}, then: python -m {corpus.module}"
    assert held == set(corpus.known), missing
