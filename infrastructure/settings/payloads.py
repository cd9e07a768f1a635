"""The directories of a service: its home, and that of data too large for an event."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from infrastructure.settings.naming import NamedSettings


def listed(text: Any) -> Any:
    """``/a b, c`` → ``(/a b, c)``."""
    return tuple(filter(None, map(str.strip, text.split(",")))) if isinstance(text, str) else text


def _directory(text: str) -> str:
    if "://" in text:
        raise ValueError("it has to be a directory")
    return text


Directories = Annotated[
    tuple[Annotated[str, AfterValidator(_directory)], ...], BeforeValidator(listed)
]


class PayloadSettings(NamedSettings):
    """Directories"""

    home: Path = Path(".headwater")
    """The directory of large payloads, logs, and the data of the servers that `run` starts."""
    payloads_dir: Path | None = None
    """The directory of data that is too large for an event; unset: `payloads` in the home."""
    payloads_also_in: Directories = ()
    """Directories from which such data is read if it is not there, separated by commas. Nothing is
    written there."""

    @property
    def payloads_in(self) -> str:
        """What kind of store new payloads are written to."""
        return "directory"

    @property
    def payloads(self) -> Path:
        return self.payloads_dir or self.home / "payloads"
