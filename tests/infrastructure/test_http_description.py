"""``/docs``: the whole interface on a page that loads nothing from elsewhere."""

import re
from html.parser import HTMLParser
from typing import Any

from infrastructure.http.description.page import page
from tests.infrastructure.described import operations
from tests.sample.client import Bank
from tests.sample.program import BANK


class Seen(HTMLParser):
    """The elements of a page, what they load, and what they say."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        assert not [name for name in given if name.startswith("on") or name == "style"]
        self.ids |= {given["id"]} if "id" in given else set()
        if tag == "a":
            self.links.append(given["href"])
        else:
            self.loaded += [given[name] for name in ("src", "href") if name in given]

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_page_shows_every_route_and_every_shape(bank: Bank) -> None:
    """Methods, paths, fields and answers are in the text: nothing has to be loaded to read it."""
    seen = Seen((await bank.http.get("/docs")).text)

    each = operations(BANK, ids={})
    for operation in each:
        assert re.search(rf"{operation.method}\s+{re.escape(operation.path)}", seen.text)
        for name in (*operation.query, *operation.headers, *(operation.body or {})):
            assert name in seen.text
    for name in each[0].schemas:
        assert f"shape-{name}" in seen.ids
    assert {link[1:] for link in seen.links if link.startswith("#")} <= seen.ids


async def test_the_headers_that_a_route_reads_are_described() -> None:
    """Those of a command and those of a question, each once, however often an app was made."""
    for _ in range(2):
        each = {(one.method, one.path): one for one in operations(BANK, ids={})}
        command, question = each["POST", "/transfers"], each["GET", "/transfers/{transfer_id}"]
        assert command.headers == ["Idempotency-Key", "If-Match", "Traceparent"]
        assert question.headers == ["Consistency-Token"]


async def test_the_page_loads_nothing_from_another_host_and_runs_no_script(bank: Bank) -> None:
    """Its policy forbids both, and it needs neither."""
    answer = await bank.http.get("/docs")
    seen = Seen(answer.text)

    policy = answer.headers["Content-Security-Policy"]
    assert {"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"} <= set(
        policy.split("; ")
    )
    assert "unsafe" not in policy
    assert "script" not in seen.tags
    assert seen.loaded == ["/docs/page.css"]
    style = await bank.http.get("/docs/page.css")
    assert style.headers["Content-Type"].startswith("text/css")
    assert "url(" not in style.text
    assert "@import" not in style.text
    assert (await bank.http.get("/openapi.json")).json()["openapi"]


async def test_the_interface_says_what_the_service_does(bank: Bank) -> None:
    """Without a description of its own, it has what the command line's help says."""
    info = (await bank.http.get("/openapi.json")).json()["info"]
    shown = (await bank.http.get("/docs")).text

    assert info["title"] == BANK.title
    assert info["description"] == BANK.about
    assert BANK.about in shown


def test_what_a_description_says_is_text() -> None:
    """Names and descriptions are no HTML, whoever wrote them."""
    evil = "<script>alert(1)</script>"
    schema = {"type": "object", "properties": {evil: {"type": evil, "description": evil}}}
    operation: dict[str, Any] = {
        "operationId": evil,
        "tags": [evil],
        "description": f"`{evil}`",
        "parameters": [{"name": evil, "in": evil, "schema": {"enum": [evil]}, "description": evil}],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {evil: {"description": evil}},
    }
    document = {
        "info": {"title": evil, "version": evil, "description": evil},
        "paths": {f"/{evil}": {"get": operation}},
        "components": {"schemas": {evil: schema}},
    }

    assert "script" not in Seen(page(document)).tags
