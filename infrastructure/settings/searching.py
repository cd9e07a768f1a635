"""Where read models are searched by words, if not in the database."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import StringConstraints

from infrastructure.settings.naming import NamedSettings

Search = Literal[
    "database",
    "opensearch",  # only: opensearch
    "algolia",  # only: algolia
]
IndexPrefix = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$", max_length=64)
]


class SearchSettings(NamedSettings):
    """Search"""

    search: Search = "database"
    """Where read models are kept that are searched by words. Elsewhere than in the `database`, they
    are behind while that server is away, and all else works. All processes need the same value."""
    search_prefix: IndexPrefix = "headwater"
    """What the names of all indexes in a search engine begin with: small letters and digits, and
    `.`, `_` and `-` between them."""

    def _require(self, engine: Search, *, needed: Sequence[str], taken: Sequence[str] = ()) -> None:
        """Raises ``ValueError`` unless what this engine needs is set with it, and only with it."""
        for field in (*needed, *taken):
            is_set = getattr(self, field) not in (None, ())
            if is_set and self.search != engine:
                raise ValueError(
                    f"{self.name_of(field)}: it is for {self.name_of('search')}={engine}: "
                    "set that too, or unset it"
                )
            if not is_set and self.search == engine and field in needed:
                raise ValueError(
                    f"{self.name_of('search')}: {engine} needs {self.name_of(field)}: set both"
                )
