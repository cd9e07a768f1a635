"""The kinds of values that settings have, each with its check."""

import re
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints


def uri_of(*schemes: str) -> AfterValidator:
    """Accepts an address that starts with one of these schemes."""

    def check(uri: str) -> str:
        urlsplit(uri)  # ValueError for text that is not an address
        if re.search(r"%(?![0-9A-Fa-f]{2})", uri):
            raise ValueError("a % in it, in a password for example, is written %25")
        if not uri.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"it has to start with {' or '.join(f'{s}://' for s in schemes)}")
        return uri

    return AfterValidator(check)


def _strong(token: SecretStr) -> SecretStr:
    if not 16 <= len(token.get_secret_value()) <= 256 or not token.get_secret_value().isascii():
        raise ValueError("it has to have 16 to 256 ASCII characters, so that it cannot be guessed")
    return token


def _words(text: Any) -> Any:
    """``a, b`` → ``(a, b)``."""
    return tuple(re.findall(r"[^,\s]+", text)) if isinstance(text, str) else text


def _http(uri: str) -> str:
    parts = urlsplit(uri)  # ValueError for text that is not an address
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("it has to be an address like https://user:password@host:9200")
    if re.search(r"%(?![0-9A-Fa-f]{2})", parts.netloc):
        raise ValueError("a % in it, in a password for example, is written %25")
    if parts.query or parts.fragment:
        raise ValueError("an address has nothing behind its path")
    return uri


def _listed(text: Any) -> Any:
    """``/a b, c`` → ``(/a b, c)``."""
    return tuple(filter(None, map(str.strip, text.split(",")))) if isinstance(text, str) else text


def _endpoint(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.username or parts.query or parts.path.strip("/") or not parts.hostname:
        raise ValueError("it has to be an address alone, such as http://127.0.0.1:8333")
    return uri.rstrip("/")


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


Port = Annotated[int, Field(ge=0, le=65535)]
HttpServer = Annotated[str, AfterValidator(_http)]
"""The address of a server, with a user and a password perhaps."""
IndexPrefix = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$", max_length=64)
]
HttpUri = Annotated[str, uri_of("http", "https")]
Token = Annotated[SecretStr, AfterValidator(_strong)]
HostName = Annotated[
    str,
    StringConstraints(pattern=r"^(\*|(\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$", max_length=253),
]
"""``shop.example.org``, ``*.example.org``, ``[2001:db8::1]``, or ``*`` for any; no port."""
HostNames = Annotated[tuple[HostName, ...], BeforeValidator(_words)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Endpoint = Annotated[str, uri_of("http", "https"), AfterValidator(_endpoint)]
BucketName = Annotated[str, AfterValidator(_bucket)]
KeyPrefix = Annotated[str, AfterValidator(_prefix)]
Places = Annotated[tuple[Annotated[str, AfterValidator(_place)], ...], BeforeValidator(_listed)]
"""Directories, and ``s3://BUCKET/PREFIX``."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_password(uri: str) -> str:
    """The address as it may be shown and logged."""
    uri = re.sub(r"(?<=[?&])((?:ssl)?password)=[^&]*", r"\1=…", uri)
    parts = urlsplit(uri)
    if parts.password is None:
        return uri
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:…@{host}"))
