"""The settings that every service has. A service with more of them extends the class."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.values import normal
from infrastructure.settings.values import (
    BucketName,
    Endpoint,
    HostNames,
    HttpServer,
    HttpUri,
    IndexPrefix,
    KeyPrefix,
    Places,
    Port,
    Token,
    Words,
    is_loopback,
    uri_of,
)


class InvalidSettings(Exception):
    """A setting cannot be used. One line per setting: its name, what is wrong, what is right."""


EventStore = Literal["eventstoredb", "postgres"]
Search = Literal["database", "opensearch"]


_NEEDED: Final[Mapping[Search, Sequence[str]]] = {"opensearch": ("opensearch_uri",)}
"""What has to be set for each search engine."""
PayloadStore = Literal["directory", "s3"]


class Settings(BaseModel):
    """The whole configuration. The variable ``HEADWATER_HTTP_PORT`` sets ``http_port``.

    The docstring of a field is its description in ``docs/reference/settings.md``, and in what
    the command ``settings`` prints. It names another field in braces.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    prefix: ClassVar[str] = "HEADWATER_"
    """What the names of all variables begin with; a service of another name has its own."""
    once_unprefixed: ClassVar[Sequence[str]] = (
        *("event_store", "eventstoredb_uri", "postgres_uri", "payloads_dir", "eventstoredb_port"),
        *("http_host", "http_port", "trusted_hosts", "api_token", "log_level"),
        *("consistency_wait_seconds", "backpressure_slow_seconds", "backpressure_refuse_seconds"),
        "inline_projections",
    )
    """Fields that may be set without the prefix, too: so they were called in earlier releases."""

    event_store: EventStore = "eventstoredb"
    """Where events are stored. With `postgres`, in one database with the read models."""
    eventstoredb_uri: Annotated[str, uri_of("esdb", "esdb+discover")] | None = None
    """The EventStoreDB to use: `esdb://127.0.0.1:2113?Tls=false`; unset: the embedded node."""
    postgres_uri: Annotated[str, uri_of("postgresql", "postgres")] | None = None
    """The PostgreSQL to use for read models, and for events with `{event_store}=postgres`:
    `postgresql://shop:secret@127.0.0.1/shop`; unset: the embedded one."""
    dynamodb_uri: HttpUri | None = None
    """The endpoint of DynamoDB, where it is not that of AWS: `http://127.0.0.1:4566`. Credentials
    come from where AWS's tools look for them: `AWS_PROFILE`, for example."""
    dynamodb_region: str | None = None
    """The AWS region of the tables: `eu-central-1`; unset: the one of AWS's tools."""
    dynamodb_table_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")] = "headwater-"
    """What the names of the DynamoDB tables begin with: letters, digits and `_.-`. Each service in
    an account has its own."""
    search: Search = "database"
    """Where read models are kept that are searched by words. Elsewhere than in the `database`, they
    are behind while that server is away, and all else works. All processes need the same value."""
    opensearch_uri: HttpServer | None = None
    """The OpenSearch to use with `{search}=opensearch`: `https://shop:secret@127.0.0.1:9200`."""
    opensearch_ca_file: Path | None = None
    """The certificates, as PEM, one of which signs that of the OpenSearch; unset: those of the
    system."""
    search_prefix: IndexPrefix = "headwater"
    """What the names of all indexes in a search engine begin with: small letters and digits, and
    `.`, `_` and `-` between them."""
    home: Path = Path(".headwater")
    """The directory of the embedded servers' data, large payloads and logs."""
    payload_store: PayloadStore = "directory"
    """Where data is stored that is too large for an event: in `{payloads_dir}`, or in
    `{s3_bucket}`."""
    payloads_dir: Path | None = None
    """The directory of data that is too large for an event; unset: `payloads` in the home."""
    payloads_also_in: Places = ()
    """Where such data is read from if it is not there, separated by commas: directories, or
    `s3://BUCKET/PREFIX` at the same endpoint. Nothing is written there."""
    s3_bucket: BucketName | None = None
    """The bucket for data that is too large for an event. It has to exist. The credentials are
    those of AWS: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, or a role of the
    machine."""
    s3_prefix: KeyPrefix = ""
    """What the names of objects in the bucket begin with: `production/payloads`. Each event store
    needs a prefix of its own."""
    s3_endpoint: Endpoint | None = None
    """The address of an S3 server: `http://127.0.0.1:8333`; unset: AWS."""
    s3_region: str | None = None
    """The region of the bucket; unset: that of AWS_REGION or of the profile, else `us-east-1`."""
    eventstoredb_port: Port = 2113
    """The port of the embedded node; 0: any free port."""
    http_host: str = "127.0.0.1"
    """The address on which the service listens. Any but a loopback address needs `{api_token}`."""
    http_port: Port = 8000
    """The port on which the service listens; 0: any free port."""
    trusted_hosts: HostNames = ()
    """The host names under which clients reach the service, separated by commas, besides those of
    the loopback; `*.example.org`: all of a domain, `*`: any. Requests to another one get 400."""
    api_token: Token | None = None
    """The token that clients have to send as `Authorization: Bearer …`, of 16 to 256 ASCII
    characters; unset: clients need none."""
    consistency_wait_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How many seconds a query waits, at most, for a read model to reach its Consistency-Token."""
    backpressure_slow_seconds: Annotated[float, Field(gt=0)] = 10.0
    """The lag of a read model, in seconds, from which on commands are slowed."""
    backpressure_refuse_seconds: Annotated[float, Field(gt=0)] = 30.0
    """The lag of a read model, in seconds, from which on commands are refused with 503.
    Larger than `{backpressure_slow_seconds}`."""
    inline_projections: Words = ()
    """The read models that are written in the transaction of the append, separated by commas. Only
    with `{event_store}=postgres`."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe log records that are written."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Raises ``ValueError`` for a prefix that does not set the names apart from others."""
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*_", cls.prefix):
            raise ValueError(f"{cls.prefix!r} is not a prefix of settings: write it like SHOP_")

    @classmethod
    def name_of(cls, field: str) -> str:
        """The environment variable that sets this field."""
        return f"{cls.prefix}{field.upper()}"

    @classmethod
    def description_of(cls, field: str) -> str:
        """What a field sets, in one line."""
        names = {name: cls.name_of(name) for name in cls.model_fields}
        return " ".join((cls.model_fields[field].description or "").format(**names).split())

    @property
    def payloads(self) -> Path:
        return self.payloads_dir or self.home / "payloads"

    @property
    def own_names(self) -> Sequence[str]:
        """The host names of the service, besides those of the loopback."""
        everywhere = self.http_host in ("", "0.0.0.0", "::")
        return self.trusted_hosts if everywhere else (*self.trusted_hosts, self.http_host)

    @property
    def one_database(self) -> bool:
        """Whether events and read models are in one database, and can share a transaction."""
        return self.event_store == "postgres"

    @property
    def events_uri(self) -> str | None:
        """The server that holds the events, if one is set."""
        return self.postgres_uri if self.event_store == "postgres" else self.eventstoredb_uri

    @property
    def servers(self) -> Sequence[str]:
        """The fields that name the servers of this event store and of the read models."""
        postgres = self.event_store == "postgres"
        return ("postgres_uri",) if postgres else ("eventstoredb_uri", "postgres_uri")

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """Normalised as all input. Raises ``ValueError`` for bytes that are not text."""
        return normal(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_event_store(self) -> Self:
        if self.event_store == "postgres" and self.eventstoredb_uri is not None:
            raise ValueError(
                f"{self.name_of('eventstoredb_uri')}: nothing would be read or written there with "
                f"{self.name_of('event_store')}=postgres: unset one of them"
            )
        return self

    @model_validator(mode="after")
    def _one_search(self) -> Self:
        """What ``search`` needs is set, and what another value of it would need is not."""
        for engine, fields in _NEEDED.items():
            for field in fields:
                is_set = getattr(self, field) is not None
                if is_set and self.search != engine:
                    raise ValueError(
                        f"{self.name_of(field)}: it is for {self.name_of('search')}={engine}: "
                        "set that too, or unset it"
                    )
                if not is_set and self.search == engine:
                    raise ValueError(
                        f"{self.name_of('search')}: {engine} needs {self.name_of(field)}: set both"
                    )
        return self

    @model_validator(mode="after")
    def _one_payload_store(self) -> Self:
        name, s3 = self.name_of, self.payload_store == "s3"
        if s3 and self.s3_bucket is None:
            raise ValueError(
                f"{name('s3_bucket')}: set it to the name of a bucket, or leave out "
                f"{name('payload_store')}=s3"
            )
        if s3 and self.payloads_dir is not None:
            raise ValueError(
                f"{name('payloads_dir')}: nothing would be read or written there with "
                f"{name('payload_store')}=s3: name it in {name('payloads_also_in')}, or unset it"
            )
        if self.s3_bucket is not None and not s3:
            raise ValueError(
                f"{name('s3_bucket')}: nothing would be read or written there: set "
                f"{name('payload_store')}=s3 too, or unset it"
            )
        return self

    @model_validator(mode="after")
    def _slow_before_refuse(self) -> Self:
        if self.backpressure_refuse_seconds <= self.backpressure_slow_seconds:
            raise ValueError(
                f"{self.name_of('backpressure_refuse_seconds')}: "
                f"{self.backpressure_refuse_seconds:g} cannot be used: it has to be above "
                f"{self.name_of('backpressure_slow_seconds')} ({self.backpressure_slow_seconds:g})"
            )
        return self

    @model_validator(mode="after")
    def _secure_by_default(self) -> Self:
        if self.api_token is None and not is_loopback(self.http_host):
            raise ValueError(
                f"{self.name_of('http_host')}: {self.http_host} can be reached from other "
                f"machines: set {self.name_of('api_token')} too, or listen on 127.0.0.1"
            )
        return self
