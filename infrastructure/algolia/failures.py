"""What the errors of Algolia mean, in words for the person who runs the service."""

import json
from typing import Final

from aiohttp import ClientError
from algoliasearch.http.exceptions import AlgoliaUnreachableHostException, RequestException

from application.ports import IndexMissing, StoreUnavailable

BUSY: Final = 429
"""More changes or queries than the plan allows: ask again."""
FAILURES: Final = (
    RequestException,
    AlgoliaUnreachableHostException,
    ClientError,
    json.JSONDecodeError,
)
"""What the client raises for an answer, or for none."""

_REFUSED: Final = frozenset({401, 403})
_LONGEST: Final = 300  # letters of a reason


class AccessRefused(StoreUnavailable):
    """Algolia does not accept the key, or what is to be done with it."""


class Rejected(StoreUnavailable):
    """Algolia does not take the request: one of its records, or a change while another goes on."""


class NotAlgolia(StoreUnavailable):
    """Something else answers at this address."""


def meaning(error: Exception, shown: str) -> StoreUnavailable:
    """The error of the ports for it.

    ``shown``: the name of the application.
    """
    if isinstance(error, json.JSONDecodeError):
        return NotAlgolia(f"{shown}: what answers there is not Algolia: it sends no JSON")
    if not isinstance(error, RequestException):
        return StoreUnavailable(f"{shown} does not answer: {one_line(error)}")
    status, reason = error.status_code, f"{shown} answers {error.status_code}: "
    reason += one_line(error.message)
    if status == 404:
        return IndexMissing(reason)
    if status in _REFUSED:
        return AccessRefused(reason)
    if status == 400 and "quota" not in reason:
        return Rejected(reason)
    return StoreUnavailable(reason)


def one_line(text: object) -> str:
    """As much of a text as fits into a message."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"
