"""The service with its edges: what the entry point hands to the kit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from application.some_service.service import SOME_SERVICE
from infrastructure.opening import imported  # if tiny
from infrastructure.program import Program
from infrastructure.settings import Settings

if TYPE_CHECKING:
    from fastapi import APIRouter


class ServiceSettings(Settings):
    """The settings of this service, beside those of the kit."""

    prefix: ClassVar = "SOME_SETTINGS_"
    once_unprefixed: ClassVar = ()


def _routes() -> Sequence["APIRouter"]:
    from infrastructure.some_service.http import some_routes  # if tiny

    return [some_routes.router]  # if tiny
    return []  # if not tiny


PROGRAM: Final[Program[Any]] = Program(
    service=SOME_SERVICE,
    settings=ServiceSettings,
    title="Some Title",
    distribution="some-cli",
    about="Some Description",
    routes=_routes,
    # if tiny
    first_start=imported(
        "infrastructure.some_service.first_start",
        "record_examples",
    ),
    # end if
)
