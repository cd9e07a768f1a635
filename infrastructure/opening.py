"""Parts by name: a module, and the driver that it needs, is imported on first use."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from infrastructure.processes import CommandFailed


def imported(module: str, name: str) -> Callable[..., Any]:
    """A function that imports the module when it is called, and calls ``name`` in it."""

    def call(*given: Any, **options: Any) -> Any:
        return getattr(import_module(module), name)(*given, **options)

    return call


@contextmanager
def as_if_without(*packages: str) -> Iterator[None]:
    """Imports in this block find these packages missing, unless they are imported already.

    For a library that imports other packages only where they are installed, to work with them.
    """
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: "not to be found"
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


def opener(technology: str, side: str) -> Callable[..., Any]:
    """Opens one side of a service on this technology; its driver is an extra of the same name.

    ``technology``: its package, or ``PACKAGE.PART`` where each side has a part of its own. Calling
    it raises :class:`CommandFailed` if the driver is not installed.
    """
    opens = imported(f"infrastructure.{technology}.opening", side)
    extra = technology.partition(".")[0]

    def call(*given: Any) -> Any:
        try:
            return opens(*given)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("infrastructure"):
                raise
            raise CommandFailed(
                f"{extra} cannot be used, since {error.name} is not installed: "
                f"install the extra {extra!r}"
            ) from error

    return call
