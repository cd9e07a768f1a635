"""The kinds of values that settings have, each with its check."""

import re
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints


def uri_of(*schemes: str) -> AfterValidator:
    """Accepts an address that starts with one of these schemes."""

    def check(uri: str) -> str:
        parts = urlsplit(uri)  # ValueError for text that is not an address
        require_readable_login(uri, parts.netloc)
        if re.search(r"%(?![0-9A-Fa-f]{2})", uri):
            raise ValueError("a % in it, in a password for example, is written %25")
        if not uri.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"it has to start with {' or '.join(f'{s}://' for s in schemes)}")
        return uri

    return AfterValidator(check)


def require_readable_login(uri: str, netloc: str) -> None:
    """Raises ``ValueError`` where a password ends the host, or the address, too early."""
    behind = uri.partition("://")[2].removeprefix(netloc)
    if netloc.count("@") > 1 or ("@" in behind and "@" not in netloc and not _hosts(netloc)):
        raise ValueError(
            "in a user or a password, @ : / ? # and % are written %40 %3A %2F %3F %23 and %25"
        )


def _hosts(netloc: str) -> bool:
    """Whether this is a list of hosts, with or without ports."""
    return all(re.fullmatch(r"(\[[^\]]*\]|[^:]*)(:\d*)?", one) for one in netloc.split(","))


def _strong(token: SecretStr) -> SecretStr:
    if not 16 <= len(token.get_secret_value()) <= 256 or not token.get_secret_value().isascii():
        raise ValueError("it has to have 16 to 256 ASCII characters, so that it cannot be guessed")
    return token


def words(text: Any) -> Any:
    """``a, b`` → ``(a, b)``."""
    return tuple(re.findall(r"[^,\s]+", text)) if isinstance(text, str) else text


def _endpoint(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.username or parts.query or parts.path.strip("/") or not parts.hostname:
        raise ValueError("it has to be an address alone, such as http://127.0.0.1:8333")
    return uri.rstrip("/")


Port = Annotated[int, Field(ge=0, le=65535)]
HttpUri = Annotated[str, uri_of("http", "https")]
Token = Annotated[SecretStr, AfterValidator(_strong)]
HostName = Annotated[
    str,
    StringConstraints(pattern=r"^(\*|(\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$", max_length=253),
]
"""``api.example.org``, ``*.example.org``, ``[2001:db8::1]``, or ``*`` for any; no port."""
HostNames = Annotated[tuple[HostName, ...], BeforeValidator(words)]
Words = Annotated[tuple[str, ...], BeforeValidator(words)]
Endpoint = Annotated[str, uri_of("http", "https"), AfterValidator(_endpoint)]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_private(uri: str) -> bool:
    """Whether what is read at this address cannot be seen or changed on its way."""
    parts = urlsplit(uri)
    local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return bool(parts.hostname) and (parts.scheme == "https" or local)


def without_password(uri: str) -> str:
    """The address as it may be shown and logged. Other text stays as it is."""
    uri = re.sub(r"(?<=[?&])((?:ssl)?password)=[^&]*", r"\1=…", uri)
    parts = urlsplit(uri)
    if parts.password is None:
        return uri
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:…@{host}"))
