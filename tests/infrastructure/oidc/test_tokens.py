"""Tokens of identity providers: which prove who sends a request, and which do not."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given as examples
from hypothesis import strategies as st

from infrastructure.oidc import InvalidToken, Provider, Tokens
from tests.infrastructure.oidc.issuing import (
    AUDIENCE,
    EC_KEY,
    ISSUER,
    OTHER_RSA_KEY,
    RSA_KEY,
    Issuing,
    published,
    token,
)

OTHER = "https://other.example.org"


def tokens(*providers: Issuing) -> Tokens:
    known = providers or (Issuing(),)
    return Tokens([Provider(one.issuer, one.fetch) for one in known], AUDIENCE)


@pytest.mark.parametrize(
    "given",
    [
        lambda: token(),
        lambda: token(EC_KEY, "ES256", "e1"),
        lambda: token(name=None),
        lambda: token(aud=["another", AUDIENCE]),
        lambda: token(exp=int(time.time()) - 10),
        lambda: token(nbf=int(time.time()) + 10),
    ],
    ids=["RSA", "EC", "without the name of a key", "for others too", "clock behind", "ahead"],
)
async def test_a_token_says_who_it_is_about(given: Callable[[], str]) -> None:
    """The subject and the provider; clocks may differ by half a minute."""
    found = await tokens().subject(given())

    assert (found.issuer, found.subject) == (ISSUER, "alice")
    assert found.actor == f"{ISSUER}|alice"


def unsigned(**header: Any) -> str:
    """A token whose header is this, and whose signature is empty."""
    head, body, _ = token().split(".")
    decoded = json.loads(base64.urlsafe_b64decode(head + "=="))
    return f"{_encoded({**decoded, **header})}.{body}."


def with_public_key_as_password() -> str:
    """A token whose signature is made with what everybody can read."""
    head, body = _encoded({"alg": "HS256", "kid": "r1"}), token().split(".")[1]
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made = hmac.new(pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def _encoded(header: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()


def _with_another_subject() -> str:
    head, _, signature = token().split(".")
    return ".".join((head, token(sub="root").split(".")[1], signature))


def _made_up(parts: tuple[str, bytes, str]) -> str:
    """Some JSON as the header, some bytes as the claims."""
    head, body, signature = parts
    claims = base64.urlsafe_b64encode(body).decode()
    return f"{_encoded({'alg': head, 'kid': signature})}.{claims}.{signature}"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (lambda: token(OTHER_RSA_KEY), "signature"),
        (lambda: _with_another_subject(), "signature"),
        (lambda: token(EC_KEY, "ES256", "r1"), "no such key for ES256"),
        (lambda: token(name="r9"), "no such key"),
        (lambda: token(exp=int(time.time()) - 60), "expired"),
        (lambda: token(nbf=int(time.time()) + 60), "not valid yet"),
        (lambda: token(iat=int(time.time()) + 60), "not valid yet"),
        (lambda: token(exp=None), "lacks"),
        (lambda: token(sub=None), "lacks"),
        (lambda: token(aud=None), "lacks"),
        (lambda: token(aud="https://elsewhere.example"), "not meant"),
        (lambda: token(iss=OTHER), "issuer"),
        (lambda: token(iss=None), "issuer"),
        (lambda: token(sub=""), "subject"),
        (lambda: token(sub="a" * 256), "subject"),
        (lambda: token(sub="alice\nroot"), "subject"),
        (lambda: unsigned(alg="none"), "RS256 or ES256"),
        (lambda: unsigned(alg="None"), "RS256 or ES256"),
        (lambda: unsigned(alg=["RS256"]), "RS256 or ES256"),
        (lambda: unsigned(), "signature"),
        (lambda: with_public_key_as_password(), "RS256 or ES256"),
        (lambda: unsigned(crit=["exp"]), "not a signed"),
        (lambda: unsigned(jwk=published("r1", OTHER_RSA_KEY)), "signature"),
        (lambda: "a.b.c", "not a signed"),
        (lambda: "", "not a signed"),
        (lambda: f"{token()}.x", "not a signed"),
        (lambda: "x" * 8193, "8,192"),
    ],
)
async def test_what_proves_nothing_is_refused(given: Callable[[], str], reason: str) -> None:
    """Forged, expired, unsigned, for another service: the reason repeats nothing of the token."""
    with pytest.raises(InvalidToken, match=reason) as refused:
        await tokens().subject(given())

    assert "alice" not in str(refused.value)


async def test_each_provider_answers_for_its_own_tokens_only() -> None:
    """One known provider cannot sign in the name of another."""
    other = Issuing(OTHER, [published("r1", OTHER_RSA_KEY)])
    both = tokens(Issuing(), other)

    assert (await both.subject(token(OTHER_RSA_KEY, iss=OTHER))).issuer == OTHER
    with pytest.raises(InvalidToken, match="signature"):
        await both.subject(token(OTHER_RSA_KEY))


async def test_a_key_for_encryption_verifies_nothing() -> None:
    """A provider may publish keys for other uses, and kinds of keys that are not known here."""
    keys = [published("r1", RSA_KEY, use="enc"), {"kty": "oct", "k": "c2VjcmV0", "kid": "r1"}, "?"]
    with pytest.raises(InvalidToken, match="no such key"):
        await tokens(Issuing(keys=keys)).subject(token())  # type: ignore[arg-type]  # on purpose


@examples(st.text() | st.tuples(st.text(), st.binary(), st.text()).map(_made_up))
async def test_no_text_breaks_the_service(text: str) -> None:
    """Whatever is sent as a token: it is refused."""
    with pytest.raises(InvalidToken):
        await tokens().subject(text)
