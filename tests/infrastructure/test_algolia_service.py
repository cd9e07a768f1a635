"""A service whose searches are in Algolia: what it answers, and what happens while that is away."""

from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Any

import pytest
from dependency_injector import providers

from infrastructure import memory
from infrastructure.connecting import opened_to_serve
from infrastructure.container import Container
from infrastructure.searching import read_side
from infrastructure.settings import InvalidSettings
from tests.algolia import KEY, NAME, Fault, Recorded
from tests.sample.client import Bank, bank_over, empty_bank


@pytest.fixture
async def server() -> AsyncIterator[Recorded]:
    async with Recorded.started() as server:
        yield server


def bank_on(server: Recorded, **changed: Any) -> Container:
    """A bank in memory, but for its searches."""
    settings = {
        "search": "algolia",
        "algolia_application_id": NAME,
        "algolia_api_key": KEY,
        "algolia_hosts": tuple(server.addresses),
    }
    container = empty_bank(**{**settings, **changed})
    others = providers.Callable(nullcontext, providers.Singleton(memory.read_side, container.given))
    container.open_views.override(
        providers.Callable(read_side, others, container.apart, container.open_search.provider)
    )
    return container


async def found(bank: Bank, words: str) -> list[str]:
    answer = await bank.get(f"/payees?words={words}")
    assert answer.status_code == 200, answer.text
    return [one["account_id"] for one in answer.json()["payees"]]


async def test_payees_are_found_in_algolia(server: Recorded) -> None:
    """Over HTTP, and the name of the read model leads other programs to them."""
    async with bank_over(bank_on(server)) as bank:
        await bank.requested(target="a-2", amount=3, notes=["Móveis"])
        await bank.requested(target="a-3", amount=5, notes=["moveis de jardim"])

        assert await found(bank, "moveis") == ["a-3", "a-2"]
        assert await found(bank, "JARD") == ["a-3"]
    assert {*server.held.indexes["headwater-payee_search"].records} == {"a-2", "a-3"}


async def test_all_else_goes_on_without_algolia(server: Recorded) -> None:
    """Searches get 503 with the reason, commands and other queries are answered, and the service
    is ready. What has happened is found once Algolia is back."""
    async with bank_over(bank_on(server)) as bank:
        await bank.requested(target="a-2", notes=["before"])
        assert await found(bank, "before") == ["a-2"]

        server.faults = [Fault(status=503)] * 100_000
        await bank.http.post("/transfers", json={"source": "a-1", "target": "a-3", "amount": 1})
        answer = await bank.http.get("/payees?words=before")
        assert (answer.status_code, KEY in answer.text) == (503, False)
        assert "does not answer" in answer.text
        assert (await bank.http.get("/transfers")).status_code == 200
        assert (await bank.http.get("/health/ready")).status_code == 200

        server.faults = []
        await bank.requested(target="a-4", notes=["after"])
        assert await found(bank, "after") == ["a-4"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"algolia_api_key": "f" * 32}, r"HEADWATER_ALGOLIA_API_KEY: .*403.*: set a key of HEAD"),
        ({"algolia_application_id": "OTHER"}, "HEADWATER_ALGOLIA_API_KEY: Algolia appl.* OTHER"),
    ],
)
async def test_a_key_that_is_refused_stops_the_start(
    server: Recorded, changed: dict[str, str], sentence: str
) -> None:
    """With the name of the setting and what the key has to be allowed."""
    with pytest.raises(InvalidSettings, match=sentence) as refused:
        async with opened_to_serve(bank_on(server, **changed)):
            pass
    assert KEY not in str(refused.value)


async def test_another_server_stops_the_start(server: Recorded) -> None:
    """Where something answers that is not Algolia, waiting does not help."""
    server.faults = [Fault(status=404, message="no such page")]
    with pytest.raises(InvalidSettings, match=r"HEADWATER_ALGOLIA_HOSTS: .*: unset it, or name"):
        async with opened_to_serve(bank_on(server)):
            pass


async def test_an_algolia_that_is_away_does_not_stop_the_start() -> None:
    """The views there are behind, and all else works."""
    nowhere = Recorded(addresses=["http://127.0.0.1:9"])
    async with bank_over(bank_on(nowhere), projects=False) as bank:
        assert (await bank.http.get("/payees?words=x")).status_code == 503
        assert (await bank.http.get("/transfers")).status_code == 200
