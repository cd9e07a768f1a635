"""How an OpenSearch is reached."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from infrastructure.settings.searching import SearchSettings
from infrastructure.settings.values import require_readable_login

_OWN: Final = ("opensearch_uri", "opensearch_ca_file")


def _http(uri: str) -> str:
    parts = urlsplit(uri)  # ValueError for text that is not an address
    require_readable_login(uri, parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("it has to be an address like https://user:password@host:9200")
    if re.search(r"%(?![0-9A-Fa-f]{2})", parts.netloc):
        raise ValueError("a % in it, in a password for example, is written %25")
    if parts.query or parts.fragment:
        raise ValueError("an address has nothing behind its path")
    return uri


HttpServer = Annotated[str, AfterValidator(_http)]
"""The address of a server, with a user and a password perhaps."""


class OpenSearchSettings(SearchSettings):
    """OpenSearch"""

    opensearch_uri: HttpServer | None = None
    """The OpenSearch to use with `{search}=opensearch`: `https://reader:secret@127.0.0.1:9200`."""
    opensearch_ca_file: Path | None = None
    """The certificates, as PEM, one of which signs that of the OpenSearch; unset: those of the
    system."""

    @property
    def search_at(self) -> Mapping[str, str]:
        """What leads to an OpenSearch, by fields; nothing for others, whose keys are not shared."""
        if self.search != "opensearch":
            return {}
        given = {field: getattr(self, field) for field in ("search", *_OWN)}
        return {field: str(value) for field, value in given.items() if value is not None}

    def searching_at(self, search_at: Mapping[str, str]) -> Self:
        """These settings, with the same OpenSearch as others, unless they name a place."""
        if not search_at or "search" in self.model_fields_set:
            return self
        ca_file = search_at.get("opensearch_ca_file")
        update = {**search_at, "opensearch_ca_file": ca_file and Path(ca_file)}
        return self.model_copy(update=update)

    @model_validator(mode="after")
    def _one_opensearch(self) -> Self:
        self._require("opensearch", needed=_OWN[:1], taken=_OWN[1:])
        return self
