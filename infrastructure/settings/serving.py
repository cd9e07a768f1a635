"""How a process serves: HTTP, consistency, load, and its log."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infrastructure.settings.identity import IdentitySettings
from infrastructure.settings.values import HostNames, Port, is_loopback


class ServingSettings(IdentitySettings):
    """HTTP, load and logs"""

    http_host: str = "127.0.0.1"
    """The address on which the service listens. Any but a loopback address needs `{api_token}`,
    `{api_keys}` or `{oidc_issuers}`."""
    http_port: Port = 8000
    """The port on which the service listens; 0: any free port."""
    trusted_hosts: HostNames = ()
    """The host names under which clients reach the service, separated by commas, besides those of
    the loopback; `*.example.org`: all of a domain, `*`: any. Requests to another one get 400."""
    consistency_wait_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How many seconds a query waits, at most, for a read model to reach its Consistency-Token."""
    backpressure_slow_seconds: Annotated[float, Field(gt=0)] = 10.0
    """The lag of a read model, in seconds, from which on commands are slowed."""
    backpressure_refuse_seconds: Annotated[float, Field(gt=0)] = 30.0
    """The lag of a read model, in seconds, from which on commands are refused with 503.
    Larger than `{backpressure_slow_seconds}`."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe log records that are written."""

    @property
    def own_names(self) -> Sequence[str]:
        """The host names of the service, besides those of the loopback."""
        everywhere = self.http_host in ("", "0.0.0.0", "::")
        return self.trusted_hosts if everywhere else (*self.trusted_hosts, self.http_host)

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
        if not self.identifies and not is_loopback(self.http_host):
            raise ValueError(
                f"{self.name_of('http_host')}: {self.http_host} can be reached from other "
                f"machines: set {self.name_of('api_token')}, {self.name_of('api_keys')} or "
                f"{self.name_of('oidc_issuers')} too, or listen on 127.0.0.1"
            )
        return self
