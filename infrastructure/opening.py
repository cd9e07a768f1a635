"""Technologies by their name: a module is imported, and its driver with it, once it is chosen."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any

Opener = Callable[..., AbstractAsyncContextManager[Any]]


def opener(module: str, name: str) -> Opener:
    """The opener of that name, imported when it is called."""

    def open(*given: Any) -> AbstractAsyncContextManager[Any]:
        found: Opener = getattr(import_module(module), name)
        return found(*given)

    return open
