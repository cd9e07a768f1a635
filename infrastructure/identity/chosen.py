"""Which kinds of credentials a service takes: those that its settings name."""

from collections.abc import Callable, Iterator

from application.ports import EventStore
from infrastructure.identity.callers import ApiToken, Callers, Kind
from infrastructure.identity.keys import ApiKeys
from infrastructure.identity.limits import Rate
from infrastructure.settings import Settings


def callers(settings: Settings, events: Callable[[], EventStore]) -> Callers:
    """Opens nothing: keys are read when a request brings one."""
    return Callers(tuple(_kinds(settings, events)), Rate(settings.requests_per_second))


def _kinds(settings: Settings, events: Callable[[], EventStore]) -> Iterator[Kind]:
    if settings.api_token is not None:
        yield ApiToken(settings.api_token.get_secret_value())
    if settings.api_keys:
        yield ApiKeys(events)
    if settings.oidc_issuers:
        from infrastructure.identity.signed import SignedToken
        from infrastructure.oidc import Provider, Tokens

        assert settings.oidc_audience is not None  # the settings require it
        tokens = Tokens(map(Provider, settings.oidc_issuers), settings.oidc_audience)
        yield SignedToken(tokens, settings.oidc_roles_claim)
