"""What all settings have in common: names, descriptions, and text that is text."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, field_validator

from domain.values import normal
from infrastructure.settings.values import without_password


class InvalidSettings(Exception):
    """A setting cannot be used. One line per setting: its name, what is wrong, what is right."""


@contextmanager
def named(setting: str) -> Iterator[None]:
    """Turns a ``ValueError`` about the value of that setting into :class:`InvalidSettings`."""
    try:
        yield
    except ValueError as error:
        raise InvalidSettings(f"{setting}: {error}") from error


def is_address(field: str) -> bool:
    """Whether the setting of that name has the address of a server."""
    return field.endswith(("_uri", "_address"))


class NamedSettings(BaseModel):
    """Settings that are variables. ``HEADWATER_HTTP_PORT`` sets ``http_port``.

    The docstring of a field is its description in ``docs/reference/settings.md``, and in what
    the command ``settings`` prints. It names another field in braces. The docstring of a class is
    the title of its fields there.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    prefix: ClassVar[str] = "HEADWATER_"
    """What the names of all variables begin with; a service of another name has its own."""
    once_unprefixed: ClassVar[Sequence[str]] = (
        # only: eventstoredb
        "eventstoredb_uri",
        "eventstoredb_port",  # only: embedded
        # end: eventstoredb
        "postgres_uri",  # only: postgres
        "inline_projections",  # only: postgres_events
        *("event_store", "payloads_dir"),
        *("http_host", "http_port", "trusted_hosts", "api_token", "log_level"),
        *("consistency_wait_seconds", "backpressure_slow_seconds", "backpressure_refuse_seconds"),
    )
    """Fields that may be set without the prefix, too: so they were called in earlier releases."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Raises ``ValueError`` for a prefix that does not set the names apart from others."""
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*_", cls.prefix):
            raise ValueError(f"{cls.prefix!r} is not a prefix of settings: write it like LIBRARY_")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Secrets hide themselves; an address is shown without its password."""
        for name, value in super().__repr_args__():
            yield name, without_password(value) if isinstance(value, str) else value

    @classmethod
    def name_of(cls, field: str) -> str:
        """The environment variable that sets this field."""
        return f"{cls.prefix}{field.upper()}"

    @classmethod
    def description_of(cls, field: str) -> str:
        """What a field sets, in one line."""
        names = {name: cls.name_of(name) for name in cls.model_fields}
        return " ".join((cls.model_fields[field].description or "").format(**names).split())

    @classmethod
    def addresses(cls) -> Sequence[str]:
        """The fields that have the address of a server."""
        return [field for field in cls.model_fields if is_address(field)]

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """Normalised as all input. Raises ``ValueError`` for bytes that are not text."""
        return normal(value) if isinstance(value, str) else value
