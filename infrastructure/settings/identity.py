"""How callers prove who they are."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from infrastructure.settings.naming import NamedSettings
from infrastructure.settings.values import Token, is_private, words


def _issuer(uri: str) -> str:
    parts = urlsplit(uri)
    if not is_private(uri):
        raise ValueError("it has to be an address like https://id.example.org")
    if parts.query or parts.fragment or parts.username or "|" in uri:
        raise ValueError("an issuer has a host and a path, and nothing else")
    return uri


Issuers = Annotated[tuple[Annotated[str, AfterValidator(_issuer)], ...], BeforeValidator(words)]
"""Addresses of identity providers, from which keys cannot be changed on their way."""


class IdentitySettings(NamedSettings):
    """Who may use the service"""

    api_token: Token | None = None
    """The token that clients have to send as `Authorization: Bearer …`, of 16 to 256 ASCII
    characters. Its holder may do everything. Without it, `{api_keys}` and `{oidc_issuers}`, clients
    need none."""
    api_keys: bool = False
    """Whether keys are accepted that `keys issue` has made: `Authorization: Bearer hwk_…`. A
    revoked key may be accepted for 10 seconds more."""
    oidc_issuers: Issuers = ()
    """The identity providers whose signed tokens are accepted as `Authorization: Bearer …`, by
    the addresses that they call themselves, separated by commas: `https://id.example.org`."""
    oidc_audience: Annotated[str, Field(min_length=1)] | None = None
    """Whom such a token has to be meant for (`aud`): this service, as its providers call it."""
    oidc_roles_claim: Annotated[str, Field(pattern=r"^[^.\s]+(\.[^.\s]+)*$")] = "roles"
    """The claim that lists the roles of the caller: `realm_access.roles` is `roles` in
    `realm_access`."""

    token: SecretStr | None = None
    """The token or key of the person who runs a command, whose roles then count. Without it, the
    caller of a command is the user of its process, with the role operator."""
    requests_per_second: Annotated[float, Field(ge=0, le=1_000_000)] = 100.0
    """How many requests each caller may send to a process, per second; ten seconds' worth of them
    at once. More get 429. 0: any number. Callers who need no token are not limited."""

    @property
    def identifies(self) -> bool:
        """Whether callers have to prove who they are."""
        return self.api_token is not None or self.api_keys or bool(self.oidc_issuers)

    @model_validator(mode="after")
    def _tokens_for_this_service(self) -> Self:
        """A token that is meant for another service proves nothing here."""
        if bool(self.oidc_issuers) != bool(self.oidc_audience):
            one, other = self.name_of("oidc_issuers"), self.name_of("oidc_audience")
            raise ValueError(f"{one}: it goes with {other}: set both, or neither")
        return self
