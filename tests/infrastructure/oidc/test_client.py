"""The authorization code flow: what is sent, and every answer that is not the one to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from application.access import IdentityUnavailable
from infrastructure.oidc import Attempt, Client, LogInRefused, Provider
from tests.infrastructure.oidc.issuing import ISSUER, OTHER_RSA_KEY, Issuing, token

KEY = b"a key of the sessions"
MINE = Attempt.of(KEY, "state-of-mine")
CALLBACK = "https://orders.example.org/console/log-in/callback"
PAGES = {f"{name}_endpoint": f"{ISSUER}/{name}" for name in ("authorization", "token")}


@dataclass
class Exchange:
    """The token endpoint of a provider: its answer, and what it was sent."""

    answer: Mapping[str, Any]
    status: int = 200
    sent: dict[str, str] = field(default_factory=dict)
    authorization: str | None = None

    async def __call__(
        self, _: str, form: Mapping[str, str], authorization: str | None
    ) -> tuple[int, Mapping[str, Any]]:
        self.sent, self.authorization = dict(form), authorization
        return self.status, self.answer


def id_token(**changed: Any) -> Mapping[str, Any]:
    return {"id_token": token(**{"aud": "console", "nonce": MINE.nonce, **changed})}


def client(
    exchange: Exchange, about: Mapping[str, Any] = PAGES, secret: str | None = "s:cret"
) -> Client:
    provider = Provider(ISSUER, Issuing(about={**PAGES, **about}).fetch)
    return Client(provider, "console", secret, CALLBACK, exchange)


def came_back(**changed: str) -> dict[str, str]:
    return {"state": MINE.state, "code": "c-1", "iss": ISSUER, **changed}


async def test_a_browser_is_sent_with_all_that_binds_the_answer_to_it() -> None:
    """State, nonce, the S256 challenge, and the redirect URI of the settings."""
    address = urlsplit(await client(Exchange({})).log_in_address(MINE))
    sent = {name: value for name, (value,) in parse_qs(address.query).items()}

    assert f"{address.scheme}://{address.netloc}{address.path}" == PAGES["authorization_endpoint"]
    assert sent["redirect_uri"] == CALLBACK
    assert (sent["state"], sent["nonce"]) == (MINE.state, MINE.nonce)
    assert (sent["code_challenge"], sent["code_challenge_method"]) == (MINE.challenge, "S256")
    assert MINE.verifier not in address.query


async def test_a_code_is_exchanged_with_its_verifier_and_the_secret() -> None:
    """The secret is in the header, encoded as the standard says, unless forms alone are taken."""
    exchange = Exchange(id_token())
    found = await client(exchange).subject(MINE, came_back())

    assert found.actor == f"{ISSUER}|alice"
    assert exchange.sent["code_verifier"] == MINE.verifier
    assert exchange.authorization == "Basic Y29uc29sZTpzJTNBY3JldA=="
    ways = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await client(exchange, ways).subject(MINE, came_back())
    assert exchange.sent["client_secret"] == "s:cret"
    await client(exchange, secret=None).subject(MINE, came_back())
    assert (exchange.sent["client_id"], "client_secret" in exchange.sent) == ("console", False)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": "of-another"}, "not the answer"),
        ({"state": ""}, "not the answer"),
        ({"iss": "https://evil.example"}, "another identity provider"),
        ({"code": ""}, "no code"),
        ({"error": "access_denied"}, "you may not"),
        ({"error": "<script>"}, "has refused it"),
    ],
)
async def test_another_answer_is_refused(changed: dict[str, str], why: str) -> None:
    """Before the code is sent to anybody, and without a word of the answer."""
    exchange = Exchange(id_token())
    with pytest.raises(LogInRefused, match=why) as refused:
        await client(exchange).subject(MINE, came_back(**changed))

    assert exchange.sent == {}
    assert "script" not in str(refused.value)


async def test_a_provider_that_names_itself_cannot_be_left_out() -> None:
    """RFC 9207: else the answer of another provider, without a name, would pass."""
    answer = came_back()
    del answer["iss"]
    promised = {"authorization_response_iss_parameter_supported": True}

    assert await client(Exchange(id_token())).subject(MINE, answer)
    with pytest.raises(LogInRefused, match="another identity provider"):
        await client(Exchange(id_token()), promised).subject(MINE, answer)


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": Attempt.of(KEY, "another").nonce},
        {"nonce": None},
        {"nonce": 7},
        {"aud": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"azp": "another-client"},
        {"key": OTHER_RSA_KEY},
        {"sub": ""},
    ],
)
async def test_an_id_token_of_something_else_is_refused(changed: dict[str, Any]) -> None:
    """Another log-in, client, provider or key; or one that has expired."""
    with pytest.raises(LogInRefused, match="ID token"):
        await client(Exchange(id_token(**changed))).subject(MINE, came_back())


@pytest.mark.parametrize(
    ("exchange", "why"),
    [
        (Exchange({"error": "invalid_grant"}, 400), "log in again"),
        (Exchange({"error": "invalid_client"}, 401), "client id and secret"),
        (Exchange({"access_token": "no id token"}), "log in again"),
    ],
)
async def test_a_code_that_is_not_taken_logs_nobody_in(exchange: Exchange, why: str) -> None:
    """It was used before, or has expired; or the settings are wrong."""
    with pytest.raises(LogInRefused, match=why):
        await client(exchange).subject(MINE, came_back())


async def test_a_provider_that_fails_says_nothing_about_the_person() -> None:
    """503, not a refusal; the same for one whose pages are not safe."""
    with pytest.raises(IdentityUnavailable):
        await client(Exchange({}, 502)).subject(MINE, came_back())
    unsafe = {"authorization_endpoint": "http://id.example.org/auth"}
    with pytest.raises(IdentityUnavailable):
        await client(Exchange({}), unsafe).log_in_address(MINE)
