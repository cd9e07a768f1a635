"""Which engine drives which saga, and how Temporal is reached."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, SecretStr, model_validator

from infrastructure.settings.naming import NamedSettings
from infrastructure.settings.values import HttpUri, words


def _address(text: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}", text):
        raise ValueError("it has to be a host and a port, such as temporal.example.org:7233")
    return text


def _choice(text: str) -> str:
    if not re.fullmatch("[a-z0-9_]+=(plain|temporal)", text):
        raise ValueError("write a saga and its engine, plain or temporal: transfers=temporal")
    return text


SagaEngine = Literal["plain", "temporal"]
HostAndPort = Annotated[str, AfterValidator(_address)]
SagaEngines = Annotated[tuple[Annotated[str, AfterValidator(_choice)], ...], BeforeValidator(words)]


_ONLY_THERE: Final = (
    "temporal_address",
    "temporal_task_queue",
    "temporal_api_key",
    "temporal_ui_uri",
)


class TemporalSettings(NamedSettings):
    """Saga engines, and Temporal"""

    saga_engine: SagaEngine = "plain"
    """What drives the sagas. The `plain` engine needs nothing but the event store. All processes
    need the same value."""
    saga_engines: SagaEngines = ()
    """Sagas that another engine drives than `{saga_engine}`, separated by commas:
    `money_transfer=temporal`."""
    temporal_address: HostAndPort | None = None
    """The Temporal to use: `127.0.0.1:7233`; unset: the development server, which `run` starts."""
    temporal_namespace: str = "default"
    """The namespace in Temporal. It has to exist."""
    temporal_task_queue: str | None = None
    """The queue in Temporal by which the workers of this service get work; unset: the name of the
    service. Each service in a namespace needs its own."""
    temporal_tls: bool = False
    """Whether Temporal is spoken to by TLS."""
    temporal_ca_file: Path | None = None
    """The certificates, as PEM, one of which signs that of Temporal; unset: those of the system."""
    temporal_certificate_file: Path | None = None
    """The certificate of this service for Temporal, as PEM."""
    temporal_key_file: Path | None = None
    """The key of that certificate, as PEM."""
    temporal_api_key: SecretStr | None = None
    """The API key for Temporal; needs `{temporal_tls}`."""
    temporal_ui_uri: HttpUri | None = None
    """Where Temporal's web pages are: `http://127.0.0.1:8233`. The command `sagas show` then prints
    the address of a saga's page."""

    def engine_of(self, saga: str) -> SagaEngine:
        """What drives the sagas of this name."""
        apart = dict(one.split("=") for one in self.saga_engines)
        return "temporal" if apart.get(saga, self.saga_engine) == "temporal" else "plain"

    @property
    def uses_temporal(self) -> bool:
        """Whether it drives any saga."""
        return self.saga_engine == "temporal" or any(
            one.endswith("=temporal") for one in self.saga_engines
        )

    @property
    def other_engine(self) -> Literal["none", "temporal"]:
        """What drives sagas besides the plain engine."""
        return "temporal" if self.uses_temporal else "none"

    @property
    def histories_in(self) -> Literal["none", "temporal"]:
        """Where the histories of sagas are, also of a service that runs with `--engine`."""
        return "temporal" if self.uses_temporal or self.temporal_address else "none"

    def page_in_temporal(self, saga: str, id: str) -> str | None:
        """The address of a saga's page, if its pages are known and Temporal drives it.

        Settings without any saga on Temporal have the address of a service that runs with
        `--engine`.
        """
        apart = self.uses_temporal and self.engine_of(saga) != "temporal"
        if self.temporal_ui_uri is None or apart:
            return None
        workflow = f"{self.temporal_namespace}/workflows/{quote(f'{saga}-{id}', safe='')}"
        return f"{self.temporal_ui_uri.rstrip('/')}/namespaces/{workflow}"

    @model_validator(mode="after")
    def _one_temporal(self) -> Self:
        """Nothing is set that would do nothing."""
        name = self.name_of

        def refuse(field: str, needs: str) -> None:
            if getattr(self, field):
                raise ValueError(f"{name(field)}: it is for {needs}: set that too, or unset it")

        if not self.uses_temporal:
            for field in _ONLY_THERE:
                refuse(field, f"{name('saga_engine')}=temporal")
        if not self.temporal_tls:
            files = ("temporal_ca_file", "temporal_certificate_file", "temporal_key_file")
            for field in (*files, "temporal_api_key"):
                refuse(field, f"{name('temporal_tls')}=true")
        if (self.temporal_certificate_file is None) != (self.temporal_key_file is None):
            raise ValueError(
                f"{name('temporal_certificate_file')}: a certificate and "
                f"{name('temporal_key_file')} go together: set both"
            )
        return self
