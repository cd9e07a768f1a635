"""Actions in the console: shown first, confirmed with a reason, done once, and recorded."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import Request, Response

from application.messages import RecordedEvent
from application.operating.carrying_out import By
from application.operating.parked import ReplayParked, Selection
from application.operating.trail import trail
from application.parking import PARKING, ReplayRequested
from application.ports import NO_STREAM
from infrastructure.console.sessions import Session
from tests.console.page import Form, Page, page, send
from tests.contracts.made_up import event
from tests.infrastructure.test_http_operations import has_failed, standings
from tests.sample.client import Bank, bank_over, empty_bank
from tests.waiting import until_true

WHY = {"reason": "the disk is full", "confirmed": "yes"}


async def asked(bank: Bank, kind: str, given: Mapping[str, Any], status: int = 200) -> Page:
    return await page(bank.http, f"/console/act/{kind}?{urlencode(given)}", status)


def form_of(asking: Page, kind: str) -> Form:
    return asking.form(f"/console/act/{kind}")


async def done(bank: Bank, kind: str, given: Mapping[str, Any]) -> Page:
    """Confirm it, and see what came of it."""
    form = form_of(await asked(bank, kind, given), kind)
    answer = await send(bank.http, form, WHY)
    assert answer.status_code == 303, answer.text
    return await page(bank.http, answer.headers["Location"])


async def paused(bank: Bank) -> list[str]:
    return [of.build.name for of in await standings(bank) if of.paused]


async def test_an_action_shows_first_what_it_will_do_and_changes_nothing(bank: Bank) -> None:
    """To how many, to which, and how these are now."""
    asking = await asked(bank, "read-model-pause", {"of": "balances"})

    assert "Stops handling events" in asking.text
    assert "1 build" in asking.text
    assert "balances_v1" in asking.text
    assert await paused(bank) == []


async def test_a_confirmed_action_is_done_and_recorded(bank: Bank) -> None:
    """The audit shows by whom, why, and what it was before and after."""
    recorded = await done(bank, "read-model-pause", {"of": "balances"})

    assert await paused(bank) == ["balances"]
    assert "balances_v1 is paused" in recorded.text
    assert "through the console" in recorded.text
    audit = await page(bank.http, "/console/audit")
    assert "read-model pause" in audit.text
    assert "the disk is full" in audit.text
    await done(bank, "read-model-resume", {"of": "balances"})
    assert await paused(bank) == []


@pytest.mark.parametrize("missing", [{"reason": " "}, {"confirmed": "no"}])
async def test_without_a_reason_and_a_confirmation_nothing_is_done(
    bank: Bank, missing: dict[str, str]
) -> None:
    """400: the page asks again."""
    form = form_of(await asked(bank, "read-model-pause", {"of": "balances"}), "read-model-pause")
    answer = await send(bank.http, form, {**WHY, **missing})

    assert answer.status_code == 400
    assert await paused(bank) == []


async def test_a_form_that_is_sent_twice_is_done_once(bank: Bank) -> None:
    """The second one leads to the record of the first."""
    form = form_of(await asked(bank, "read-model-pause", {"of": "balances"}), "read-model-pause")
    first = await send(bank.http, form, WHY)
    await done(bank, "read-model-resume", {"of": "balances"})
    second = await send(bank.http, form, WHY)

    assert second.headers["Location"] == first.headers["Location"]
    assert await paused(bank) == []


async def test_what_another_operator_has_changed_meanwhile_is_not_done(bank: Bank) -> None:
    """409: what is confirmed is what was shown, or nothing."""
    shown = await asked(bank, "read-model-pause", {"of": "balances"})
    form = form_of(shown, "read-model-pause")
    form.fields["seen"] = "of something else"
    answer = await send(bank.http, form, WHY)

    assert answer.status_code == 409
    assert "changed since it was shown" in answer.text
    assert await paused(bank) == []


async def test_what_cannot_be_done_says_why_and_has_no_form(bank: Bank) -> None:
    """409 with the reason."""
    asking = await asked(bank, "read-model-retry", {"of": "balances"}, 409)

    assert "balances has not stopped" in asking.text
    assert all("act" not in form.action for form in asking.forms)
    assert "There is no action" in (await asked(bank, "dance", {}, 404)).text


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"Host": "bank.example"}, ("127.0.0.1", 1)),
        ({"X-Forwarded-For": "10.0.0.1"}, ("127.0.0.1", 1)),
        ({}, ("10.0.0.1", 1)),
    ],
)
async def test_without_authentication_only_this_machine_may_act(
    headers: dict[str, str], client: tuple[str, int]
) -> None:
    """From elsewhere, or over a proxy: pages are shown without actions, and these are refused."""
    async with bank_over(empty_bank(trusted_hosts="bank.example")) as bank:
        app = bank.http._transport.app  # type: ignore[attr-defined]  # the one it speaks to
        transport = httpx.ASGITransport(app, client=client)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as http:
            assert "Pause" not in (await page(http, "/console/read-models/balances")).text
            refused = await page(http, "/console/act/read-model-pause?of=balances", 403)
    assert "HEADWATER_API_TOKEN" in refused.text


async def test_a_poison_event_is_skipped_by_clicking(bank: Bank) -> None:
    """From the page of the read model, which shows where it stopped, why, and the event whole."""
    bad = event("TransferRequested", b'{"amount": "none"}')
    await bank.container.streams().append("transfer-bad", [bad], NO_STREAM)
    await has_failed(bank, "transfer_summary")

    shown = await page(bank.http, "/console/read-models/transfer_summary")
    assert "TransferRequested transfer-bad@0" in shown.text
    assert '"amount": "none"' in shown.text
    link = next(link for link in shown.links.values() if "read-model-skip" in link)
    form = (await page(bank.http, link)).form("/console/act/read-model-skip")
    answer = await send(bank.http, form, WHY)

    assert "skips the event" in (await page(bank.http, answer.headers["Location"])).text
    again = await page(bank.http, "/console/read-models/transfer_summary")
    assert str(bad.id) in again.text


async def test_a_deploy_is_watched_and_rolled_back(bank: Bank) -> None:
    """The record of a deploy shows how far its build is; a rollback brings the first one back."""
    for number in range(3):
        await bank.requested(amount=number + 1)
    await done(bank, "read-model-deploy", {"of": "balances"})
    audit = await page(bank.http, "/console/audit")
    record = next(link for link in audit.links.values() if "/console/audit/" in link)

    async def ended() -> bool:
        return "no end recorded" not in (await page(bank.http, record)).text

    await until_true(ended)
    answered = await page(bank.http, record)
    assert "balances_v1_2 answers queries; balances_v1 is kept" in answered.text

    compared = await page(bank.http, "/console/read-models/balances/difference?views=yes")
    assert "are equal" in compared.text
    assert (
        "balances_v1 answers queries again"
        in (await done(bank, "read-model-rollback", {"of": "balances"})).text
    )


async def parked_in(bank: Bank, streams: Sequence[str]) -> None:
    """Park the first event of each, as a group does."""
    parking = bank.container.parking("thanks")
    for stream in streams:
        await bank.container.streams().append(stream, [event("TransferApproved")], NO_STREAM)
        async for recorded in bank.container.event_store().read(stream):
            await parking.park(recorded, f"LookupError: no address for {stream}", 3)


async def requested(bank: Bank) -> list[str]:
    """The streams whose parked event is to be handled again."""
    held = (await bank.container.parking("thanks").look()).held.values()
    return sorted(one.parked.stream for one in held if one.replay)


async def test_parked_events_are_replayed_one_some_or_so_many(bank: Bank) -> None:
    """Those that are ticked; the oldest so many; then all that are left. Counted before."""
    streams = [f"transfer-p{number}" for number in range(4)]
    await parked_in(bank, streams)
    shown = await page(bank.http, "/console/parked?group=thanks&words=p1")
    assert "no address for transfer-p1" in shown.text
    assert "transfer-p2" not in shown.text

    shown = await page(bank.http, "/console/parked")
    ticks = [name for name in shown.form("/console/act/parked-selected").fields if ":" in name]
    form = shown.form("/console/act/parked-selected")
    newest_first = {ticks[1]: "yes", ticks[3]: "yes"}
    form.fields = {"form_token": form.fields["form_token"], **newest_first}
    led = await send(bank.http, form, {})
    asking = await page(bank.http, led.headers["Location"])
    assert "2 to be replayed" in asking.text
    await send(bank.http, form_of(asking, "parked-replay"), WHY)
    assert await requested(bank) == [streams[0], streams[2]]

    assert "1 to be replayed" in (await asked(bank, "parked-replay", {"limit": 1})).text
    await done(bank, "parked-replay", {"limit": 1})
    assert await requested(bank) == streams[:3]
    await done(bank, "parked-replay", {})
    assert await requested(bank) == streams
    assert "0 events" in (await asked(bank, "parked-replay", {})).text


async def test_parked_events_are_found_by_their_status(bank: Bank) -> None:
    """What failed, what is to be handled again, what waits behind another; counted, and only what
    failed can be replayed."""
    await parked_in(bank, ["transfer-p1", "transfer-p2"])
    parking, store = bank.container.parking("thanks"), bank.container.streams()
    await store.append("transfer-p1", [event("TransferApproved")], 0)
    _, second = [one async for one in bank.container.event_store().read("transfer-p1")]
    assert await parking.holds(second)
    [ready] = [one for one in parking.parked.held.values() if one.parked.stream == "transfer-p2"]
    await parking.replay(ready.parked.event_id, "ann", "try it", actor="ann")

    async def shown(which: str) -> tuple[str, list[str], bool]:
        found = await page(bank.http, f"/console/parked?which={which}")
        places = re.findall(r"transfer-p\d@\d", found.text)
        return found.text, places, "Replay those ticked" in found.text

    failed, places, replays = await shown("failed")
    assert (places, replays) == (["transfer-p1@0"], True)
    assert "Parked events that are failed, newest first 1 event" in failed
    assert (await shown("ready"))[1:] == (["transfer-p2@0"], False)
    assert (await shown("waiting"))[1:] == (["transfer-p1@1"], False)
    assert sorted((await shown("first"))[1]) == ["transfer-p1@0", "transfer-p2@0"]
    assert len((await shown("all"))[1]) == 3
    wrong = await page(bank.http, "/console/parked?which=lost", 400)
    assert "which is one of first, failed, ready, waiting, all" in wrong.text


async def test_a_parked_event_is_discarded_for_good(bank: Bank) -> None:
    """Its page shows its error, and says that this cannot be undone."""
    await parked_in(bank, ["transfer-p1"])
    shown = await page(bank.http, "/console/parked")
    one = await page(bank.http, shown.links["TransferApproved"])
    assert "no address for transfer-p1" in one.text

    asking = await page(bank.http, one.links["Discard"])
    assert "cannot be undone" in asking.text
    await send(bank.http, form_of(asking, "parked-discard"), WHY)
    assert "Nothing is parked" in (await page(bank.http, "/console/parked")).text


async def test_without_a_ticked_event_nothing_is_asked(bank: Bank) -> None:
    """400."""
    await parked_in(bank, ["transfer-p1"])
    form = (await page(bank.http, "/console/parked")).form("/console/act/parked-selected")
    form.fields = {"form_token": form.fields["form_token"]}

    assert (await send(bank.http, form, {})).status_code == 400


@pytest.mark.parametrize(
    ("roles", "sees", "acts"),
    [(["operator"], 200, 200), (["auditor"], 200, 403), (["clerk"], 403, 403), ([], 403, 403)],
)
async def test_roles_decide_what_a_session_may_do(roles: list[str], sees: int, acts: int) -> None:
    """An operator acts, an auditor sees, and others do neither."""
    async with bank_over(empty_bank(api_token="a-token-of-sixteen")) as bank:
        site = bank.http._transport.app.state.console  # type: ignore[attr-defined]  # as above
        response = Response()
        site.sessions.keep(Session.new("ann", roles), of_localhost(), response)
        name, _, value = response.headers["Set-Cookie"].partition(";")[0].partition("=")
        bank.http.cookies.set(name, value)

        assert (await bank.http.get("/console/read-models/balances")).status_code == sees
        act = "/console/act/read-model-pause?of=balances"
        assert (await bank.http.get(act)).status_code == acts


async def test_what_an_action_does_names_issuer_and_subject(bank: Bank) -> None:
    """Its own record, and the events that it adds; the name is for people."""
    await parked_in(bank, ["transfer-p1"])
    ann = By("ann", "why not", "console", "https://id.example.org|f81d4fae")
    await bank.container.operating().carry_out(ReplayParked(Selection(everything=True)), ann)

    (found,) = (await trail(bank.container.event_browser(), bank.container.event_store())).items
    assert (found.begun.by, found.document["issuer"]) == ("ann", "https://id.example.org")
    assert found.document["subject"] == "f81d4fae"
    following = bank.container.subscriptions().catch_up(
        after=None, only=PARKING.only(ReplayRequested)
    )
    async with following as messages:
        requested = await anext(aiter(messages))
    assert isinstance(requested, RecordedEvent)
    assert requested.metadata.actor == ann.actor


def of_localhost() -> Request:
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b""}
    return Request({**scope, "headers": [(b"host", b"localhost")]})


async def test_an_action_that_its_process_breaks_off_is_recorded_as_unknown() -> None:
    """Some of it may have been done; its record says so after the process has ended."""
    async with bank_over(empty_bank()) as bank:
        await parked_in(bank, [f"transfer-p{number}" for number in range(60)])
        form = form_of(await asked(bank, "parked-replay", {}), "parked-replay")
        answer = await send(bank.http, form, WHY)
        assert answer.status_code == 303

    found = await trail(bank.container.event_browser(), bank.container.event_store())
    assert [one.outcome for one in found.items] == ["unknown"]
    assert "ended meanwhile" in found.items[0].document["detail"]
