"""Which providers a process simulates: a place in the code, ``module:NAME``."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from infrastructure.providers.simulated.faults import Fault
from infrastructure.providers.simulated.rules import SimulatedProvider


class InvalidDeclaration(Exception):
    """These providers cannot be simulated; the text says why, and what is needed."""


def declared_at(place: str) -> Sequence[SimulatedProvider[Any, Any, Any]]:
    """The providers that are declared there. Raises :class:`InvalidDeclaration`."""
    module, _, name = place.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidDeclaration(
            f"nothing is declared at {place!r} (module:NAME): {error}"
        ) from error
    if not isinstance(found, Sequence) or not all(
        isinstance(one, SimulatedProvider) for one in found
    ):
        raise InvalidDeclaration(f"what is at {place!r} is not a sequence of SimulatedProvider")
    return found


def require_distinct(providers: Sequence[SimulatedProvider[Any, Any, Any]]) -> None:
    """Raises :class:`InvalidDeclaration` for names that mean two things in one process."""
    taken = {"faults"}  # the address where they are set
    for simulated in providers:
        if (name := simulated.provider.name) in taken:
            raise InvalidDeclaration(f"{name!r} is taken: give the provider another name")
        taken.add(name)
        if fields := sorted(set(simulated.about) & set(Fault.model_fields)):
            raise InvalidDeclaration(
                f"{name} calls a field of a subject {fields[0]!r}, as every fault does: rename it"
            )
