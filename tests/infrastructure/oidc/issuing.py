"""An identity provider as a value: its keys, its tokens, and what it publishes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from application.access import IdentityUnavailable

ISSUER: Final = "https://id.example.org"
AUDIENCE: Final = "https://headwater.example"
RSA_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY: Final = ec.generate_private_key(ec.SECP256R1())

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def published(name: str, key: Key, **more: str) -> dict[str, Any]:
    """The public part, as a JSON Web Key."""
    if isinstance(key, rsa.RSAPrivateKey):
        found = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        found = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": name, "use": "sig", **more}


@dataclass
class Issuing:
    """A provider that answers in this process. While it is ``away`` it does not."""

    issuer: str = ISSUER
    keys: list[dict[str, Any]] = field(
        default_factory=lambda: [published("r1", RSA_KEY), published("e1", EC_KEY)]
    )
    away: bool = False
    asked: int = 0
    about: dict[str, Any] = field(default_factory=dict)

    async def fetch(self, uri: str) -> Mapping[str, Any]:
        self.asked += 1
        if self.away:
            raise IdentityUnavailable(f"{uri}: no answer")
        if uri.endswith("/.well-known/openid-configuration"):
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks", **self.about}
        return {"keys": self.keys}


def token(
    key: Any = RSA_KEY, algorithm: str = "RS256", name: str | None = "r1", **changed: Any
) -> str:
    """A token for the service about alice. A claim that is ``None`` is left out."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "exp": now + 300, "iat": now}
    headers = {} if name is None else {"kid": name}
    given = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers=headers)
