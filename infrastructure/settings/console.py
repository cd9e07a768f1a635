"""The console: pages for operators."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from infrastructure.settings.serving import ServingSettings
from infrastructure.settings.values import Endpoint, HttpUri, Token, is_loopback, is_private

_SAFE: Final = "it has to be an address like https://orders.example.org, or one of the loopback"


def _safe(uri: str) -> str:
    if not is_private(uri):
        raise ValueError(_SAFE)
    return uri


Origin = Annotated[Endpoint, AfterValidator(_safe)]


class ConsoleSettings(ServingSettings):
    """The console"""

    console: bool = True
    """Whether operators find pages at `/console`. Needs the extra `console`."""
    console_client_id: Annotated[str, Field(min_length=1)] | None = None
    """As what the console is registered with an identity provider: people then log in there, by
    authorization code with PKCE, and no longer with a token. Needs `{console_origin}`."""
    console_client_secret: SecretStr | None = None
    """The secret of that client; without it, it is a public client."""
    console_issuer: HttpUri | None = None
    """Which of `{oidc_issuers}` that is. Needed where there are several."""
    console_origin: Origin | None = None
    """Where browsers reach the service, also behind a proxy: `https://orders.example.org`. The
    provider sends them back to `/console/log-in/callback` there, and nowhere else."""
    console_session_key: Token | None = None
    """What the sessions of the console are signed with, of 16 to 256 random ASCII characters. All
    processes need the same; a new one ends all sessions. Without it, it is made of `{api_token}`; a
    service that has neither has a new one at each start."""
    trace_uri: HttpUri | None = None
    """Where the page of a trace is, without its id: `http://127.0.0.1:16686/trace/`. The console
    then links to it."""

    @property
    def log_in_issuer(self) -> str | None:
        """The provider by which people log in; ``None``: they log in with a token."""
        if self.console_client_id is None:
            return None
        return self.console_issuer or self.oidc_issuers[0]

    @model_validator(mode="after")
    def _client_is_whole(self) -> Self:
        given = (self.console_client_secret, self.console_issuer)
        client, origin = self.name_of("console_client_id"), self.name_of("console_origin")
        issuers, issuer = self.name_of("oidc_issuers"), self.name_of("console_issuer")
        if self.console_client_id is None:
            if any(given):
                raise ValueError(f"{client}: it is missing: a secret and an issuer are of a client")
            return self
        if not self.oidc_issuers or self.console_origin is None:
            raise ValueError(f"{client}: it needs {issuers} and {origin}, too")
        if self.console_issuer is None and len(self.oidc_issuers) > 1:
            raise ValueError(f"{issuer}: name the one of {issuers} by which people log in")
        if self.console_issuer not in (None, *self.oidc_issuers):
            raise ValueError(f"{issuer}: it is not one of {issuers}")
        return self

    @model_validator(mode="after")
    def _sessions_last(self) -> Self:
        """A key of one process would end a session at the next request, which another answers."""
        keyed = self.console_session_key or self.api_token
        if self.console_client_id and not keyed and not is_loopback(self.http_host):
            raise ValueError(
                f"{self.name_of('console_session_key')}: it is missing: all processes have to know "
                "each other's sessions; for example: openssl rand -base64 32"
            )
        return self
