"""The library with its edges: what the entry point hands to the kit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from application.library.service import LIBRARY
from infrastructure.program import Program
from infrastructure.settings import Settings

if TYPE_CHECKING:
    from fastapi import APIRouter


class LibrarySettings(Settings):
    """Its settings begin with ``LIBRARY_``."""

    prefix: ClassVar = "LIBRARY_"
    once_unprefixed: ClassVar = ()


def _routes() -> Sequence["APIRouter"]:
    from infrastructure.library.routes import router

    return [router]


PROGRAM: Final[Program[Any]] = Program(
    service=LIBRARY,
    settings=LibrarySettings,
    title="Library",
    about="Lends copies of books.",
    routes=_routes,
)
