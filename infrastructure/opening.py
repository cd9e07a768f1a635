"""Parts by name: a module, and the driver that it needs, is imported on first use."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from infrastructure.processes import CommandFailed


def imported(module: str, name: str) -> Callable[..., Any]:
    """A function that imports the module when it is called, and calls ``name`` in it."""

    def call(*given: Any, **options: Any) -> Any:
        return getattr(import_module(module), name)(*given, **options)

    return call


def opener(technology: str, side: str) -> Callable[..., Any]:
    """Opens one side of a service on this technology; its driver is an extra of the same name.

    Calling it raises :class:`CommandFailed` if the driver is not installed.
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
                f"install the extra {technology!r}"
            ) from error

    return call
