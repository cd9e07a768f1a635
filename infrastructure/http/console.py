"""Whether this process serves the console. Without its extra, a service has none."""

from types import ModuleType

import structlog

from infrastructure.processes import CommandFailed
from infrastructure.settings import Settings

log = structlog.stdlib.get_logger(__name__)


def console_of(settings: Settings) -> ModuleType | None:
    """The package of the console, if the settings have one.

    Raises :class:`CommandFailed` if its extra is not installed, although the setting asks for it.
    """
    if not settings.console:
        return None
    try:
        from infrastructure import console
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("infrastructure"):
            raise
        setting = settings.name_of("console")
        missing = f"{error.name} is not installed: install the extra 'console', or set {setting}="
        if "console" in settings.model_fields_set:
            raise CommandFailed(f"there is no console, since {missing}false") from error
        log.warning(f"there is no console, since {missing}false")
        return None
    return console
