"""Every page of a console, found by following links: nobody lists them."""

import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from fastapi.routing import APIRoute

from infrastructure.console import act
from infrastructure.console.rendering import Rendered, Renderer
from infrastructure.console.section import HOME, Section
from infrastructure.console.site import Site
from tests.console.page import BROWSER
from tests.waiting import PATIENCE

PARTS: Final = frozenset({"frame.html", "parts.html"})
"""Templates that are no page by themselves."""
_ALIKE: Final = 12
"""Addresses of one route with the same fields that are followed."""


def pages_in(directory: Path) -> list[str]:
    """The templates of pages there."""
    return sorted({file.name for file in directory.glob("*.html")} - PARTS)


class Recording(Renderer):
    """Renders as another does, and keeps the name of the last template."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer, self.last = renderer, ""

    def page(self, template: str, values: Mapping[str, Any]) -> Rendered:
        self.last = template
        return self._renderer.page(template, values)


@dataclass
class Followed:
    """What links have led to."""

    addresses: dict[str, str] = field(default_factory=dict)
    """By template, or else by route and fields, the longest page of that kind."""
    routes: set[str] = field(default_factory=set)
    """The paths of the routes that have answered."""
    missed: frozenset[str] = frozenset()
    """The paths of routes of pages that no link leads to."""
    _lengths: Counter[str] = field(default_factory=Counter)
    _alike: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    def is_new(self, route: str, address: str) -> bool:
        """Whether it is worth a look: not all orders are."""
        alike = kind_of(route, address)
        if not route or address in self._seen or self._alike[alike] == _ALIKE:
            return False
        self._seen.add(address)
        self._alike[alike] += 1
        return True

    def add(self, kind: str, address: str, length: int) -> None:
        if length > self._lengths[kind]:
            self._lengths[kind], self.addresses[kind] = length, address


def kind_of(route: str, address: str) -> str:
    """The same for addresses of one route with the same fields."""
    return "&".join((route, *sorted(parse_qs(urlsplit(address).query))))


async def followed(url: str, sections: Sequence[Section], site: Site | None = None) -> Followed:
    """All pages of these sections that links lead to, but not each with the same fields.

    ``site``: the console, where it is in this process.
    """
    recording = Recording(site.renderer) if site else None
    if site and recording:
        site.renderer = recording
    found, routes, waiting = Followed(), _routes(sections), deque(one.url for one in sections)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as http:
        while waiting:
            path = unquote(urlsplit(address := waiting.popleft()).path)
            route = next((one.path for one in routes if one.path_regex.match(path)), "")
            if not found.is_new(route, address):
                continue
            answer = await http.get(address, headers=BROWSER)
            found.routes.add(route)
            waiting += [answer.headers["Location"]] if answer.is_redirect else _links(answer.text)
            if answer.is_success and answer.headers["Content-Type"].startswith("text/html"):
                kind = recording.last if recording else kind_of(route, address)
                found.add(kind, address, len(answer.text))
    found.missed = frozenset(one.path for one in routes) - found.routes
    return found


def _routes(sections: Sequence[Section]) -> Sequence[APIRoute]:
    """The routes that answer with pages, and those of actions."""
    routers = [*(section.router for section in sections), act.router]
    routes = [one for router in routers for one in router.routes if isinstance(one, APIRoute)]
    return [one for one in routes if "GET" in (one.methods or ())]


def _links(html: str) -> list[str]:
    links = map(unescape, re.findall(rf'href="({HOME}[^"#]*)"', html))
    return [link for link in links if "/assets/" not in link]
