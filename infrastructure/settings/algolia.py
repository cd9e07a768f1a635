"""How Algolia is reached."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, StringConstraints, model_validator

from infrastructure.settings.searching import SearchSettings
from infrastructure.settings.values import Endpoint, Token, is_loopback, words


def _unread(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.port == 0:  # ValueError for what is not a port
        raise ValueError("0 is not a port of a server")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("others could read the key on its way: it has to start with https://")
    return uri


SafeEndpoints = Annotated[
    tuple[Annotated[Endpoint, AfterValidator(_unread)], ...], BeforeValidator(words)
]
"""Addresses to which a key can be sent."""
ApplicationId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]
"""``B1G2GM9NG0``: the first part of the host names of an Algolia application."""


class AlgoliaSettings(SearchSettings):
    """Algolia"""

    algolia_application_id: ApplicationId | None = None
    """The application of Algolia to use with `{search}=algolia`: `B1G2GM9NG0`."""
    algolia_api_key: Token | None = None
    """A key of that application with the rights search, browse, addObject, deleteIndex, settings,
    editSettings and listIndexes. The admin key has more than it needs."""
    algolia_hosts: SafeEndpoints = ()
    """Where to reach Algolia if not at its own hosts, separated by commas: a proxy, or a server of
    tests. The first that answers is used: `http://127.0.0.1:9000`."""

    @model_validator(mode="after")
    def _one_algolia(self) -> Self:
        needed = ("algolia_application_id", "algolia_api_key")
        self._require("algolia", needed=needed, taken=("algolia_hosts",))
        return self
