"""Callers with tokens of a real identity provider, over HTTP."""

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from infrastructure.processes.catching_up import caught_up
from infrastructure.settings import InvalidSettings
from tests.infrastructure.oidc.issuing import OTHER_RSA_KEY, token
from tests.infrastructure.test_http_problems import problem
from tests.sample.client import Bank, bank_over, empty_bank
from tests.servers.oidc import AUDIENCE, CLIENT
from tests.waiting import PATIENCE


def signed(issuer: str, scope: str) -> dict[str, str]:
    """The header with a token of the provider that gives these roles."""
    name, secret = CLIENT
    form = {"grant_type": "client_credentials", "resource": AUDIENCE, "scope": scope}
    form |= {"client_id": name, "client_secret": secret}
    with urlopen(Request(f"{issuer}/token", urlencode(form).encode())) as answer:
        return {"Authorization": f"Bearer {json.load(answer)['access_token']}"}


@pytest.fixture
async def bank(oidc: str) -> AsyncIterator[Bank]:
    """A bank that believes this provider, which lists roles as scopes."""
    known = {"oidc_issuers": oidc, "oidc_audience": AUDIENCE, "oidc_roles_claim": "scope"}
    async with bank_over(empty_bank(**known)) as bank:
        yield bank


async def test_a_token_gives_name_and_roles(bank: Bank, oidc: str) -> None:
    """The events name subject and provider; a role that the token lacks is missed."""
    teller, auditor = signed(oidc, "teller"), signed(oidc, "auditor")
    done = await bank.post("/accounts/a/deposits", {"amount": 5}, teller)
    refused = await bank.post("/accounts/a/deposits", {"amount": 5}, auditor)

    events = [past async for past in bank.container.event_store().read("account-a")]
    await caught_up(bank.container, patience=PATIENCE)
    assert done.status_code == 201
    assert [past.metadata.actor for past in events] == [f"{oidc}|{CLIENT[0]}"]
    assert "teller" in problem(refused, 403)["detail"]
    assert (await bank.get("/accounts/a", auditor)).json()["balance"] == 5
    assert (await bank.get("/metrics", auditor)).status_code == 200
    assert (await bank.get("/metrics", teller)).status_code == 403


async def test_a_token_of_nobody_is_refused(bank: Bank, oidc: str) -> None:
    """401 with the reason, and the challenge of the standard."""
    for given in (token(), token(OTHER_RSA_KEY, iss=oidc, name="of-this-start"), "made-up"):
        answer = await bank.get("/accounts/a", {"Authorization": f"Bearer {given}"})
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_without_the_provider_nobody_is_identified() -> None:
    """503, since it is not known whether the caller may; health is answered as always."""
    away = "http://127.0.0.1:1"
    async with bank_over(empty_bank(oidc_issuers=away, oidc_audience=AUDIENCE)) as bank:
        answer = await bank.get("/accounts/a", {"Authorization": f"Bearer {token(iss=away)}"})
        assert "identity provider" in problem(answer, 503)["detail"]
        assert answer.headers["Retry-After"] == "10"
        assert (await bank.get("/health/live")).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {"oidc_issuers": "https://id.example.org"},
        {"oidc_audience": AUDIENCE},
        {"oidc_issuers": "http://id.example.org", "oidc_audience": AUDIENCE},
        {"oidc_issuers": "https://id.example.org?x", "oidc_audience": AUDIENCE},
        {
            "oidc_issuers": "https://id.example.org",
            "oidc_audience": AUDIENCE,
            "oidc_roles_claim": "",
        },
    ],
)
def test_settings_that_identify_nobody_are_refused(given: dict[str, str]) -> None:
    """An issuer without an audience, and one whose keys others could change on their way."""
    with pytest.raises((ValueError, InvalidSettings)):
        empty_bank(**given)


def test_off_the_loopback_a_provider_is_enough() -> None:
    """One of token and provider has to be there."""
    known = {"oidc_issuers": "https://id.example.org", "oidc_audience": AUDIENCE}
    assert empty_bank(http_host="0.0.0.0", **known)
    with pytest.raises(ValueError, match="OIDC_ISSUERS"):
        empty_bank(http_host="0.0.0.0")
