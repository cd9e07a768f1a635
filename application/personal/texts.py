"""Texts that are looked for in what is stored."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from application.personal.subject_events import texts_in


class Texts:
    """Texts to look for. Case makes a difference."""

    def __init__(self, texts: Collection[str]) -> None:
        self._texts = sorted({text for text in texts if text.strip()})

    def __bool__(self) -> bool:
        return bool(self._texts)

    def in_texts(self, given: Iterable[str]) -> str | None:
        """The first of them that stands within one of these."""
        return next((text for one in given for text in self._texts if text in one), None)

    def in_bytes(self, *documents: bytes) -> str | None:
        """The same for JSON, however it writes a character, and for what is not JSON."""
        return self.in_texts(text for data in documents for text in _texts_of(data))


def _texts_of(data: bytes) -> Iterator[str]:
    try:
        document: Any = json.loads(data)
    except ValueError:
        yield data.decode(errors="replace")
        return
    yield from texts_in(document)
    yield from _names_in(document)


def _names_in(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from document
        for value in document.values():
            yield from _names_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from _names_in(value)
