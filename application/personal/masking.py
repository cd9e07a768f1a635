"""Personal data in what is shown to operators: masked, until an operator asks for it, on record.

A field with the name of one that holds personal data in an event (``Service.personal``) is masked
wherever it stands: in events, in states, in the facts of a saga.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from domain.personal import MASK


def masked(document: Any, names: Collection[str]) -> Any:
    """The document, as JSON has it, with the values of these fields masked."""
    if not names:
        return document
    if isinstance(document, Mapping):
        return {
            name: MASK if name in names and value is not None else masked(value, names)
            for name, value in document.items()
        }
    if isinstance(document, Sequence) and not isinstance(document, str | bytes):
        return [masked(one, names) for one in document]
    return document


def holds_personal(document: Any, names: Collection[str]) -> bool:
    """Whether any of it would be masked."""
    return bool(names) and masked(document, names) != document
