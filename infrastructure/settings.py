"""What can be set, by environment variable or in a ``.env`` file. Checked once, at the start."""

import os
import re
from collections.abc import Collection, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.values import normal
from infrastructure.setting_names import misspelt


class InvalidSettings(Exception):
    """A setting cannot be used. One line per setting: its name, what is wrong, what is right."""


def _uri_of(*schemes: str) -> AfterValidator:
    """Accepts an address that starts with one of these schemes."""

    def check(uri: str) -> str:
        urlsplit(uri)  # ValueError for what is no address
        if re.search(r"%(?![0-9A-Fa-f]{2})", uri):
            raise ValueError("a % in it, in a password for example, is written %25")
        if not uri.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"it has to start with {' or '.join(f'{s}://' for s in schemes)}")
        return uri

    return AfterValidator(check)


def _token(token: SecretStr) -> SecretStr:
    if not 16 <= len(token.get_secret_value()) <= 256 or not token.get_secret_value().isascii():
        raise ValueError("it has to have 16 to 256 ASCII characters, so that nobody guesses it")
    return token


def _words(text: Any) -> Any:
    """``a, b`` → ``(a, b)``."""
    return tuple(re.findall(r"[^,\s]+", text)) if isinstance(text, str) else text


_FILE: Final = ".env"
Port = Annotated[int, Field(ge=0, le=65535)]
HostName = Annotated[
    str,
    StringConstraints(pattern=r"^(\*|(\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$", max_length=253),
]
"""``shop.example.org``, ``*.example.org``, ``[2001:db8::1]``, or ``*`` for any; no port."""
EventStore = Literal["eventstoredb", "postgres"]


class Settings(BaseSettings):
    """The whole configuration. Names are those of the environment variables, in lower case.

    The docstring of a field is its description in ``docs/reference/settings.md``.
    """

    model_config = SettingsConfigDict(
        use_attribute_docstrings=True,
        frozen=True,
        env_file=_FILE,
        env_ignore_empty=True,
        extra="ignore",
        validate_default=False,
        hide_input_in_errors=True,
    )

    event_store: EventStore = "eventstoredb"
    """Where events are stored. With `postgres`, in one database with the read models."""
    eventstoredb_uri: Annotated[str, _uri_of("esdb", "esdb+discover")] | None = None
    """The EventStoreDB to use: `esdb://127.0.0.1:2113?Tls=false`; unset: the embedded node."""
    postgres_uri: Annotated[str, _uri_of("postgresql", "postgres")] | None = None
    """The PostgreSQL to use for read models, and for events with `EVENT_STORE=postgres`:
    `postgresql://shop:secret@127.0.0.1/shop`; unset: the embedded one."""
    payment_provider_uri: Annotated[str, _uri_of("http", "https")] | None = None
    """The payment provider's address; unset: a simulated provider."""
    carrier_uri: Annotated[str, _uri_of("http", "https")] | None = None
    """The carrier's address; unset: a simulated carrier."""
    headwater_home: Path = Path(".headwater")
    """The directory of the embedded servers' data, large payloads and logs."""
    payloads_dir: Path | None = None
    """The directory of data that is too large for an event; unset: `payloads` in the home."""
    eventstoredb_port: Port = 2113
    """The port of the embedded node; 0: any free port."""
    http_host: str = "127.0.0.1"
    """The address on which the service listens. Any but a loopback address needs `API_TOKEN`."""
    http_port: Port = 8000
    """The port on which the service listens; 0: any free port."""
    trusted_hosts: Annotated[tuple[HostName, ...], NoDecode, BeforeValidator(_words)] = ()
    """The host names under which clients reach the service, separated by commas, besides those of
    the loopback; `*.example.org`: all of a domain, `*`: any. Requests to another one get 400."""
    api_token: Annotated[SecretStr, AfterValidator(_token)] | None = None
    """The token that clients have to send as `Authorization: Bearer …`, of 16 to 256 ASCII
    characters; unset: clients need none."""
    carrier_token: Annotated[SecretStr, AfterValidator(_token)] | None = None
    """The token that the carrier has to send with its notices, as `API_TOKEN`; unset: notices are
    refused."""
    consistency_wait_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How many seconds a query waits, at most, for a read model to reach its Consistency-Token."""
    backpressure_slow_seconds: Annotated[float, Field(gt=0)] = 10.0
    """The lag of a read model, in seconds, from which on commands are slowed."""
    backpressure_refuse_seconds: Annotated[float, Field(gt=0)] = 30.0
    """The lag of a read model, in seconds, from which on commands are refused with 503.
    Larger than `BACKPRESSURE_SLOW_SECONDS`."""
    inline_projections: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ()
    """The read models that are written in the transaction of the append, separated by commas. Only
    with `EVENT_STORE=postgres`."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe log records that are written."""

    @property
    def payloads(self) -> Path:
        return self.payloads_dir or self.headwater_home / "payloads"

    @property
    def own_names(self) -> Sequence[str]:
        """Under which names clients may ask for the service, besides those of the loopback."""
        everywhere = self.http_host in ("", "0.0.0.0", "::")
        return self.trusted_hosts if everywhere else (*self.trusted_hosts, self.http_host)

    @property
    def events_uri(self) -> str | None:
        """The server that holds the events, if one is set."""
        return self.postgres_uri if self.event_store == "postgres" else self.eventstoredb_uri

    @property
    def server_names(self) -> Sequence[str]:
        """The settings that name the servers of this event store and of the read models."""
        return ["POSTGRES_URI"] if self.event_store == "postgres" else _BOTH

    def require(self, *names: str) -> None:
        """Raises :class:`InvalidSettings` unless these are set."""
        missing = [name for name in names if getattr(self, name.lower()) is None]
        if missing:
            wanted = "it has to be set for this command; `headwater run` brings servers of its own"
            raise InvalidSettings("\n".join(f"{name}: {wanted}" for name in missing))

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """As all text that comes in; ``ValueError`` for what is none."""
        return normal(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_event_store(self) -> Self:
        if self.event_store == "postgres" and self.eventstoredb_uri is not None:
            raise ValueError(
                "EVENTSTOREDB_URI: nothing would be read or written there with "
                "EVENT_STORE=postgres: unset one of them"
            )
        return self

    @model_validator(mode="after")
    def _slow_before_refuse(self) -> Self:
        if self.backpressure_refuse_seconds <= self.backpressure_slow_seconds:
            raise ValueError(
                f"BACKPRESSURE_REFUSE_SECONDS: {self.backpressure_refuse_seconds:g} cannot be "
                f"used: it has to be above BACKPRESSURE_SLOW_SECONDS "
                f"({self.backpressure_slow_seconds:g})"
            )
        return self

    @model_validator(mode="after")
    def _secure_by_default(self) -> Self:
        if self.api_token is None and not is_loopback(self.http_host):
            raise ValueError(
                f"HTTP_HOST: {self.http_host} can be reached from other machines: "
                "set API_TOKEN too, or listen on 127.0.0.1"
            )
        return self


_BOTH: Final = ("EVENTSTOREDB_URI", "POSTGRES_URI")


def _in_file() -> Collection[str]:
    return dotenv_values(_FILE) if Path(_FILE).is_file() else ()


def load(**given: Any) -> Settings:
    """The settings of this process; ``given`` values come before the environment.

    Raises :class:`InvalidSettings`.
    """
    try:
        if wrong := [*misspelt({*os.environ, *_in_file()}, _NAMES)]:
            raise InvalidSettings("\n".join(wrong))
        return Settings(**given)
    except OSError as error:
        raise InvalidSettings(f"{_FILE} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"{_FILE} is not UTF-8 (byte {error.start})") from error
    except ValidationError as error:
        raise InvalidSettings("\n".join(map(_sentence, error.errors()))) from error


_NAMES: Final = frozenset(name.upper() for name in Settings.model_fields)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_password(uri: str) -> str:
    """The address as it may be shown and logged."""
    uri = re.sub(r"(?<=[?&])((?:ssl)?password)=[^&]*", r"\1=…", uri)
    parts = urlsplit(uri)
    if parts.password is None:
        return uri
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:…@{host}"))


def _is_secret(name: str) -> bool:
    """Whether its value may not be shown: a secret, or an address, which may hold a password."""
    field = Settings.model_fields.get(name)
    return field is None or "SecretStr" in repr(field.annotation) or name.endswith("_uri")


def _sentence(error: Any) -> str:
    reason = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return reason  # a rule over several settings: it names them itself
    name = str(error["loc"][0])
    value = "the value" if _is_secret(name) else repr(error["input"])
    return f"{name.upper()}: {value} cannot be used: {reason[:1].lower()}{reason[1:]}"
