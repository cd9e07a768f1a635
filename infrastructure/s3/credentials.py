"""AWS credentials by the usual chain: environment, profile, web identity, container, instance.

No secret is in a message, a representation or a log. obstore knows no profiles, so botocore looks
for the credentials, and refreshes those that expire.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

import botocore.session
from botocore.exceptions import (
    BotoCoreError,
    PartialCredentialsError,
    ProfileNotFound,
)

if TYPE_CHECKING:
    from botocore.credentials import Credentials as Found
    from obstore.store import S3Credential

_KEPT: Final = timedelta(minutes=10)
"""obstore asks again 5 minutes before the end. botocore refreshes what is valid for less than 15,
so what obstore keeps is always valid."""
_SAFE: Final = (PartialCredentialsError, ProfileNotFound)  # their messages hold no secret
_NONE: Final = (
    "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
    "AWS_PROFILE, or give this machine a role"
)


class NoCredentials(Exception):
    """There are none, or they cannot be had. The message has no secret in it."""


class Credentials:
    """Called by obstore, from threads of its own, for the credentials of the next minutes."""

    def __init__(self, session: Callable[[], botocore.session.Session] = botocore.session.Session):
        self._session, self._lock = session, Lock()
        self._found: Found | None = None

    def __call__(self) -> "S3Credential":
        """Raises :class:`NoCredentials`."""
        try:
            with self._lock:
                self._found = self._found or self._session().get_credentials()
            if self._found is None:
                raise NoCredentials(_NONE)
            valid = self._found.get_frozen_credentials()
        except BotoCoreError as error:
            reason = str(error) if isinstance(error, _SAFE) else type(error).__name__
            raise NoCredentials(f"the AWS credentials cannot be had: {reason}") from None
        return {
            "access_key_id": valid.access_key or "",
            "secret_access_key": valid.secret_key or "",
            "token": valid.token,
            "expires_at": datetime.now(UTC) + _KEPT,
        }


def region() -> str:
    """The region of the environment or of the profile; without one ``us-east-1``."""
    if named := os.environ.get("AWS_REGION"):
        return named
    try:
        found = botocore.session.Session().get_config_variable("region")
    except BotoCoreError:  # the profile is not there: the credentials report that
        found = None
    return str(found or "us-east-1")
