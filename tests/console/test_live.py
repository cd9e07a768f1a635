"""An open page is kept up to date, until its server ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from fastapi import FastAPI

from infrastructure.console.live import Pace
from infrastructure.http.server import GRACE
from tests.browser.serving import answered
from tests.sample.accounts import Deposit
from tests.sample.client import Bank, empty_bank
from tests.waiting import PATIENCE

STREAM = {"Accept": "text/event-stream"}
Events = AsyncIterator[tuple[str, Any]]


async def events(answer: aiohttp.ClientResponse) -> Events:
    """Each event of a stream: its name, and its data."""
    name = ""
    async for line in answer.content:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def at_pace(**pace: Any) -> Callable[[FastAPI], None]:
    """Open pages are looked after at this pace."""

    def prepare(app: FastAPI) -> None:
        app.state.console.pace = Pace(**pace)

    return prepare


async def first(stream: Events, wanted: Callable[[str, Any], bool]) -> Any:
    """The data of the first event that is wanted."""
    async with asyncio.timeout(PATIENCE):
        async for name, data in stream:
            if wanted(name, data):
                return data
    raise AssertionError("the stream ended before")


async def test_an_open_page_shows_what_has_changed_and_ends_with_its_server() -> None:
    """All figures at first, later those that changed; a server that ends waits for no page."""
    container = empty_bank()
    async with aiohttp.ClientSession(headers=STREAM) as client:
        async with answered(container, at_pace(every=0.05)) as url:
            answer = await client.get(f"{url}/console/read-models")
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            stream = events(answer)
            rows = await first(stream, lambda name, _: name == "rows")
            assert "lag balances_v1" in rows
            figures = await first(stream, lambda name, _: name == "figures")
            assert figures.keys() == set(rows)

            bank = Bank(None, container)  # type: ignore[arg-type]  # asked over the socket
            await bank.dispatch("a-1", Deposit(deposit_id="d-1", amount=5))
            shown = "events balances_v1"
            await first(stream, lambda _, data: data.get(shown, [""])[0] == "1")
            began = time.monotonic()
        assert [name async for name, _ in stream if name not in ("figures", "rows")] == []
        assert time.monotonic() - began < GRACE


async def test_only_so_many_pages_are_kept_up_to_date() -> None:
    """Another one gets 503, and stays as it is."""
    async with (
        aiohttp.ClientSession(headers=STREAM) as client,
        answered(empty_bank(), at_pace(every=0.05, most=1)) as url,
        client.get(f"{url}/console") as answer,
    ):
        await first(events(answer), lambda name, _: name == "figures")
        assert (await client.get(f"{url}/console")).status == 503
