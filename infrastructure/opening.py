"""Parts by their name: a module is imported, and its driver with it, when it is first used."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from infrastructure.processes import CommandFailed


def imported(module: str, name: str) -> Callable[..., Any]:
    """Calls what has that name in that module, which it imports then."""

    def call(*given: Any, **options: Any) -> Any:
        return getattr(import_module(module), name)(*given, **options)

    return call


def opener(technology: str, side: str) -> Callable[..., Any]:
    """Opens one side of a service on this technology; its driver is an extra of the same name.

    Calling it raises :class:`CommandFailed` where the driver is not installed.
    """
    opens = imported(f"infrastructure.{technology}.opening", side)

    def call(*given: Any) -> Any:
        try:
            return opens(*given)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("infrastructure"):
                raise
            raise CommandFailed(
                f"{technology} cannot be used, since {error.name} is not installed: "
                f"install headwater[{technology}]"
            ) from error

    return call
