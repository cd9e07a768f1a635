"""What comes in over HTTP: whatever it is, it is understood whole, or refused in words."""

import pytest

from infrastructure.container import in_memory
from infrastructure.settings import InvalidSettings, Settings, load
from tests.infrastructure.door_laws import *  # noqa: F403 - every law is a test of this suite
from tests.infrastructure.door_laws import of
from tests.infrastructure.test_http_problems import problem
from tests.sample.client import TRANSFER, Bank, bank_over, empty_bank
from tests.sample.program import BANK

pytest_generate_tests = of(BANK, ids={"transfer_id": "t-1", "account_id": "a-1"})


@pytest.fixture
def client(bank: Bank) -> Bank:
    """Whose routes these are."""
    return bank


@pytest.fixture
def client_on_servers(bank_on_servers: Bank) -> Bank:
    """The same, on each event store."""
    return bank_on_servers


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/transfers?source=%00", "query.source"),
        ("/transfers?after=%00", "query.after"),
        ("/payees?words=%ff", "query.words"),
        ("/accounts/%00", "path"),
        ("/statements/%ed%a0%80", "path"),
    ],
)
async def test_what_is_no_text_is_refused_by_the_name_of_its_place(
    bank: Bank, url: str, field: str
) -> None:
    """422 for NUL and for bytes that are no UTF-8."""
    told = problem(await bank.http.get(url), 422)

    assert [error["field"] for error in told["errors"]] == [field]


async def test_text_is_composed_at_the_door(bank: Bank) -> None:
    """Who writes é as e and an accent finds what was written é, and the other way round."""
    transfer = await bank.requested(notes=["Mo\u0301veis"])

    assert (await bank.get(transfer)).json()["note"] == "Móveis"
    for spelt in ("Mo%CC%81veis", "M%C3%B3veis"):
        assert len((await bank.get(f"/payees?words={spelt}")).json()["payees"]) == 1


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example"])
async def test_a_name_that_is_not_ours_is_refused(bank: Bank, host: str) -> None:
    """400 for a page whose own name leads here, for questions and for commands."""
    for method, path in (("GET", "/transfers"), ("GET", "/docs"), ("GET", "/health/live")):
        answer = await bank.http.request(method, path, headers={"Host": host})
        assert "HEADWATER_TRUSTED_HOSTS" in problem(answer, 400)["detail"]
    await bank.http.post("/transfers", json=TRANSFER, headers={"Host": host})
    assert (await bank.get("/transfers")).json()["transfers"] == []


async def test_the_loopback_and_what_is_configured_are_our_names() -> None:
    """With and without port, in any case; a star stands for all names below."""
    settings = load(Settings, trusted_hosts="bank.example, *.inside.example")
    async with bank_over(in_memory(BANK, settings)) as bank:
        for host in (
            *("localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]", "[::1]:80", "localhost."),
            *("bank.example", "a.inside.example:8000", "b.a.inside.example"),
        ):
            assert (await bank.http.get("/health/live", headers={"Host": host})).is_success, host
        for host in ("inside.example", "a.bank.example"):
            problem(await bank.http.get("/health/live", headers={"Host": host}), 400)


def test_a_name_is_configured_without_scheme_and_port() -> None:
    """The setting says what would be right."""
    with pytest.raises(InvalidSettings, match="HEADWATER_TRUSTED_HOSTS"):
        load(Settings, trusted_hosts="https://bank.example")
    assert empty_bank(http_host="bank.lan", api_token="x" * 16).settings().own_names == (
        "bank.lan",
    )
