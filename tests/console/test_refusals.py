"""What is refused before a page is looked for: a page for a browser, a problem for all others."""

from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from infrastructure.console.problem_pages import ProblemPages
from infrastructure.http.middleware import LARGEST_BODY
from tests.console.page import BROWSER, Page
from tests.infrastructure.test_http_problems import problem
from tests.sample.client import Bank

ELSEWHERE: Final = {"Host": "evil.example"}


@dataclass(frozen=True)
class Refusal:
    """A request that is refused, and how."""

    status: int
    why: str
    path: str = "/console/sagas"
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


REFUSALS: Final = {
    "a host name": Refusal(400, "HEADWATER_TRUSTED_HOSTS", headers=ELSEWHERE),
    "a host name, at the root": Refusal(400, "HEADWATER_TRUSTED_HOSTS", "/", headers=ELSEWHERE),
    "a form for a host name": Refusal(
        400, "HEADWATER_TRUSTED_HOSTS", "/console/log-in", "POST", ELSEWHERE
    ),
    "a correlation id": Refusal(400, "X-Correlation-ID", headers={"X-Correlation-ID": "a b"}),
    "a path": Refusal(422, "U+0000", "/console/streams/%00"),
    "a query": Refusal(422, "not UTF-8", "/console/streams?find=%ff"),
    "a body": Refusal(
        413, "1,048,576", "/console/log-in", "POST", content=b"." * (LARGEST_BODY + 1)
    ),
    "a method": Refusal(405, "use GET, HEAD", method="DELETE"),
    "a fault of the service": Refusal(500, "correlation id", "/console/assets/lost"),
}


@pytest.fixture
def faulty(bank: Bank) -> Bank:
    """The bank, with a route below the console that fails."""
    app: Any = bank.http._transport.app  # type: ignore[attr-defined]  # the one it speaks to

    async def fails() -> None:
        raise AssertionError("a bug")

    app.add_api_route("/console/assets/lost", fails)
    app.router.routes.insert(0, app.router.routes.pop())
    return bank


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_each_refusal_is_a_page_for_a_browser(faulty: Bank, refusal: Refusal) -> None:
    """It says the same, with the same status and headers, in the frame of the console."""
    known = refusal.headers.get("X-Correlation-ID", "known")

    async def answer(**accepted: str) -> Any:
        headers = {"X-Correlation-ID": known, **refusal.headers, **accepted}
        return await faulty.http.request(
            refusal.method, refusal.path, headers=headers, content=refusal.content
        )

    told, shown = await answer(), await answer(**BROWSER)

    assert refusal.why in f"{problem(told, refusal.status)}"
    assert shown.status_code == refusal.status
    assert shown.headers["Content-Type"].startswith("text/html")
    assert refusal.why in Page(shown.text).text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    of_the_body = {"content-type", "content-length", "x-correlation-id"}
    for name in {*told.headers} - of_the_body:
        assert shown.headers[name] == told.headers[name]
    assert shown.headers["X-Correlation-ID"]


async def test_nothing_stands_before_the_pages_of_refusals(bank: Bank) -> None:
    """Whatever is added around the routes: what it refuses becomes a page."""
    app: Any = bank.http._transport.app  # type: ignore[attr-defined]  # the one it speaks to

    assert app.user_middleware[0].cls is ProblemPages
    assert [one.cls for one in app.user_middleware].count(ProblemPages) == 1


async def test_the_page_of_a_refusal_has_its_style_under_any_name(bank: Bank) -> None:
    """The files of the frame hold nothing of the service; everything else is refused there."""
    shown = await bank.http.get("/console", headers={**BROWSER, **ELSEWHERE})
    files = [part.split('"')[0] for part in shown.text.split('"/console/assets/')[1:]]

    assert len(files) == 3
    for file in files:
        answer = await bank.http.get(f"/console/assets/{file}", headers=ELSEWHERE)
        assert answer.status_code == 200
    problem(await bank.http.get("/console/assets/no-such-file", headers=ELSEWHERE), 400)


async def test_what_is_no_page_stays_a_problem(bank: Bank) -> None:
    """Routes beside the console answer a browser as every other client."""
    for path in ("/transfers", "/console-of-others"):
        problem(await bank.http.get(path, headers={**BROWSER, **ELSEWHERE}), 400)
