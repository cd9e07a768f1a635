"""A golden corpus: for each event type and version, real stored bytes and the schema they followed.

Nothing there is ever overwritten: a changed event is a new version, with an upcaster and a new
sample.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from application.catalogue import Catalogue
from application.category import Category
from domain.decider import Event


@dataclass(frozen=True)
class Corpus:
    """The events of these categories: one sample of each type, and where their bytes are.

    ``module``: where it is declared. Run as a program, that module freezes what is missing.
    """

    home: Path
    module: str
    catalogue: Catalogue
    categories: Sequence[Category]
    samples: Sequence[Event]

    @property
    def frozen(self) -> Sequence[Path]:
        """The bytes of every type and version."""
        return sorted(self.home.glob("*/*.json"))

    @property
    def known(self) -> Collection[tuple[str, int]]:
        """Every type, and each version that it has had."""
        types = {event.__name__ for category in self.categories for event in category.events}
        return {
            (type, version)
            for type in types
            for version in range(1, self.catalogue.current_version(type) + 1)
        }

    def sample(self, type: str) -> Event:
        """As it is written today."""
        return next(event for event in self.samples if event.__class__.__name__ == type)

    def bytes_of(self, type: str) -> Path:
        """Where those of its current version are."""
        return self.home / type / f"{self.catalogue.current_version(type)}.json"

    def freeze(self) -> None:
        """Write the bytes and the schema of every current version that is not there."""
        for event in self.samples:
            frozen = self.bytes_of(type(event).__name__)
            if not frozen.exists():
                frozen.parent.mkdir(parents=True, exist_ok=True)
                frozen.write_bytes(event.model_dump_json().encode())
                frozen.with_suffix(".schema").write_text(schema(type(event)))
                print("froze", frozen.relative_to(self.home))


def schema(event: type[Event]) -> str:
    """The form of an event type, as text that can be compared; prose does not count."""
    return json.dumps(_without_prose(event.model_json_schema()), indent=1, sort_keys=True) + "\n"


def _without_prose(node: object) -> object:
    if isinstance(node, dict):
        prose = {"title", "description"} if "type" in node or "$ref" in node else set()
        return {key: _without_prose(value) for key, value in node.items() if key not in prose}
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    return node


def of(corpus: Corpus) -> Callable[[pytest.Metafunc], None]:
    """Runs each law of :mod:`tests.contracts.corpus_laws` on it."""

    def generate(metafunc: pytest.Metafunc) -> None:
        if "frozen" in metafunc.fixturenames:
            names = [f"{path.parent.name}-v{path.stem}" for path in corpus.frozen]
            metafunc.parametrize("frozen", corpus.frozen, ids=names)
        if "event" in metafunc.fixturenames:
            names = [type(event).__name__ for event in corpus.samples]
            metafunc.parametrize("event", corpus.samples, ids=names)
        if "corpus" in metafunc.fixturenames:
            metafunc.parametrize("corpus", [corpus], ids=[corpus.module.split(".")[1]])

    return generate
