"""Limits of requests and of failed attempts: who waits, how long, and who never does."""

import pytest

from application.access import TooManyRequests, Unidentified
from infrastructure.identity.limits import (
    BURST,
    FORGOTTEN,
    FREE,
    FREE_OF_ADDRESS,
    LONGEST,
    Attempts,
    Rate,
)
from tests.console.page import page, send  # only: console
from tests.infrastructure.test_http_problems import problem
from tests.sample.client import bank_over, empty_bank

TOKEN = "a-token-of-sixteen"
RIGHT = {"Authorization": f"Bearer {TOKEN}"}


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fails(attempts: Attempts, kind: str = "token", address: str = "192.0.2.1") -> float:
    """Fail once; the seconds that there were to wait, 0 if the attempt was made."""
    try:
        with attempts.tried(address, kind, "wrong"):
            raise Unidentified("wrong")
    except TooManyRequests as error:
        return error.retry_after
    except Unidentified:
        return 0


def succeeds(attempts: Attempts, kind: str = "token", address: str = "192.0.2.1") -> bool:
    try:
        with attempts.tried(address, kind, "right"):
            return True
    except TooManyRequests:
        return False


def test_each_identity_has_a_rate_of_its_own() -> None:
    """Ten seconds' worth at once, then so many a second; another identity is not affected."""
    clock = Clock()
    rate = Rate(5, clock)
    for _ in range(int(5 * BURST)):
        rate.take("ann")
    with pytest.raises(TooManyRequests) as refused:
        rate.take("ann")
    rate.take("bob")
    clock.now += refused.value.retry_after
    for _ in range(5):
        rate.take("ann")
    with pytest.raises(TooManyRequests):
        rate.take("ann")


def test_without_a_rate_any_number_is_answered() -> None:
    rate = Rate(0, Clock())
    for _ in range(10_000):
        rate.take("ann")


def test_the_wait_grows_with_each_failure_up_to_a_limit() -> None:
    """The first few cost nothing; then 1, 2, 4 … seconds. Attempts within the wait do not count."""
    clock = Clock()
    attempts, waited = Attempts(clock), list[float]()
    assert [fails(attempts) for _ in range(FREE + 1)] == [0] * (FREE + 1)
    for _ in range(9):
        waited.append(fails(attempts))
        assert fails(attempts) == waited[-1]
        clock.now += waited[-1]
        assert fails(attempts) == 0
    assert waited == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST]


def test_a_right_credential_works_after_the_wait_and_ends_it() -> None:
    """Nothing is locked for good; what was right once does not wait with the others."""
    clock = Clock()
    attempts = Attempts(clock)
    while not (wait := fails(attempts)):
        pass
    assert not succeeds(attempts)
    clock.now += wait
    assert succeeds(attempts)
    while not fails(attempts):
        pass
    assert succeeds(attempts)


def test_another_address_or_kind_of_credentials_does_not_wait() -> None:
    """Nobody can lock others out; an IPv6 client is its network, whatever address it takes."""
    attempts = Attempts(Clock())
    while not fails(attempts, address="2001:db8::1"):
        pass
    assert succeeds(attempts, address="192.0.2.2")
    assert succeeds(attempts, kind="key 475015c888e7", address="2001:db8::1")
    assert fails(attempts, address="2001:db8::2") > 0


def test_inventing_names_of_keys_slows_the_address_down() -> None:
    """Each made-up key is looked up in the store."""
    attempts = Attempts(Clock())
    made = [fails(attempts, f"key {number}") for number in range(FREE_OF_ADDRESS + 10)]

    assert [one > 0 for one in made].index(True) == FREE_OF_ADDRESS + 1


def test_failures_are_forgotten() -> None:
    """After some quiet time, the first attempts are free again."""
    clock = Clock()
    attempts = Attempts(clock)
    while not fails(attempts):
        pass
    clock.now += FORGOTTEN
    assert fails(attempts) == 0


def test_what_is_remembered_is_bounded() -> None:
    """However many addresses and identities there are."""
    attempts, rate = Attempts(Clock(), most=10), Rate(5, Clock(), most=10)
    for number in range(1000):
        fails(attempts, address=f"10.0.{number // 250}.{number % 250}")
        succeeds(attempts, address=f"10.1.{number // 250}.{number % 250}")
        rate.take(f"somebody {number}")

    for memory in (attempts._failures, attempts._proven, rate._free_at):
        assert len(memory._values) <= 10


async def test_too_many_requests_get_429() -> None:
    """A problem with Retry-After; health is answered as always."""
    async with bank_over(empty_bank(api_token=TOKEN, requests_per_second=0.2)) as bank:
        answers = [await bank.http.get("/metrics", headers=RIGHT) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert "0.2 requests a second" in problem(answers[-1], 429)["detail"]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert (await bank.http.get("/health/live")).status_code == 200


# only: console
async def test_wrong_tokens_wait_on_the_log_in_page_and_the_api_alike() -> None:
    """429 with Retry-After; the page is a page. The right token that was used before passes."""
    wrong = {"Authorization": "Bearer not-the-token-at-all"}
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        assert (await bank.http.get("/metrics", headers=RIGHT)).status_code == 200
        for _ in range(FREE + 1):
            problem(await bank.http.get("/metrics", headers=wrong), 401)
        refused = await bank.http.get("/metrics", headers=wrong)
        form = (await page(bank.http, "/console/log-in")).form("/console/log-in")
        shown = await send(bank.http, form, {"name": "ann", "token": "not-the-token-at-all"})

        assert problem(refused, 429)["detail"].startswith("too many attempts have failed")
        assert refused.headers["Retry-After"] == shown.headers["Retry-After"] == "1"
        assert shown.status_code == 429
        assert "Wait 1 seconds" in shown.text
        assert (await bank.http.get("/metrics", headers=RIGHT)).status_code == 200


async def test_sessions_have_the_rate_of_their_identity() -> None:
    """A page says so."""
    async with bank_over(empty_bank(api_token=TOKEN, requests_per_second=0.1)) as bank:
        form = (await page(bank.http, "/console/log-in")).form("/console/log-in")
        await send(bank.http, form, {"name": "ann", "token": TOKEN})
        await page(bank.http, "/console")
        refused = await bank.http.get("/console", headers={"Accept": "text/html"})

    assert refused.status_code == 429
    assert "too many" in refused.text
    assert refused.headers["Retry-After"]


# end: console
