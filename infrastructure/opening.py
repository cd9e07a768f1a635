"""Parts by their name: a module is imported, and its driver with it, when it is first used."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def imported(module: str, name: str) -> Callable[..., Any]:
    """Calls what has that name in that module, which it imports then."""

    def call(*given: Any, **options: Any) -> Any:
        return getattr(import_module(module), name)(*given, **options)

    return call
