"""Secrets in files: ``HEADWATER_API_TOKEN_FILE`` names a file with the value of ``api_token``.

So Docker and Kubernetes hand out secrets. A variable can be read by every child of a process, and
ends up in dumps and in what monitoring shows; a file has an owner.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infrastructure.settings.naming import NamedSettings

SUFFIX: Final = "_FILE"
_LARGEST: Final = 64 * 1024  # bytes


class UnreadableSecret(Exception):
    """The file of a secret cannot be used. The message names the variable and the reason."""


def is_secret(model: type[NamedSettings], field: str) -> bool:
    """Whether its value may not be shown: a secret, or an address, which may have a password."""
    found = model.model_fields.get(field)
    return (
        found is None
        or "SecretStr" in repr(found.annotation)
        or field.endswith(("_uri", "_endpoint"))
    )


def with_files_read(
    model: type[NamedSettings], named: Mapping[str, str | None]
) -> Mapping[str, str | None]:
    """These variables, with each secret in the place of the variable that names its file.

    Raises :class:`UnreadableSecret`, also where both are set.
    """
    found = dict(named)
    for field in model.model_fields:
        name = model.name_of(field)
        if is_secret(model, field) and (path := found.pop(name + SUFFIX, None)):
            if found.get(name):
                raise UnreadableSecret(f"{name}{SUFFIX}: {name} is set, too: set one of them")
            found[name] = _content(name + SUFFIX, path)
    return found


def _content(name: str, path: str) -> str:
    """Its text, without the end of its last line."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise UnreadableSecret(f"{name}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableSecret(f"{name}: {path} is not UTF-8 (byte {error.start})") from None
    if not text or len(content) > _LARGEST or "\n" in text:
        raise UnreadableSecret(f"{name}: {path} has to have one line with the secret")
    return text
