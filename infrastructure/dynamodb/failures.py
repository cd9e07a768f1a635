"""Errors of DynamoDB in the terms of the ports, and those that a caller has to tell apart."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from application.ports import StoreUnavailable

BUSY: Final = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""What passes by itself. It says nothing about a condition: the call may be repeated."""

CONDITION: Final = "ConditionalCheckFailed"
"""A condition did not hold, and so nothing was written."""

_NOT_ALLOWED: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "UnrecognizedClientException",
    }
)
_LONG: Final = 300  # characters
_NO_TABLE: Final = frozenset({"ResourceNotFoundException", "TableNotFoundException"})


def code_of(error: ClientError) -> str:
    """DynamoDB's name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def condition_failed(error: ClientError) -> bool:
    """Whether a single write was refused by its condition."""
    return code_of(error) == f"{CONDITION}Exception"


def cancelled(error: ClientError) -> Sequence[Mapping[str, Any]] | None:
    """The reason for each item of a transaction that was not made; ``None``: another error.

    ``Code`` is ``"None"`` for an item that was not to blame, and one of :data:`BUSY`,
    :data:`CONDITION` or ``"ValidationError"`` for one that was. ``Item`` is what was found.
    """
    if code_of(error) != "TransactionCanceledException":
        return None
    response: Mapping[str, Any] = error.response
    reasons: Sequence[Mapping[str, Any]] = response.get("CancellationReasons", ())
    return reasons


def is_busy(error: ClientError) -> bool:
    """Whether the same call may succeed a moment later. Nothing was written by it.

    An ``InternalServerError`` alone leaves that open.
    """
    if reasons := cancelled(error):
        blamed = {reason.get("Code", "None") for reason in reasons} - {"None"}
        return blamed <= BUSY
    return code_of(error) in BUSY


@contextmanager
def unavailable() -> Iterator[None]:
    """Inside, a server that does not answer, is busy or refuses us raises
    :class:`StoreUnavailable`. Errors about the request itself stay botocore's ``ClientError``."""
    try:
        yield
    except NoCredentialsError as error:
        raise StoreUnavailable(
            "DynamoDB: no AWS credentials were found: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
        ) from error
    except NoRegionError as error:
        raise StoreUnavailable(
            "DynamoDB: no AWS region was found: set it in the settings, or AWS_DEFAULT_REGION"
        ) from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"DynamoDB: {error}") from error
    except ClientError as error:
        if (code := code_of(error)).isdigit():  # DynamoDB names its errors
            # not what it says: it may repeat what it was sent, with the token of the session
            raise StoreUnavailable(
                f"DynamoDB: what answers there is no DynamoDB: its answer has the status {code}"
            ) from None
        if reason := _why(error):
            raise StoreUnavailable(f"DynamoDB: {reason}") from error
        raise


def _why(error: ClientError) -> str | None:
    """Why the store cannot be used now; ``None`` for an error about the request."""
    code, said = code_of(error), _in_a_line(error)
    if code in _NO_TABLE:
        return f"a table is missing: run `migrate`, which makes it ({said})"
    if code in _NOT_ALLOWED:
        return f"this role may not do that: `migrate --print policy` prints what it needs ({said})"
    return said if is_busy(error) or _status(error) >= 500 else None


def _in_a_line(error: ClientError) -> str:
    """What another server says may be a whole page."""
    said = " ".join(str(error).split())
    return said if len(said) <= _LONG else f"{said[:_LONG]} …"


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
