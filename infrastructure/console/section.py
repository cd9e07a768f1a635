"""One entry of the navigation, with the pages behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from fastapi import APIRouter

from infrastructure.console.routing import PageRoute

HOME: Final = "/console"
H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True)
class Section:
    """Some pages below one path. Their templates are in a directory of the service, if it has any.

    ``key``: with ``g`` before it, it leads there from any page.
    """

    title: str
    path: str  # below /console: "/orders"; "" for the first page
    key: str
    templates: Path | None = None
    router: APIRouter = field(default_factory=lambda: APIRouter(route_class=PageRoute))

    @property
    def url(self) -> str:
        return HOME + self.path

    def holds(self, path: str) -> bool:
        """Whether the page at that path is one of these."""
        return path == self.url or (self.path != "" and path.startswith(f"{self.url}/"))

    def get(self, path: str = "") -> Callable[[H], H]:
        """Declare the page at that path below the section's."""
        return self.router.get(self.url + path, include_in_schema=False, response_model=None)

    def post(self, path: str = "") -> Callable[[H], H]:
        """Declare what a form of these pages is sent to."""
        return self.router.post(self.url + path, include_in_schema=False, response_model=None)


class InvalidSections(ValueError):
    """Two sections have one path, or one key. The message names them."""


def require_apart(sections: Sequence[Section]) -> None:
    """Raises :class:`InvalidSections`."""
    for of in ("path", "key"):
        known: dict[str, Section] = {}
        for section in sections:
            before = known.setdefault(value := getattr(section, of), section)
            if before is not section:
                raise InvalidSections(
                    f"the pages {before.title} and {section.title} have one {of}, {value!r}"
                )
