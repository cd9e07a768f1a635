"""API keys over HTTP: what a machine may do by its key, and when the key no longer counts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from dependency_injector import providers

from application.api_keys import API_KEYS, IssueKey, KeyText, RevokeKey, digest
from application.messages import RecordedEvent
from application.ports import StoreUnavailable
from infrastructure.identity import Callers
from infrastructure.identity.keys import FRESH, ApiKeys
from tests.infrastructure.test_http_problems import Broken, problem
from tests.sample.client import Bank, bank_over, empty_bank

DEPOSIT = {"amount": 5}


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bank(clock: Clock) -> AsyncIterator[Bank]:
    """A bank that accepts keys."""
    container = empty_bank(api_keys=True)
    container.callers.override(
        providers.Object(Callers([ApiKeys(lambda: container.event_store(), clock)]))
    )
    async with bank_over(container) as bank:
        yield bank


async def issued(bank: Bank, *roles: str, for_seconds: float = 60) -> KeyText:
    """A key with these roles."""
    key, until = KeyText.new(), datetime.now(UTC) + timedelta(seconds=for_seconds)
    command = IssueKey(name="m", roles=roles, digest=digest(key.secret), expires_at=until)
    await bank.dispatch(key.id, command, API_KEYS)
    return key


def by(key: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def actors(bank: Bank, stream: str) -> list[str]:
    read: AsyncIterator[RecordedEvent] = bank.container.event_store().read(stream)
    return [past.metadata.actor async for past in read]


async def test_a_key_gives_its_roles_and_no_others(bank: Bank) -> None:
    """The events name the key; a role that it lacks is missed."""
    teller, auditor = await issued(bank, "teller"), await issued(bank, "auditor")

    assert (await bank.post("/accounts/a/deposits", DEPOSIT, by(teller))).status_code == 201
    problem(await bank.post("/accounts/a/deposits", DEPOSIT, by(auditor)), 403)
    assert (await bank.get("/accounts/a", by(auditor))).json()["balance"] == 5
    assert await actors(bank, "account-a") == [f"key m ({teller.id})"]


async def test_without_a_key_there_is_no_answer(bank: Bank) -> None:
    """Nor with a key of another secret, with one that was never issued, or with no key at all."""
    key = await issued(bank, "teller")
    for wrong in (KeyText(key.id, KeyText.new().secret), KeyText.new(), "hwk_", "hwk_x_y", "other"):
        told = problem(await bank.get("/accounts/a", by(wrong)), 401)
        assert str(wrong) not in told["detail"]
    problem(await bank.get("/accounts/a"), 401)


async def test_an_expired_key_is_refused(bank: Bank) -> None:
    """From the moment on which it names."""
    key = await issued(bank, "auditor", for_seconds=-1)

    assert "expired" in problem(await bank.get("/accounts/a", by(key)), 401)["detail"]


async def test_a_revoked_key_is_refused_within_seconds(bank: Bank, clock: Clock) -> None:
    """It may count for as long as it is remembered."""
    key = await issued(bank, "auditor")
    assert (await bank.get("/metrics", by(key))).status_code == 200

    await bank.dispatch(key.id, RevokeKey(reason="leaked"), API_KEYS)
    clock.now += FRESH + 1

    assert "revoked" in problem(await bank.get("/metrics", by(key)), 401)["detail"]


async def test_two_keys_may_choose_the_same_idempotency_key(bank: Bank) -> None:
    """Each gets an answer of its own."""
    one, other = await issued(bank, "teller"), await issued(bank, "teller")
    for key in (one, other, one):
        headers = {**by(key), "Idempotency-Key": "k"}
        assert (await bank.post("/accounts/a/deposits", DEPOSIT, headers)).status_code == 201

    assert await actors(bank, "account-a") == [f"key m ({key.id})" for key in (one, other)]


async def test_without_the_store_no_key_is_known(bank: Bank) -> None:
    """503: the key may be good; a key that was read before counts meanwhile."""
    key, other = await issued(bank, "auditor"), await issued(bank, "auditor")
    assert (await bank.get("/metrics", by(key))).status_code == 200

    with bank.container.event_store.override(providers.Object(Broken(StoreUnavailable("away")))):
        assert (await bank.http.get("/metrics", headers=by(other))).status_code == 503
        assert (await bank.http.get("/metrics", headers=by(key))).status_code == 200
