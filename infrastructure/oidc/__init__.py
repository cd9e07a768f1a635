"""OpenID Connect: who sends a request, by a token that an identity provider has signed."""

from infrastructure.oidc.client import Attempt, Client, LogInRefused  # only: console
from infrastructure.oidc.provider import Provider
from infrastructure.oidc.tokens import InvalidToken, Subject, Tokens

__all__ = [
    "Attempt",  # only: console
    "Client",  # only: console
    "InvalidToken",
    "LogInRefused",  # only: console
    "Provider",
    "Subject",
    "Tokens",
]
