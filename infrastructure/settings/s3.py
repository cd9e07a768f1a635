"""How payloads are kept in S3."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from infrastructure.settings.payloads import PayloadSettings, listed
from infrastructure.settings.values import Endpoint

PayloadStore = Literal["directory", "s3"]


def _bucket(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise ValueError("a bucket has 3 to 63 of a-z, 0-9, . and -")
    return name


def _prefix(text: str) -> str:
    parts = text.strip("/").split("/")
    if text and not all(re.fullmatch(r"[A-Za-z0-9!_.*'()=-]+", part) for part in parts):
        raise ValueError("use letters, digits and _ - . between slashes: production/payloads")
    if {".", ".."} & {*parts}:
        raise ValueError("'.' and '..' are not names of objects: production/payloads")
    return "/".join(parts)


def _place(text: str) -> str:
    if "://" in text:
        in_bucket(text)
    return text


def in_bucket(place: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://BUCKET/PREFIX``. ``ValueError`` for another address."""
    scheme, _, rest = place.partition("://")
    if scheme != "s3":
        raise ValueError("it has to be a directory, or s3://BUCKET/PREFIX")
    bucket, _, prefix = rest.partition("/")
    return _bucket(bucket), _prefix(prefix)


BucketName = Annotated[str, AfterValidator(_bucket)]
KeyPrefix = Annotated[str, AfterValidator(_prefix)]
Places = Annotated[tuple[Annotated[str, AfterValidator(_place)], ...], BeforeValidator(listed)]
"""Directories, and ``s3://BUCKET/PREFIX``."""


class S3Settings(PayloadSettings):
    """S3"""

    payload_store: PayloadStore = "directory"
    """Where data is stored that is too large for an event: in `{payloads_dir}`, or in
    `{s3_bucket}`."""
    payloads_also_in: Places = ()
    """Directories from which such data is read if it is not there, separated by commas. Each may
    also be `s3://BUCKET/PREFIX`, at the same endpoint. Nothing is written there."""
    s3_bucket: BucketName | None = None
    """The bucket for data that is too large for an event. It has to exist. The credentials are
    those of AWS: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, or a role of the
    machine."""
    s3_prefix: KeyPrefix = ""
    """What the names of objects in the bucket begin with: `production/payloads`. Each event store
    needs a prefix of its own."""
    s3_endpoint: Endpoint | None = None
    """The address of an S3 server: `http://127.0.0.1:8333`; unset: AWS."""
    s3_ca_file: Path | None = None
    """The certificates, as PEM, one of which signs that of `{s3_endpoint}`. Those of the system are
    trusted, too."""
    s3_region: str | None = None
    """The region of the bucket; unset: that of AWS_REGION or of the profile, else `us-east-1`."""

    @property
    def payloads_in(self) -> PayloadStore:
        return self.payload_store

    @model_validator(mode="after")
    def _one_payload_store(self) -> Self:
        name, s3 = self.name_of, self.payload_store == "s3"
        if s3 and self.s3_bucket is None:
            raise ValueError(
                f"{name('s3_bucket')}: set it to the name of a bucket, or leave out "
                f"{name('payload_store')}=s3"
            )
        if s3 and self.payloads_dir is not None:
            raise ValueError(
                f"{name('payloads_dir')}: nothing would be read or written there with "
                f"{name('payload_store')}=s3: name it in {name('payloads_also_in')}, or unset it"
            )
        if self.s3_ca_file and not (self.s3_endpoint or "").startswith("https://"):
            raise ValueError(
                f"{name('s3_ca_file')}: it is for an {name('s3_endpoint')} that begins with "
                "https://: set that too, or unset it"
            )
        if self.s3_bucket is not None and not s3:
            raise ValueError(
                f"{name('s3_bucket')}: nothing would be read or written there: set "
                f"{name('payload_store')}=s3 too, or unset it"
            )
        return self
