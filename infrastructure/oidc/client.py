"""People log in with a browser: the authorization code flow with PKCE (RFC 6749, 7636, 9207).

The browser is led to the provider, and comes back with a code. The service exchanges it for an ID
token, which is verified as the token of every request is; its audience is the client.
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import aiohttp

from application.access import IdentityUnavailable, Unidentified
from infrastructure.oidc.provider import Provider, answered
from infrastructure.oidc.tokens import InvalidToken, Subject, Tokens
from infrastructure.settings.values import is_private

_SCOPE: Final = "openid profile email"

Exchange = Callable[[str, Mapping[str, str], str | None], Awaitable[tuple[int, Mapping[str, Any]]]]
"""Sends a form, with an ``Authorization`` header or without. Returns status and JSON object."""


class LogInRefused(Unidentified):
    """The log-in has failed. The message says why, without quoting the answer."""


async def exchanged(
    uri: str, form: Mapping[str, str], authorization: str | None
) -> tuple[int, Mapping[str, Any]]:
    """Raises :class:`IdentityUnavailable`."""
    headers = {"Accept": "application/json"}
    if authorization:
        headers["Authorization"] = authorization
    return await answered("POST", uri, data=dict(form), headers=headers)


@dataclass(frozen=True)
class Attempt:
    """One log-in that is under way. Its secrets are made of ``state`` and a key."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, key: bytes, state: str) -> Self:
        """The same for the same state, so that only the state has to be kept."""

        def made(purpose: str) -> str:
            return _text(hmac.digest(key, f"{purpose} of {state}".encode(), hashlib.sha256))

        return cls(state, made("nonce"), made("verifier"))

    @property
    def challenge(self) -> str:
        return _text(hashlib.sha256(self.verifier.encode()).digest())


@dataclass(frozen=True)
class Client:
    """This service as a provider knows it. Without a secret, it is a public client."""

    provider: Provider
    id: str
    secret: str | None
    redirect_uri: str
    exchange: Exchange = exchanged

    async def log_in_address(self, attempt: Attempt) -> str:
        """Where the provider asks who a person is. Raises :class:`IdentityUnavailable`."""
        given = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": _SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _with(await self._endpoint("authorization_endpoint"), given)

    async def log_out_address(self) -> str | None:
        """Where the provider ends its session, if it has such a page.

        Raises :class:`IdentityUnavailable`.
        """
        if not (await self.provider.about()).get("end_session_endpoint"):
            return None
        return _with(await self._endpoint("end_session_endpoint"), {"client_id": self.id})

    async def subject(self, attempt: Attempt, answer: Mapping[str, str]) -> Subject:
        """Who has logged in, by the parameters with which the browser has come back.

        Raises :class:`LogInRefused` and :class:`IdentityUnavailable`.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise LogInRefused("it is not the answer to the log-in that was begun here")
        await self._require_own_issuer(answer.get("iss"))
        if "error" in answer:
            raise LogInRefused(_ERRORS.get(answer["error"], "the identity provider has refused it"))
        if not answer.get("code"):
            raise LogInRefused("the identity provider has sent no code")
        return await self._verified(attempt, await self._id_token(attempt, answer["code"]))

    async def _require_own_issuer(self, named: str | None) -> None:
        """RFC 9207: a provider that says that it names itself does so in each answer."""
        promised = (await self.provider.about()).get(
            "authorization_response_iss_parameter_supported"
        )
        if (named is None and promised) or named not in (None, self.provider.issuer):
            raise LogInRefused("it is the answer of another identity provider")

    async def _id_token(self, attempt: Attempt, code: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        uri, authorization = await self._endpoint("token_endpoint"), None
        if self.secret is None:
            form["client_id"] = self.id
        elif await self._takes_secrets_in_forms_alone():
            form |= {"client_id": self.id, "client_secret": self.secret}
        else:
            authorization = aiohttp.encode_basic_auth(_encoded(self.id), _encoded(self.secret))
        status, found = await self.exchange(uri, form, authorization)
        token = found.get("id_token")
        if status == HTTPStatus.OK and isinstance(token, str):
            return token
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise IdentityUnavailable(f"{uri}: status {status}")
        if found.get("error") == "invalid_client":
            raise LogInRefused("the identity provider does not take this client id and secret")
        raise LogInRefused("the code has been used, or has expired: log in again")

    async def _verified(self, attempt: Attempt, token: str) -> Subject:
        try:
            found = await Tokens([self.provider], self.id).subject(token)
        except InvalidToken as error:
            raise LogInRefused(f"the ID token is not valid: {error}") from error
        nonce, party = found.claims.get("nonce"), found.claims.get("azp", self.id)
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode(), attempt.nonce.encode()
        ):
            raise LogInRefused("the ID token is of another log-in")
        if party != self.id:
            raise LogInRefused("the ID token was made for another client")
        return found

    async def _endpoint(self, name: str) -> str:
        found = (await self.provider.about()).get(name)
        if not isinstance(found, str) or not is_private(found):
            raise IdentityUnavailable(
                f"{self.provider.issuer} has no safe {name}, but {found!r:.200}"
            )
        return found

    async def _takes_secrets_in_forms_alone(self) -> bool:
        ways = (await self.provider.about()).get("token_endpoint_auth_methods_supported", [])
        return "client_secret_post" in ways and "client_secret_basic" not in ways


def _with(uri: str, given: Mapping[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(given)}"


def _encoded(text: str) -> str:
    """As RFC 6749 has it for the two parts of the header."""
    return quote(text, safe="")


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


_ERRORS: Final[Mapping[str, str]] = {
    "access_denied": "the identity provider says that you may not, or you have broken it off",
    "login_required": "the identity provider says that you are not logged in there",
    "temporarily_unavailable": "the identity provider cannot do it now: try again",
    "server_error": "the identity provider has failed: try again",
    "unauthorized_client": "the identity provider does not let this client log people in",
    "invalid_scope": "the identity provider does not know the scopes openid, profile and email",
}
