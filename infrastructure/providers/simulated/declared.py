"""Which providers a process simulates: a place in the code, ``module:NAME``."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from infrastructure.providers.simulated.rules import SimulatedProvider


class NotDeclared(Exception):
    """There are no simulated providers at that place; the text says why, and what is needed."""


def declared_at(place: str) -> Sequence[SimulatedProvider[Any, Any, Any]]:
    """The providers that are declared there. Raises :class:`NotDeclared`."""
    module, _, name = place.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotDeclared(f"nothing is declared at {place!r} (module:NAME): {error}") from error
    if not isinstance(found, Sequence) or not all(
        isinstance(one, SimulatedProvider) for one in found
    ):
        raise NotDeclared(f"what is at {place!r} is not a sequence of SimulatedProvider")
    return found
