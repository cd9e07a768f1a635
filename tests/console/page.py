"""A page as a test reads it: its words, its links, its forms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

BROWSER = {"Accept": "text/html"}


@dataclass
class Form:
    """A form, with the values that are in it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What is on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.links, self.forms = list[str](), dict[str, str](), list[Form]()
        self.live: dict[str, str] = {}
        self._link: str | None = None
        self._inside: list[str] = []
        self.feed(html)

    @property
    def text(self) -> str:
        """All words, one space between them."""
        return re.sub(r"\s+", " ", " ".join(self.words)).strip()

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in given}
        self._inside.append(tag)
        if tag == "a":
            self._link = attributes.get("href")
        if tag == "form":
            self.forms.append(Form(attributes.get("action", "")))
        if tag in ("input", "textarea") and self.forms:
            self.forms[-1].fields[attributes.get("name", "")] = attributes.get("value", "")
        if "data-live" in attributes:
            self.live[attributes["data-live"]] = attributes.get("data-tone", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._inside and self._inside[-1] in ("style", "script"):
            return
        self.words.append(data)
        if self._link is not None and data.strip():
            self.links[data.strip()] = self._link
            self._link = None

    def form(self, action: str) -> Form:
        """The form that is sent there."""
        return next(form for form in self.forms if form.action == action)


async def page(http: httpx.AsyncClient, path: str, status: int = 200) -> Page:
    """The page at that path."""
    answer = await http.get(path, headers=BROWSER)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    return Page(answer.text)


async def send(
    http: httpx.AsyncClient,
    form: Form,
    fields: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send the form, with these values, as a browser does."""
    own = {"Origin": str(http.base_url).rstrip("/"), **(headers or {})}
    return await http.post(form.action, data={**form.fields, **fields}, headers=own)
