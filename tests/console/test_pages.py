"""Each page on a bank at work: it shows what there is, and says what there is not."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime  # only: bus
from uuid import uuid4

import pytest
from dependency_injector import providers

from application.ports import (
    NO_STREAM,
    ForwarderStanding,  # only: bus
    StoreUnavailable,
)
from infrastructure.console.site import SECTIONS
from infrastructure.processes.service import reacting
from tests.application.test_browsing import written
from tests.console.page import BROWSER, Page, page, send
from tests.sample.accounts import Deposit
from tests.sample.client import Bank, bank_over, empty_bank, id_of
from tests.sample.service import SAMPLE  # only: bus
from tests.waiting import until_true


@dataclass(frozen=True)
class Busy:
    """A bank on which one transfer was made, and one was refused."""

    bank: Bank
    transfer: str

    async def page(self, path: str, status: int = 200) -> Page:
        return await page(self.bank.http, path, status)

    async def event(self, type: str) -> str:
        """The address of the newest event of that type."""
        events = await self.page(f"/console/events?type={type}")
        return events.links[type]


@pytest.fixture
async def busy() -> AsyncIterator[Busy]:
    container = empty_bank()
    async with bank_over(container) as bank, reacting(container):
        await bank.dispatch("a-1", Deposit(deposit_id="d-1", amount=50))
        transfer = id_of(await bank.requested(notes=["for the rent"]))

        async def completed() -> bool:
            return "TransferCompleted" in await bank.events(f"transfer-{transfer}")

        await until_true(completed)
        await bank.get("/transfers")  # the read models have caught up
        yield Busy(bank, transfer)


async def test_every_link_of_every_page_leads_somewhere(busy: Busy) -> None:
    """From page to page, up to 150 of them: none fails, and none is missing."""
    waiting, seen = [section.url for section in SECTIONS], set[str]()
    while waiting and len(seen) < 150:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = await busy.bank.http.get(path, headers=BROWSER)
        assert answer.status_code in (200, 303, 409), (path, answer.text)
        links = re.findall(r'href="(/console[^"#]*)"', answer.text)
        waiting += [link.replace("&amp;", "&") for link in links if "/assets/" not in link]
    assert len(seen) > 40


async def test_streams_are_found_by_name_and_category(busy: Busy) -> None:
    """An id alone leads to its stream; a beginning lists all that go on with it."""
    led = await busy.bank.http.get(f"/console/streams?find={busy.transfer}", headers=BROWSER)
    assert led.headers["Location"] == f"/console/streams/transfer-{busy.transfer}"
    listed = await busy.page("/console/streams?category=account")
    assert "account-a-1" in listed.text
    assert "transfer-" not in listed.text
    assert "account-a-1" in (await busy.page("/console/streams?find=account-a")).text


async def test_a_stream_shows_the_states_between_its_events(busy: Busy) -> None:
    """What each event changed, and how it was at each version."""
    history = await busy.page("/console/streams/account-a-1?states=yes")

    assert "balance 0 50" in history.text
    assert "As it was at version 1" in history.text


async def test_an_event_shows_its_cause_its_effects_and_who_has_it(busy: Busy) -> None:
    """Data as stored and as read, metadata, and the builds that follow it."""
    shown = await busy.page(await busy.event("TransferRequested"))

    assert "correlationId" in shown.text
    assert "as stored" not in shown.text  # its bytes hold personal data, which is masked
    assert "transfer_summary_v1" in shown.text
    assert "SagaStarted" in shown.links


async def test_an_event_without_personal_data_shows_its_bytes(busy: Busy) -> None:
    """As the store has them, and not as JSON that was read and written again."""
    shown = await busy.page("/console/events/account-a-1@0")

    assert "bytes, as stored" in shown.text
    assert '"deposit_id":"d-1"' in shown.text


async def test_a_trace_shows_what_a_request_has_set_off(busy: Busy) -> None:
    """Events, saga steps, with times; from a stream, an id, or an event."""
    for name in (busy.transfer, f"transfer-{busy.transfer}", f"transfer-{busy.transfer}@0"):
        shown = await busy.page(f"/console/trace/{name}")
        assert {"TransferRequested", "SagaStarted", "TransferCompleted"} <= set(shown.links)
        assert shown.text.count("Command from outside") == 1
        assert "published" not in shown.text  # there is nowhere to publish to


# only: bus
async def test_a_trace_shows_when_records_were_published() -> None:
    """Or by when, or that they are not yet: a record has a line of its own, as an event has."""
    container = empty_bank(bus="kafka", kafka_bootstrap_servers="127.0.0.1:1")  # in memory
    async with bank_over(container) as bank:
        transfer = id_of(await bank.requested())
        path = f"/console/trace/transfer-{transfer}"
        waiting = await page(bank.http, path)
        [event] = [one async for one in container.event_store().read(f"transfer-{transfer}")]
        noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        async with container.bus().publisher() as publisher:
            standing = ForwarderStanding(event.position, None, 1, noon, "a test")
            await publisher.publish([], standing)
            lost = await page(bank.http, path)
            await publisher.publish(SAMPLE.contract.outgoing(event), standing)
            published = await page(bank.http, path)

    record = "bank.transfer.requested.v1 forwarder"
    assert f"→ not yet published {record}" in waiting.text
    assert f"→ published, no record found {record} by 2026-01-01 12:00:00Z" in lost.text
    assert f"→ published {record} 2026-01-01 12:00:00Z" in published.text


# end: bus
async def test_a_deep_trace_stays_on_the_page(bank: Bank) -> None:
    """A saga that keeps trying is a long chain: from eight levels on, a number says how deep."""
    ids = [uuid4() for _ in range(40)]
    causes = ["", *map(str, ids)]
    chain = [
        written("Deposited", {}, id=id, caused_by=cause)
        for id, cause in zip(ids, causes, strict=False)
    ]
    await bank.container.streams().append("account-a", chain, NO_STREAM)

    html = (await bank.http.get("/console/trace/account-a", headers=BROWSER)).text

    dots = [len(found.split()) for found in re.findall(r'class="depth"[^>]*>([^<]*)<', html)]
    assert dots == [*range(1, 8), *[7] * 33]
    assert [int(one) for one in re.findall(r"<small[^>]*>(\d+) </small>", html)] == [*range(8, 41)]


async def test_a_trace_is_linked_where_traces_are_shown() -> None:
    """By its id behind the address of the settings."""
    async with bank_over(empty_bank(trace_uri="https://traces.example/trace/")) as bank:
        traced = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
        body = {"source": "a-1", "target": "a-2", "amount": 3}
        made = await bank.post("/transfers", body, traced)
        shown = await page(bank.http, f"/console/trace/{id_of(made.headers['Location'])}")

    assert shown.links["The trace in your tracing system"] == (
        f"https://traces.example/trace/{'ab' * 16}"
    )


async def test_a_saga_shows_its_timeline(busy: Busy) -> None:
    """Its steps with how long each took."""
    listed = await busy.page("/console/sagas?which=all")
    link = next(link for link in listed.links.values() if link.endswith(busy.transfer))
    shown = await busy.page(link)

    assert "completed" in shown.text
    assert "took" in shown.text


@pytest.mark.parametrize(
    "path",
    [
        "sagas?which=all",
        "events?category=transfer",
        "streams?category=transfer",
        "streams?category=transfer&order=name",
    ],
)
async def test_lists_are_of_a_time(busy: Busy, path: str) -> None:
    """The fields of the form limit the list and its total, and keep what was asked for."""
    now = await busy.page(f"/console/{path}&since=7d&until=2999-01-01")
    later = await busy.page(f"/console/{path}&since=2999-01-01")

    assert "There are none." not in now.text
    assert "There are none." in later.text
    fields = now.form(f"/console/{path.partition('?')[0]}").fields
    assert (fields["since"], fields["until"]) == ("7d", "2999-01-01")


async def test_personal_data_is_masked_until_it_is_asked_for(busy: Busy) -> None:
    """To see it needs a reason, and is recorded; it shows on that page, to that person."""
    at = await busy.event("TransferRequested")
    masked = await busy.page(at)
    assert "for the rent" not in masked.text
    assert "•••" in masked.text

    form = (await busy.page(masked.links["Show it"])).form("/console/act/personal-data-show")
    answer = await send(busy.bank.http, form, {"reason": "a complaint", "confirmed": "yes"})
    assert "for the rent" in (await busy.page(answer.headers["Location"])).text

    shown = answer.headers["Location"].partition("?")[2]
    other = await busy.event("TransferCompleted")
    assert "for the rent" not in (await busy.page(f"{at}?shown=0")).text
    assert "shown" in shown
    assert (await busy.page(f"{other}?{shown}")).text
    assert "personal-data show" in (await busy.page("/console/audit")).text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/streams/transfer-none", 404),
        ("/console/streams/transfer-none?states=yes", 404),
        ("/console/events/none", 404),
        ("/console/events/6a1c8f52-2c0a-4d3e-9a3c-1f3a6f0b7c11", 404),
        ("/console/trace/none", 404),
        ("/console/sagas/money_transfer/none", 404),
        ("/console/sagas/none/none", 404),
        ("/console/read-models/none", 404),
        ("/console/read-models/balances/difference", 404),
        ("/console/parked/thanks/6a1c8f52-2c0a-4d3e-9a3c-1f3a6f0b7c11", 404),
        ("/console/parked/thanks/none", 404),
        ("/console/audit/none", 404),
        ("/console/streams?after=none", 400),
        ("/console/events?after=none", 400),
        ("/console/audit?after=none", 400),
        ("/console/streams/account-a-1?after=none", 400),
        ("/console/streams/account-a-1?states=yes&after=none", 400),
        ("/console/sagas?which=none", 400),
        ("/console/act/parked-replay?limit=none", 400),
        ("/console/act/parked-discard?event=none", 400),
        ("/console/streams/%00", 422),
        ("/console/streams?find=%00", 422),
        ("/console/events?category=%00", 422),
        ("/console/streams/%FF%FE", 422),
        ("/console/streams?find=%ff", 422),
        ("/console/streams/%ED%A0%80", 422),
        ("/console/streams?" + "&".join(f"a{number}=" for number in range(60)), 422),
        ("/console/streams?find=a&find=b", 400),
        ("/console/streams?unknown=a", 400),
        ("/console/streams/%01%1b%5b1m", 404),
        ("/console/streams/..%2f..%2fetc%2fpasswd", 404),
        ("/console/%2e%2e/orders", 404),
        ("/console/streams/" + "a" * 3_000, 404),
        ("/console/streams/account-" + "a" * 3_000, 404),
        ("/console/events/" + "a" * 3_000, 404),
        ("/console/trace/" + "a" * 3_000, 404),
        ("/console/sagas/money_transfer/" + "a" * 3_000, 404),
        ("/console/parked/" + "a" * 3_000 + "/x", 404),
        ("/console/audit/" + "a" * 3_000, 404),
        ("/console/events?after=" + "9" * 300, 400),
        ("/console/sagas?since=yesterday", 400),
        ("/console/events?since=2026-02-01&until=2026-01-01", 400),
        ("/console/streams?until=2026-13-01", 400),
        ("/console/parked?since=2026-01-01T12:00", 400),
        ("/console/audit?since=7", 400),
        ("/console/audit?outcome=none", 400),
    ],
)
async def test_what_is_not_there_is_said_on_a_page(bank: Bank, path: str, status: int) -> None:
    """404 for what does not exist, 400 or 422 for what cannot be understood; always on a page."""
    shown = await page(bank.http, path, status)
    assert len(shown.text) > 40


async def test_other_clients_get_the_problem_as_it_is(bank: Bank) -> None:
    """A page is for a browser; the headers of the console are on it."""
    told = await bank.http.get("/console/streams/%00")
    shown = await bank.http.get("/console/streams/%00", headers=BROWSER)
    refused = await bank.http.delete("/console/streams", headers=BROWSER)

    assert told.headers["Content-Type"] == "application/problem+json"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert refused.headers["Content-Type"].startswith("text/html")


async def test_hostile_text_stays_text(bank: Bank) -> None:
    """What others wrote becomes no markup, wherever it is shown."""
    evil = "<script>alert(1)</script>\u202e"
    await bank.requested(notes=[evil])
    await bank.http.get("/console")
    for path in ("/console/streams", "/console/events", f"/console/streams?find={evil}"):
        answer = await bank.http.get(path, headers=BROWSER)
        assert "<script>alert" not in answer.text


class Down:
    """A store that answers nothing."""

    def __getattr__(self, name: str) -> object:
        async def fails(*_: object, **__: object) -> None:
            raise StoreUnavailable("the event store does not answer")

        return fails


async def test_a_page_says_what_is_not_known_while_a_store_is_down() -> None:
    """The first page shows what it can; a page of events says that the store does not answer."""
    container = empty_bank()
    async with bank_over(container) as bank:
        container.event_browser.override(providers.Object(Down()))
        container.served.reset()
        assert "does not answer" in (await page(bank.http, "/console/events", 503)).text
        assert (await page(bank.http, "/console")).text
