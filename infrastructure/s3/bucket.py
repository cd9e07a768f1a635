"""Where payloads are in S3, and how its errors are reported.

An error of obstore holds the answer of the server. That may repeat the request with its signature
and session token, so nothing of it is shown but its code.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obstore.exceptions import BaseError, UnauthenticatedError
from obstore.store import S3Store

from application.ports import StoreUnavailable
from infrastructure.s3.credentials import Credentials, region

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_RETRIES: Final["RetryConfig"] = {  # of one request; together with `timeout` that is 20 s at most
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=10),
    "backoff": {
        "init_backoff": timedelta(milliseconds=50),
        "max_backoff": timedelta(seconds=1),
        "base": 2.0,
    },
}
_TIMES: Final["ClientConfig"] = {
    "connect_timeout": timedelta(seconds=3),
    "timeout": timedelta(seconds=10),
}


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the names of the settings that lead to it."""

    name: str
    prefix: str = ""
    endpoint: str | None = None  # AWS in the region
    region: str | None = None  # that of the environment or of the profile
    setting: str = "the bucket"
    endpoint_setting: str = "the endpoint"
    ca_file: Path | None = None  # beside what the system trusts
    ca_setting: str = "the certificate of the authority"

    def __str__(self) -> str:
        at = f" at {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.name}/{self.prefix}{at}"

    def open(self, credentials: Credentials | None = None) -> S3Store:
        """A client for what is below the prefix. Connects when it is used."""
        # Each is given here, since obstore would take it from the environment otherwise.
        at = {"endpoint": self.endpoint, "aws_endpoint_url_s3": self.endpoint}
        return S3Store(
            self.name,
            prefix=self.prefix or None,
            region=self.region or region(),
            virtual_hosted_style_request=False,
            skip_signature=False,
            conditional_put="etag",
            client_options=self._client_options(),
            retry_config=_RETRIES,
            credential_provider=credentials or Credentials(),
            **(at if self.endpoint else {}),  # type: ignore[arg-type]  # not None here
        )

    def _client_options(self) -> "ClientConfig":
        plain = (self.endpoint or "").startswith("http://")
        options: ClientConfig = {**_TIMES, "allow_http": plain}
        if self.ca_file is not None:
            options["root_certificate"] = self.ca_file.read_bytes()
        return options

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Raises :class:`StoreUnavailable` for what goes wrong inside, with what would be right.

        ``FileNotFoundError`` passes: there is no such object.
        """
        try:
            yield
        except FileNotFoundError as error:
            if _code(error) not in _NO_OBJECT:
                raise StoreUnavailable(self._explained(error)) from None
            raise FileNotFoundError from None
        except BaseError as error:
            raise StoreUnavailable(self._explained(error)) from None

    def _explained(self, error: Exception) -> str:
        if isinstance(error, UnauthenticatedError):
            found = re.search(r"NoCredentials: (.*)", str(error))
            reason = found[1] if found else "the AWS credentials cannot be had"
            return f"{self}: {reason}"
        code = _code(error)
        if reason := _REASONS.get(code):
            return reason.format(**self._words(code))
        if code:
            return f"{self} does not work now ({code})"
        if status := re.search(r"status code: (\d+ [\w ]+)", str(error)):
            return (
                f"{self.endpoint_setting}: what answers at {self.endpoint or 'AWS'} with "
                f"{status[1].strip()} is not S3: set the address of an S3 server"
            )
        if re.search(r"Certificate\(\s*(NotValid|U|E)", str(error)):
            return (
                f"{self.ca_setting}: {self.endpoint or 'AWS'} cannot be trusted: set it to the "
                f"certificate of the authority that signs the server's, and "
                f"{self.endpoint_setting} to a host that the certificate names"
            )
        return (
            f"{self.endpoint_setting}: no answer from {self.endpoint or 'AWS'} for "
            f"s3://{self.name}: set the address at which S3 answers, or start it there"
        )

    def _words(self, code: str) -> dict[str, str]:
        where = f" at {self.endpoint}" if self.endpoint else ""
        return {"setting": self.setting, "name": self.name, "where": where, "code": code}


_NO_OBJECT: Final = ("NoSuchKey", "NoSuchVersion")
_REASONS: Final = {
    "NoSuchBucket": "{setting}: there is no bucket {name!r}{where}: make it, or set another one",
    "InvalidBucketName": "{setting}: {name!r} is not the name of a bucket: use 3 to 63 of a-z0-9.-",
    "AccessDenied": (
        "{setting}: the AWS credentials have no permission for {name!r}: allow s3:GetObject, "
        "s3:PutObject and s3:ListBucket, and s3:DeleteObject for a sweep"
    ),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"),
        "the AWS credentials are wrong for {name!r}{where} ({code}): set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to those of a user who may use it",
    ),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        "{setting}: the bucket {name!r} is in another region ({code}): set that region",
    ),
    "RequestTimeTooSkewed": "the clock of this machine is wrong by more than S3 accepts: set it",
}


def _code(error: Exception) -> str:
    """The code in the answer: ``NoSuchBucket``; empty where S3 has not answered."""
    found = re.search(r"<Code>(\w+)</Code>", str(error))
    return found[1] if found else ""
