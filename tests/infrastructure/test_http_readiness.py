"""Ready means: what is asked now is answered rightly, and commands are taken."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from dependency_injector import providers

from application.messages import NewEvent
from application.ports import Appended, ProviderUnavailable, StoreUnavailable
from infrastructure import memory
from tests.infrastructure.test_http_backpressure import behind
from tests.infrastructure.test_http_consistency import nobody_projects
from tests.infrastructure.test_http_problems import problem
from tests.sample.client import TRANSFER, bank_over, empty_bank
from tests.sample.gift_cards import GiftCards
from tests.sample.outside import Outside
from tests.sample.service import SAMPLE


class ReadOnly(memory.EventStore):
    """A store that answers reads and takes no appends while ``refusing``."""

    refusing = True

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        if self.refusing:
            raise StoreUnavailable("cannot execute INSERT in a read-only transaction")
        return await super().append(stream, events, expected_version)


@dataclass
class Stalled:
    """A consumer group that is at work and gets nowhere."""

    stalled: str | None


class Away(GiftCards):
    """An issuer that cannot be reached."""

    def __init__(self) -> None:
        pass

    async def find(self, key: str) -> None:
        raise ProviderUnavailable(f"nobody answers, also not about {key}")


async def test_a_store_that_takes_no_appends_makes_it_unready() -> None:
    """Before the first command, and until appends are taken again."""
    container = empty_bank()
    store = ReadOnly(SAMPLE.catalogue)
    container.streams.override(providers.Object(store))
    async with bank_over(container) as bank:
        told = problem(await bank.get("/health/ready"), 503)
        assert "read-only" in told["checks"]["event store"]

        store.refusing = False

        assert (await bank.get("/health/ready")).status_code == 200


async def test_a_group_that_gets_nowhere_makes_it_unready() -> None:
    """With the reason, until somebody has mended what holds it up."""
    container = empty_bank()
    async with bank_over(container) as bank:
        stalled = Stalled("parking-money_transfer lacks version 0")
        container.working().watch("transfers", stalled)
        told = problem(await bank.get("/health/ready"), 503)
        assert told["checks"]["tasks"] == "transfers: parking-money_transfer lacks version 0"

        stalled.stalled = None

        assert (await bank.get("/health/ready")).status_code == 200


async def test_probes_that_were_deleted_are_no_fault() -> None:
    """Whoever tidies up the store does not take the service out of service."""
    container = empty_bank()
    store = ReadOnly(SAMPLE.catalogue)
    container.streams.override(providers.Object(store))
    async with bank_over(container) as bank:
        store.refusing = False
        assert (await bank.get("/health/ready")).status_code == 200
        store.delete(f"probe-{socket.gethostname()}")
        store.refusing = True
        await bank.post("/transfers", TRANSFER)
        store.refusing = False

        assert (await bank.get("/health/ready")).status_code == 200


async def test_while_commands_are_refused_it_is_not_ready() -> None:
    """Backpressure that refuses commands is named, and passes with its cause."""
    container = empty_bank()
    async with bank_over(container) as bank:
        await bank.get("/health/ready")
        behind(bank, 40)
        assert (await bank.post("/transfers", TRANSFER)).status_code == 503
        told = problem(await bank.http.get("/health/ready"), 503)
        assert "transfer_summary is 40 s behind" in told["checks"]["commands"]

        behind(bank, 1)

        assert (await bank.get("/health/ready")).status_code == 200


async def test_a_provider_that_is_away_is_named_and_orders_are_taken_all_the_same() -> None:
    """Ready, with the provider's trouble in the checks: sagas wait for it."""
    container = empty_bank()
    container.outside.override(providers.Object(Outside(Away())))
    async with bank_over(container) as bank:
        answer = await bank.get("/health/ready")

        assert answer.status_code == 200
        assert "nobody answers" in answer.json()["checks"]["gift cards"]
        assert answer.json()["checks"]["event store"] == "ok"
        assert (await bank.post("/transfers", TRANSFER)).status_code == 201


async def test_what_a_view_may_lack_is_not_said_to_be_unknown() -> None:
    """503 and `Retry-After` while events are missing; 404 once the view has taken them all in."""
    async with nobody_projects() as bank:
        placed = await bank.requested()
        answer = await bank.http.get(placed)
        assert problem(answer, 503)["type"] == "urn:headwater:problem:not-known-yet"
        assert answer.headers["Retry-After"]
        assert (await bank.http.get("/statements/a-1")).status_code == 503
        assert (await bank.http.get("/accounts/a-1")).status_code == 503

    async with bank_over(empty_bank()) as bank:
        assert (await bank.get("/transfers/none")).status_code == 404
